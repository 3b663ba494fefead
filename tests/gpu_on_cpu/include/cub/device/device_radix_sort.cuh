// What cuda/sort.cu asks of CUB.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include <pliant/tests/gpu_on_cpu/device.h>

namespace cub {

struct DeviceRadixSort {
  // Stable, by the bits [begin_bit, end_bit) of the keys.
  template <class Key, class Value>
  static cudaError_t SortPairs(void* room, std::size_t& room_bytes, const Key* keys_in,
                               Key* keys_out, const Value* values_in, Value* values_out,
                               std::int64_t n, int begin_bit, int end_bit, cudaStream_t) {
    if (room == nullptr) {
      room_bytes = 1;
      return cudaSuccess;
    }
    pliant::gpu_on_cpu::launch([=](pliant::gpu_on_cpu::Order) {
      const std::uint64_t below = end_bit < 64 ? std::uint64_t{1} << end_bit : 0;
      const std::uint64_t bits = below - (std::uint64_t{1} << begin_bit);
      const auto key = [&](std::int64_t i) {
        return static_cast<std::uint64_t>(keys_in[i]) & bits;
      };
      std::vector<std::int64_t> order(static_cast<std::size_t>(n));
      std::iota(order.begin(), order.end(), std::int64_t{0});
      std::stable_sort(order.begin(), order.end(),
                       [&](std::int64_t a, std::int64_t b) { return key(a) < key(b); });
      for (std::int64_t i = 0; i < n; ++i) {
        keys_out[i] = keys_in[order[static_cast<std::size_t>(i)]];
        values_out[i] = values_in[order[static_cast<std::size_t>(i)]];
      }
    });
    return cudaSuccess;
  }
};

}  // namespace cub
