// The JSON header of a safetensors file.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <pliant/core/shape.h>
#include <pliant/layers/train/safetensors_types.h>

namespace pliant {

// One tensor as the header describes it: bytes [begin, end) of the data.
struct SafetensorsEntry {
  std::string name;
  const SafetensorsType* type = nullptr;
  Shape shape;                          // of rank up to Shape::kMaxRank; else of its first axes
  std::int64_t rank = 0, elements = 1;  // of all axes
  bool too_large = false;  // it has no elements, and other extents that no Shape may have
  std::uint64_t begin = 0, end = 0;
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  // in the order of their data
  std::map<std::string, std::string> metadata;
};

// Reads a header in time and memory that grow with its length alone. One that is not of the format,
// or names anything twice, is an Error that says what is wrong.
SafetensorsHeader parse_safetensors_header(const std::string& text);

// The header, with spaces at its end that make its length a multiple of 8, of tensors that follow
// one another. A name that is not UTF-8, comes twice or is that of the metadata is an Error.
std::string safetensors_header(const std::vector<std::pair<std::string, Tensor>>& tensors,
                               const std::map<std::string, std::string>& metadata);

// What a name from a file looks like in a message.
std::string in_quotes(std::string_view name);

}  // namespace pliant
