// Fetching a file over the network, where this build has libcurl.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <pliant/core/atomic_file.h>

namespace pliant {

// Whether this build has libcurl.
bool can_download();

struct DownloadOptions {
  double connect_seconds = 3.5;  // to find the host and connect, for each try
  double stall_seconds = 5.0;    // an open transfer slower than 1 kB/s for so long is given up
  std::int64_t max_bytes = std::int64_t{64} << 20;
};

// Writes what `url` (https, http or file) holds to a file that is not committed yet, so that it can
// be looked at first. Whatever goes wrong is an Error of one line that names the URL and the
// reason, or the file.
void download(const std::string& url, AtomicFile& to, const DownloadOptions& options = {});
// The same to the file `to`, which is replaced whole or not at all.
void download(const std::string& url, const std::filesystem::path& to,
              const DownloadOptions& options = {});

}  // namespace pliant
