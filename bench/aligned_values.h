// Numbers for benchmarks that call kernels directly.
#pragma once

#include <cstdint>
#include <new>
#include <random>
#include <vector>

#include <pliant/core/memory.h>

namespace pliant::bench {

// Memory as tensors have it.
template <class T>
struct Aligned {
  using value_type = T;
  T* allocate(std::size_t count) {
    const std::align_val_t line{static_cast<std::size_t>(kAlignment)};
    return static_cast<T*>(::operator new(count * sizeof(T), line));
  }
  void deallocate(T* memory, std::size_t) {
    ::operator delete (memory, std::align_val_t{static_cast<std::size_t>(kAlignment)});
  }
  bool operator==(const Aligned&) const { return true; }
};

using Values = std::vector<float, Aligned<float>>;

inline Values normal(std::int64_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> distribution;
  Values values(static_cast<std::size_t>(size));
  for (float& value : values) value = distribution(random);
  return values;
}

}  // namespace pliant::bench
