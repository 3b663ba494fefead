// The element types of safetensors files and what they become here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <pliant/core/tensor.h>

namespace pliant {

struct SafetensorsType {
  std::string_view name;
  int bits = 0;                  // of an element
  DType dtype = DType::float32;  // what it is read as
  bool readable = true;          // else tensors of this type are skipped
  bool converted = false;        // else the bytes are taken as they are
};

// nullptr if the format has no such type.
const SafetensorsType* safetensors_type(std::string_view name);
// Of a dtype of ours.
const SafetensorsType& safetensors_type(DType dtype);

// Converts elements as they stand in a file to the elements of `to` from `begin` on; the values
// stay what they are. Gives nullptr, or why that cannot be.
const char* convert_elements(const SafetensorsType& type, std::span<const std::uint8_t> bytes,
                             Tensor& to, std::int64_t begin);

}  // namespace pliant
