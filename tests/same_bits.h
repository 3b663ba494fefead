// Whether two tensors, or two arrays, hold the same bits: NaN equals itself, -0 does not equal 0.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include <pliant/core/tensor.h>

namespace pliant::test {

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return std::ranges::equal(std::as_bytes(std::span(a)), std::as_bytes(std::span(b)));
}

inline bool same_bits(const Tensor& a, const Tensor& b) {
  const auto bytes = [](const Tensor& t) {
    return std::span(static_cast<const std::byte*>(t.raw()), static_cast<std::size_t>(t.bytes()));
  };
  return a.shape() == b.shape() && a.dtype() == b.dtype() && std::ranges::equal(bytes(a), bytes(b));
}

}  // namespace pliant::test
