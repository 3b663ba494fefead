// AtomicFile: a file that is replaced whole or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace pliant {

// A new file beside `path` that vanishes unless commit() brings it to disk and renames it to
// `path`, so that `path` holds the old or the new content and never half of one, also after a kill
// or a power cut. Of a link, what it points at is replaced and the link stays; of a file with
// several names (hard links), the one at `path`. What is replaced passes on its owner, mode, access
// list and extended attributes. A `path` that is there and no regular file, that is read-only
// (whoever asks) or whose owner cannot be kept is an Error at once. So is, where it is met, a full
// disk or a limit on the size of files. Errors begin with `who` and name the path.
class AtomicFile {
 public:
  AtomicFile(const char* who, const std::filesystem::path& path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  void write(const void* from, std::int64_t bytes);
  void write(std::string_view text) { write(text.data(), static_cast<std::int64_t>(text.size())); }
  // Where what was written so far can be read.
  std::filesystem::path temporary() const { return path_.parent_path() / name_; }
  void commit();

 private:
  bool create();
  void keep_attributes();
  void close();
  void check(bool condition, const char* what) const;

  const char* who_;
  std::filesystem::path path_;
  std::string name_;  // of the temporary file, in the folder
  int folder_ = -1, descriptor_ = -1;
  bool committed_ = false;
};

// Removes what killed processes left of the temporary files of `path`. Those of live ones stay,
// wherever they run, and so do this process's own.
void remove_stale_temporaries(const std::filesystem::path& path);

}  // namespace pliant
