#include <pliant/core/atomic_file.h>

#include <fcntl.h>
#include <unistd.h>
#include <csignal>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include <pliant/core/error.h>

namespace pliant {
namespace {

constexpr std::string_view kSuffix = ".tmp";

// Temporary files are called <path>.<process>-<number>.tmp.
std::string temporary_name(const std::filesystem::path& path) {
  static std::atomic<unsigned> counter{0};
  return path.string() + "." + std::to_string(::getpid()) + "-" + std::to_string(counter++) +
         std::string(kSuffix);
}

// So that a new name outlives a power cut too; file systems that cannot do it need not.
void sync_directory(const std::filesystem::path& directory) {
  const int descriptor = ::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

AtomicFile::AtomicFile(const char* who, const std::filesystem::path& path)
    : who_(who), path_(path) {
  do {
    temporary_ = temporary_name(path);
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (descriptor_ < 0 && errno == EEXIST);
  check(descriptor_ >= 0, "cannot be written");
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!committed_) ::unlink(temporary_.c_str());
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
  check(::close(std::exchange(descriptor_, -1)) == 0, "cannot be brought to disk");
  check(::rename(temporary_.c_str(), path_.c_str()) == 0, "cannot be replaced");
  committed_ = true;
  sync_directory(path_.parent_path());
}

void AtomicFile::check(bool condition, const char* what) const {
  require(condition, who_, ": ", path_.string(), ": ", what, ": ", std::strerror(errno));
}

void remove_stale_temporaries(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const std::string stem = path.filename().string() + ".";
  std::error_code error;
  std::vector<std::filesystem::path> stale;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(stem) || !name.ends_with(kSuffix)) continue;
    const long process = std::strtol(name.c_str() + stem.size(), nullptr, 10);
    const bool alive =
        process > 0 && (::kill(static_cast<pid_t>(process), 0) == 0 || errno == EPERM);
    if (!alive || process == ::getpid()) stale.push_back(entry.path());
  }
  for (const auto& file : stale) std::filesystem::remove(file, error);
}

}  // namespace pliant
