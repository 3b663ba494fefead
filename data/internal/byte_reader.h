// ByteReader: the bytes of a file, front to back, uncompressed on the way if it is gzip (told by
// its first two bytes, not by its name).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <pliant/data/digest.h>

struct z_stream_s;  // of zlib

namespace pliant {

class ByteReader {
 public:
  // A missing file or a directory is an Error that names it. `digest`, if given, takes in every
  // uncompressed byte that is read.
  explicit ByteReader(const std::filesystem::path& path, ContentDigest* digest = nullptr);
  ~ByteReader();

  // Reads `size` bytes; returns fewer only where the file ends. A corrupt or truncated gzip stream,
  // bytes after it other than zeros, and a failing disk are Errors that name the file.
  std::size_t read(std::uint8_t* to, std::size_t size);

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  struct EndInflate {
    void operator()(z_stream_s* stream) const;
  };

  std::size_t read_plain(std::uint8_t* to, std::size_t size);
  std::size_t read_gzip(std::uint8_t* to, std::size_t size);
  void refill();
  bool start_next_member();

  std::string name_;  // for messages
  ContentDigest* digest_;
  std::unique_ptr<std::FILE, CloseFile> file_;
  std::vector<std::uint8_t> buffer_;  // bytes of the file not used yet: [used_, filled_)
  std::size_t used_ = 0, filled_ = 0;
  std::unique_ptr<z_stream_s, EndInflate> inflate_;  // null for a plain file
  bool finished_ = false;                            // the last gzip member is complete
};

}  // namespace pliant
