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
  std::vector<std::pair<std::string, Tensor>> tensors;  // in the order of their data in the file
  std::map<std::string, std::string> metadata;

  // The tensor of that name, or nullptr.
  const Tensor* find(std::string_view name) const;
};

// Reads F64 F32 BF16 I64 I32 U8 tensors onto the CPU. Nothing is believed: a header that is
// garbage, too long, repeats a name, overlaps, leaves holes or promises other than what the file
// holds is a one-line Error naming the file, before memory is taken for any data.
SafetensorsFile read_safetensors(const std::filesystem::path& path);

// Writes a temporary file beside `path`, syncs it and renames it, so that `path` holds the old or
// the new content and never half of one. Tensors may be on any device.
void write_safetensors(const std::filesystem::path& path, const SafetensorsFile& file);

}  // namespace pliant
