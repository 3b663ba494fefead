// FileLock: what only one process at a time may do.
#pragma once

#include <filesystem>

namespace pliant {

// Makes the file `path` and holds a lock on it until the end of its life or of the process, however
// that ends; the file goes with it. Another one's lock on it, in whatever process or container, is
// an Error at once that begins with `refusal`. A file system without locks refuses nobody.
class FileLock {
 public:
  FileLock(std::filesystem::path path, const char* refusal);
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

 private:
  bool acquire(const char* refusal);

  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace pliant
