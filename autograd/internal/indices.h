// Indices that were worked out on the host.
#pragma once

#include <cstdint>
#include <vector>

#include <pliant/core/tensor.h>

namespace pliant {

using Indices = std::vector<std::int64_t>;

inline Tensor indices_tensor(const Indices& indices, Device device) {
  return Tensor::from(indices, {static_cast<std::int64_t>(indices.size())}).to(device);
}

}  // namespace pliant
