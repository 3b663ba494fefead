#include <pliant/core/atomic_file.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include <pliant/core/error.h>

namespace pliant {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".tmp";

// Temporary files are called <path>.<process>-<number>.tmp.
std::string temporary_name(const fs::path& path) {
  static std::atomic<unsigned> counter{0};
  return path.string() + "." + std::to_string(::getpid()) + "-" + std::to_string(counter++) +
         std::string(kSuffix);
}

bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Whether a file beside `path` has a name of exactly that form: people's own notes may end in .tmp.
bool is_temporary_of(const fs::path& path, std::string_view name) {
  const std::string stem = path.filename().string() + ".";
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

// A rename would replace a device or a FIFO by a file, and fail on a folder when all is done.
void check_replaceable(const char* who, const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  require(!fs::is_directory(status), who, ": ", path.string(), ": is a folder, expected a file");
  require(!fs::exists(status) || fs::is_regular_file(status), who, ": ", path.string(),
          ": is not a regular file");
}

// An advisory lock, which ends with its process however that ends. A process's number says less: it
// may be another's by now, and another one in another container that sees the same folder.
bool lock(int descriptor, int how) {
  while (::flock(descriptor, how) != 0)
    if (errno != EINTR) return false;
  return true;
}

// So that a new name outlives a power cut too; file systems that cannot do it need not.
void sync_directory(const fs::path& directory) {
  const int descriptor = ::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

AtomicFile::AtomicFile(const char* who, const fs::path& path) : who_(who), path_(path) {
  const std::optional<fs::path> file = without_links(path);
  require(file.has_value(), who, ": ", path.string(), ": too many levels of links");
  path_ = *file;
  check_replaceable(who, path_);
  while (!create()) continue;
}

AtomicFile::~AtomicFile() {
  if (!committed_) ::unlink(temporary_.c_str());
  if (descriptor_ >= 0) ::close(descriptor_);
}

// Makes the temporary file and locks it; false if that name cannot be ours.
bool AtomicFile::create() {
  temporary_ = temporary_name(path_);
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0 && errno == EEXIST) return false;
  check(descriptor_ >= 0, "cannot be written");
  lock(descriptor_, LOCK_EX);  // a file system without locks clears nothing away either
  // Before it was locked it may have been taken for a stale one.
  struct stat now {};
  if (::fstat(descriptor_, &now) != 0 || now.st_nlink > 0) return true;
  ::close(std::exchange(descriptor_, -1));
  return false;
}

void AtomicFile::write(const void* from, std::int64_t bytes) {
  const char* data = static_cast<const char*>(from);
  while (bytes > 0) {
    const ssize_t written = ::write(descriptor_, data, static_cast<std::size_t>(bytes));
    if (written < 0 && errno == EINTR) continue;
    check(written > 0, "cannot be written");
    data += written;
    bytes -= written;
  }
}

void AtomicFile::commit() {
  check(::fsync(descriptor_) == 0, "cannot be brought to disk");
  check(::rename(temporary_.c_str(), path_.c_str()) == 0, "cannot be replaced");
  committed_ = true;
  // Closed, and with that unlocked, only under its final name: else it might be cleared away.
  ::close(std::exchange(descriptor_, -1));
  sync_directory(path_.parent_path());
}

void AtomicFile::check(bool condition, const char* what) const {
  require(condition, who_, ": ", path_.string(), ": ", what, ": ", std::strerror(errno));
}

void remove_stale_temporaries(const fs::path& path) {
  const std::optional<fs::path> file = without_links(path);
  if (!file) return;
  const fs::path folder = file->has_parent_path() ? file->parent_path() : ".";
  std::error_code error;
  std::vector<fs::path> candidates;
  for (const auto& entry : fs::directory_iterator(folder, error))
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
