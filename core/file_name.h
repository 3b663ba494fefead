// Names of files: those that can be none, and those that are made from other names and still fit.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace pliant {

// An Error that begins with `who` if `path` has a NUL in it, at which the system would end it: it
// would be another file. Whatever opens, makes or removes a file asks this first.
void require_file_name(const char* who, const std::filesystem::path& path);

// The longest name, in bytes, that the file system of `folder` takes.
std::size_t longest_file_name(const std::filesystem::path& folder);

// `path` with `suffix` at its end. Where the name gets too long it is cut, and a number made from
// all of it keeps two long names apart.
std::filesystem::path with_suffix(const std::filesystem::path& path, std::string_view suffix);

// The folder that `path` lies in, "." if it names none.
std::filesystem::path folder_of(const std::filesystem::path& path);

}  // namespace pliant
