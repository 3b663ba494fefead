// AtomicFile: a file that is replaced whole or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace pliant {

// A new file beside `path` that vanishes unless commit() brings it to disk and renames it to
// `path`, so that `path` holds the old or the new content and never half of one, also after a kill
// or a power cut. Of a link, what it points at is replaced and the link stays. A `path` that is
// there and no regular file is an Error at once. Errors begin with `who` and name the path.
class AtomicFile {
 public:
  AtomicFile(const char* who, const std::filesystem::path& path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  void write(const void* from, std::int64_t bytes);
  void write(std::string_view text) { write(text.data(), static_cast<std::int64_t>(text.size())); }
  void commit();

 private:
  bool create();
  void check(bool condition, const char* what) const;

  const char* who_;
  std::filesystem::path path_;
  std::string temporary_;
  int descriptor_ = -1;
  bool committed_ = false;
};

// Removes what killed processes left of the temporary files of `path`. Those of live ones stay,
// wherever they run, and so do this process's own.
void remove_stale_temporaries(const std::filesystem::path& path);

}  // namespace pliant
