// The files and folders that data sets are made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <pliant/core/tensor.h>

namespace pliant {

// The bytes of a file, unpacked if it is gzip. More than `most` are an Error that says they are too
// many for `what`, before they are taken in.
std::vector<std::uint8_t> read_bytes(const std::filesystem::path& path, std::size_t most,
                                     const char* what);

// The lines of a text file, without white space at either end (that of CR LF too) and without
// UTF-8's mark; none after the last that is not empty.
std::vector<std::string> read_lines(const std::filesystem::path& path);
std::string_view trimmed(std::string_view text);

// The number that all of `text` is, under every locale; NaN and infinity are numbers.
std::optional<double> number_in(std::string_view text);
// From 0 to where a file may say that something is, in pixels.
inline constexpr double kFarthest = 1e9;

bool is_folder(const std::filesystem::path& path);
// What lies in a folder and does not begin with a dot, by name; links are followed.
std::vector<std::filesystem::path> entries_of(const std::filesystem::path& folder);
// Whether the name ends as that of an image does that can be read, whatever its case.
bool is_image(const std::filesystem::path& path);
// The images in a folder by their names without the ending; of several of one name the first.
std::map<std::string, std::filesystem::path> images_by_name(const std::filesystem::path& folder);

// The names of classes, one a line; none, and one twice, are Errors.
std::vector<std::string> read_classes(const std::filesystem::path& path);

// Of one shape and type, on the CPU: [N ..], copied. Others are Errors that begin with `who`.
Tensor stack_tensors(const char* who, std::span<const Tensor> tensors);

}  // namespace pliant
