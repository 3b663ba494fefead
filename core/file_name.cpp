#include <pliant/core/file_name.h>

#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include <pliant/core/error.h>
#include <pliant/core/text.h>

namespace pliant {
namespace {

// FNV-1a, as 16 hexadecimal digits.
std::string digits_of(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  std::string digits;
  for (int shift = 60; shift >= 0; shift -= 4) digits += "0123456789abcdef"[hash >> shift & 15];
  return digits;
}

}  // namespace

void require_file_name(const char* who, const std::filesystem::path& path) {
  const std::string& name = path.native();
  require(name.find('\0') == std::string::npos, who, ": the name of the file, ", name,
          ", has a NUL character at byte ", name.find('\0'), ", where it would end");
}

std::size_t longest_file_name(const std::filesystem::path& folder) {
  const long longest = ::pathconf(folder.c_str(), _PC_NAME_MAX);
  return longest > 0 ? static_cast<std::size_t>(longest) : 255;
}

std::filesystem::path with_suffix(const std::filesystem::path& path, std::string_view suffix) {
  std::string name = path.filename().string();
  const std::size_t longest = longest_file_name(folder_of(path));
  if (name.size() + suffix.size() > longest) {
    const std::string apart = '~' + digits_of(name);
    name = cut_to(name, longest - std::min(longest, apart.size() + suffix.size()));
    name += apart;
  }
  return path.parent_path() / (name + std::string(suffix));
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

}  // namespace pliant
