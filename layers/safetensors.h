// safetensors files: named tensors and a few strings. The format is an 8-byte little-endian header
// length, a JSON header with the dtype, shape and place of each tensor, then the raw elements.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <pliant/core/tensor.h>

namespace pliant {

struct SafetensorsFile {
  std::vector<std::pair<std::string, Tensor>> tensors =
      {};  // in the order of their data in the file
  std::map<std::string, std::string> metadata = {};
  // Of a file that was read: tensors that could not be, and why.
  std::vector<std::pair<std::string, std::string>> skipped = {};

  // "skipped 'a' (why), 'b' (why) and 3 more", "" if nothing was.
  std::string skipped_text() const;
  // The tensor of that name, or nullptr.
  const Tensor* find(std::string_view name) const&;
  const Tensor* find(std::string_view name) const&& = delete;
};

// Reads a file, or a pipe to its end, onto the CPU: F64 F32 BF16 I64 I32 U8 as they are; F16,
// F8_E4M3 and F8_E5M2 become float32, U64 and U32 int64, U16, I16 and I8 int32, BOOL uint8 of 0 and
// 1, each with its value. Skipped are the other types of the format, ranks above Shape::kMaxRank,
// extents beyond any Shape beside a 0, and what does not fit (a U64 above 2^63 - 1). Nothing is
// believed: a header that is garbage, too long, repeats a name or a field, overlaps, leaves holes or promises other than what the file holds is a
// one-line Error naming the file, before memory is taken for any data; so is a file of another
// kind, which it names.
SafetensorsFile read_safetensors(const std::filesystem::path& path);

// Writes a temporary file beside `path`, syncs it and renames it, so that `path` holds the old or
// the new content and never half of one. Tensors may be on any device.
void write_safetensors(const std::filesystem::path& path, const SafetensorsFile& file);

}  // namespace pliant
