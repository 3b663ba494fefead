#include <pliant/core/internal/file_attributes.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <string_view>

namespace pliant {
namespace {

// What the system sets (security.*) it sets on a new file as well.
bool is_of_people(std::string_view name) {
  return name.starts_with("user.") || name.starts_with("system.posix_acl");
}

bool copy_extended_attribute(int from, const char* name, int to) {
  const ssize_t size = ::fgetxattr(from, name, nullptr, 0);
  if (size < 0) return false;
  std::string value(static_cast<std::size_t>(size), '\0');
  return ::fgetxattr(from, name, value.data(), value.size()) == size &&
         ::fsetxattr(to, name, value.data(), value.size(), 0) == 0;
}

bool copy_extended_attributes(int from, int to) {
  const ssize_t size = ::flistxattr(from, nullptr, 0);
  if (size <= 0) return true;  // none, or a file system without any
  std::string names(static_cast<std::size_t>(size), '\0');
  if (::flistxattr(from, names.data(), names.size()) != size) return false;
  for (std::size_t at = 0; at < names.size(); at = names.find('\0', at) + 1) {
    const char* const name = names.data() + at;
    if (is_of_people(name) && !copy_extended_attribute(from, name, to)) return false;
  }
  return true;
}

bool copy_owner(const struct stat& from, int to) {
  struct stat now {};
  if (::fstat(to, &now) != 0) return false;
  if (now.st_uid == from.st_uid && now.st_gid == from.st_gid) return true;
  return ::fchown(to, from.st_uid, from.st_gid) == 0;
}

}  // namespace

const char* copy_file_attributes(int folder, const char* name, int to) {
  struct stat there {};
  if (::fstatat(folder, name, &there, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(there.st_mode))
    return nullptr;
  if (!copy_owner(there, to)) return "its owner and group";
  if (::fchmod(to, there.st_mode & 07777) != 0) return "its mode";
  const int from = ::openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  const bool copied = from >= 0 && copy_extended_attributes(from, to);
  const int error = errno;
  if (from >= 0) ::close(from);
  errno = error;
  return copied ? nullptr : "its access list and extended attributes";
}

}  // namespace pliant
