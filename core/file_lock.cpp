#include <pliant/core/file_lock.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include <pliant/core/error.h>
#include <pliant/core/file_name.h>

namespace pliant {
namespace {

// Another holder may have removed the file, and a third made a new one, before the lock was had.
bool is_still_at(int descriptor, const std::filesystem::path& path) {
  struct stat held {
  }, there{};
  return ::fstat(descriptor, &held) == 0 && ::lstat(path.c_str(), &there) == 0 &&
         held.st_dev == there.st_dev && held.st_ino == there.st_ino;
}

}  // namespace

FileLock::FileLock(std::filesystem::path path, const char* refusal) : path_(std::move(path)) {
  require_file_name("lock", path_);
  while (!acquire(refusal)) continue;
}

FileLock::~FileLock() {
  ::unlink(path_.c_str());  // while it is held
  ::close(descriptor_);
}

// False if the file that was locked is not the one at the path any more.
bool FileLock::acquire(const char* refusal) {
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
  require(descriptor_ >= 0, path_.string(), ": cannot be made: ", reason_of(errno));
  struct stat there {};
  if (::fstat(descriptor_, &there) != 0 || !S_ISREG(there.st_mode) || there.st_size > 0) {
    ::close(std::exchange(descriptor_, -1));
    fail(path_.string(), ": is no lock but something of yours, and would be deleted; move it away");
  }
  int status = 0;
  do status = ::flock(descriptor_, LOCK_EX | LOCK_NB);
  while (status != 0 && errno == EINTR);
  const bool taken = status != 0 && errno == EWOULDBLOCK;
  if (!taken && is_still_at(descriptor_, path_)) return true;
  ::close(std::exchange(descriptor_, -1));
  require(!taken, refusal, " (", path_.string(), " is locked by it)");
  return false;
}

}  // namespace pliant
