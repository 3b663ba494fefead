#include <pliant/core/atomic_file.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <optional>
#include <utility>
#include <vector>

#include <pliant/core/error.h>
#include <pliant/core/file_name.h>
#include <pliant/core/internal/file_attributes.h>

namespace pliant {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".tmp";
constexpr std::size_t kMostDigits = 10;  // of a number of 32 bits

// Temporary files are called <name>.<number>-<number>.tmp; a long name is cut for it.
std::string stem_of(const fs::path& path) {
  const std::size_t others = 1 + kMostDigits + 1 + kMostDigits + kSuffix.size();
  const std::size_t longest = longest_file_name(folder_of(path));
  const std::string name = path.filename().string();
  return std::string(cut_to(name, longest - std::min(longest, others))) + '.';
}

// Random, for process numbers come twice: in two containers, or in two threads.
std::string temporary_name(const fs::path& path) {
  std::array<std::uint32_t, 2> numbers{};
  while (::getrandom(numbers.data(), sizeof numbers, 0) != static_cast<ssize_t>(sizeof numbers))
    require(errno == EINTR, path.string(),
            ": the system gives no random numbers for the name of a ",
            "temporary file: ", reason_of(errno));
  return stem_of(path) + std::to_string(numbers[0]) + '-' + std::to_string(numbers[1]) +
         std::string(kSuffix);
}

bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Whether a file beside `path` has a name of exactly that form: people's own notes may end in .tmp.
bool is_temporary_of(const fs::path& path, std::string_view name) {
  const std::string stem = stem_of(path);
  if (!name.starts_with(stem) || !name.ends_with(kSuffix)) return false;
  name.remove_prefix(stem.size());
  name.remove_suffix(std::min(name.size(), kSuffix.size()));
  const std::size_t dash = name.find('-');
  return dash != std::string_view::npos && all_digits(name.substr(0, dash)) &&
         all_digits(name.substr(dash + 1));
}

// Where the links at `path` lead, whether or not there is a file; nothing if they lead in a circle.
std::optional<fs::path> without_links(fs::path path) {
  constexpr int kMostLinks = 40;  // as the system has it
  std::error_code error;
  for (int links = 0; fs::is_symlink(fs::symlink_status(path, error)); ++links) {
    if (links == kMostLinks) return {};
    path = path.parent_path() / fs::read_symlink(path, error);
  }
  return path;
}

// A rename would replace a device or a FIFO by a file, and fail on a folder when all is done; and
// it asks nobody whether the file may be written.
void check_replaceable(const char* who, const fs::path& path) {
  struct stat there {};
  const int failure = ::stat(path.c_str(), &there) != 0 ? errno : 0;
  require(failure != ENAMETOOLONG, who, ": ", path.string(),
          ": cannot be written: ", reason_of(failure));
  if (failure != 0) return;
  require(!S_ISDIR(there.st_mode), who, ": ", path.string(), ": is a folder, expected a file");
  require(S_ISREG(there.st_mode), who, ": ", path.string(), ": is not a regular file");
  errno = 0;
  const bool writable = (there.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH)) != 0 &&
                        ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0;
  require(writable || errno != EROFS, who, ": ", path.string(),
          ": cannot be written: ", reason_of(EROFS));
  require(writable, who, ": ", path.string(),
          ": is read-only, so it is not replaced; chmod u+w allows it");
}

// An advisory lock, which ends with its process however that ends. A process's number says less: it
// may be another's by now, and another one in another container that sees the same folder.
bool lock(int descriptor, int how) {
  while (::flock(descriptor, how) != 0)
    if (errno != EINTR) return false;
  return true;
}

// So that a new name outlives a power cut too; file systems that cannot do it need not.
void sync_directory(int folder) {
  const int descriptor = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

// write(), except that a limit on the size of files does not end the process: the signal is this
// thread's, so it can be held back and taken here, and EFBIG is left.
ssize_t write_within_limit(int descriptor, const char* data, std::size_t bytes) {
  sigset_t limit, before;
  sigemptyset(&limit);
  sigaddset(&limit, SIGXFSZ);
  ::pthread_sigmask(SIG_BLOCK, &limit, &before);
  const ssize_t written = ::write(descriptor, data, bytes);
  const int error = errno;
  constexpr timespec kAtOnce = {};
  if (written < 0 && error == EFBIG) ::sigtimedwait(&limit, nullptr, &kAtOnce);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return written;
}

}  // namespace

