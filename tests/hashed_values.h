// Numbers that are the same here and in the programs of tools/ that ask other libraries: element i of
// the tensor NAME is a hash of i and NAME.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>

#include <pliant/core/parallel.h>
#include <pliant/core/tensor.h>

namespace pliant::test {

inline std::uint32_t crc32(const std::string& text) {
  std::uint32_t crc = ~0u;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0u);
  }
  return ~crc;
}

// In [-1, 1).
inline double hashed(std::uint32_t key, std::uint32_t i) {
  std::uint32_t h = i * 0x9E3779B1u + key;
  h ^= h >> 16;
  h *= 0x85EBCA6Bu;
  h ^= h >> 13;
  h *= 0xC2B2AE35u;
  h ^= h >> 16;
  return h * 0x1p-31 - 1;
}

// A tensor of a state dict, in PyTorch's layout: activations stay near 1 through all layers.
inline Tensor value_of(const std::string& name, const Shape& shape) {
  double centre = 0, half = 0.125;  // biases, running means
  if (shape.rank() >= 2) {
    const double spread = name.starts_with("features") ? 6.0 : shape.rank() == 4 ? 1.5 : 3.0;
    const std::int64_t inputs = shape.size() / shape[0];
    half = std::sqrt(spread / static_cast<double>(inputs));
  } else if (name.ends_with("running_var") || name.ends_with("weight")) {
    centre = 1, half = 0.5;
  }
  Tensor value = Tensor::empty(shape);
  float* const to = value.mutable_data<float>();
  const std::uint32_t key = crc32(name);
  parallel_blocks(shape.size(), 65536, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      to[i] = static_cast<float>(centre + half * hashed(key, static_cast<std::uint32_t>(i)));
  });
  return value;
}

}  // namespace pliant::test