AtomicFile::AtomicFile(const char* who, const fs::path& path) : who_(who), path_(path) {
  require(!path.empty(), who, ": the path is empty, expected that of a file");
  require_file_name(who, path);
  const std::optional<fs::path> file = without_links(path);
  require(file.has_value(), who, ": ", path.string(), ": too many levels of links");
  path_ = *file;
  check_replaceable(who, path_);
  try {
    // Kept open: neither a change of the current folder nor the length of the path matters later.
    folder_ = ::open(folder_of(path_).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    check(folder_ >= 0, "cannot be written");
    while (!create()) continue;
    keep_attributes();
  } catch (...) {
    close();
    throw;
  }
}

AtomicFile::~AtomicFile() { close(); }

void AtomicFile::close() {
  if (descriptor_ >= 0) {
    if (!committed_) ::unlinkat(folder_, name_.c_str(), 0);
    ::close(std::exchange(descriptor_, -1));
  }
  if (folder_ >= 0) ::close(std::exchange(folder_, -1));
}

// Makes the temporary file and locks it; false if that name cannot be ours.
bool AtomicFile::create() {
  name_ = temporary_name(path_);
  std::error_code error;
  const mode_t mode = fs::exists(path_, error) ? 0600 : 0666;  // never wider than what is replaced
  descriptor_ =
      ::openat(folder_, name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
  if (descriptor_ < 0 && errno == EEXIST) return false;
  check(descriptor_ >= 0, "cannot be written");
  lock(descriptor_, LOCK_EX);  // a file system without locks clears nothing away either
  // Before it was locked it may have been taken for a stale one.
  struct stat now {};
  if (::fstat(descriptor_, &now) != 0 || now.st_nlink > 0) return true;
  ::close(std::exchange(descriptor_, -1));
  return false;
}

// At the start, where an Error costs nothing, and again at the end, with what is there by then.
void AtomicFile::keep_attributes() {
  const char* const lost = copy_file_attributes(folder_, path_.filename().c_str(), descriptor_);
  const int error = errno;
  require(lost == nullptr, who_, ": ", path_.string(), ": ", lost == nullptr ? "" : lost,
          " cannot be kept when it is replaced: ", reason_of(error));
}

void AtomicFile::write(const void* from, std::int64_t bytes) {
  const char* data = static_cast<const char*>(from);
  while (bytes > 0) {
    const ssize_t written = write_within_limit(descriptor_, data, static_cast<std::size_t>(bytes));
    if (written < 0 && errno == EINTR) continue;
    check(written > 0, "cannot be written");
    data += written;
    bytes -= written;
  }
}

void AtomicFile::commit() {
  keep_attributes();
  check(::fsync(descriptor_) == 0, "cannot be brought to disk");
  check(::renameat(folder_, name_.c_str(), folder_, path_.filename().c_str()) == 0,
        "cannot be replaced");
  committed_ = true;
  sync_directory(folder_);
  close();  // and with that unlocked, only under its final name: else it might be cleared away
}

void AtomicFile::check(bool condition, const char* what) const {
  if (condition) return;  // not even a message may be made, and fail, after a rename
  const int error = errno;
  require(condition, who_, ": ", path_.string(), ": ", what, ": ", reason_of(error));
}

void remove_stale_temporaries(const fs::path& path) {
  require_file_name("remove_stale_temporaries", path);
  const std::optional<fs::path> file = without_links(path);
  if (!file) return;
  std::error_code error;
  std::vector<fs::path> candidates;
  for (const auto& entry : fs::directory_iterator(folder_of(*file), error))
    if (is_temporary_of(*file, entry.path().filename().string()))
      candidates.push_back(entry.path());
  for (const fs::path& candidate : candidates) {
    const int descriptor =
        ::open(candidate.c_str(), O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (descriptor < 0) continue;
    // Whose lock can be had, nobody writes; it is held until the file is gone.
    if (lock(descriptor, LOCK_EX | LOCK_NB)) ::unlink(candidate.c_str());
    ::close(descriptor);
  }
}

}  // namespace pliant
