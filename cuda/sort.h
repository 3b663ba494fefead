// Sorting and counting on the GPU.
#pragma once

#include <cstdint>

#include <pliant/core/kernels/workspace.h>

namespace pliant::cuda {

// The values 0 .. n-1 in the order of their keys, which lie in [0, largest]; equal keys keep
// theirs.
struct Sorted {
  const std::int32_t *keys, *values;
};
Sorted sort_by_key(const char* op, std::int64_t n, const std::int32_t* keys, std::int64_t largest,
                   Workspace& workspace);
// The same for keys of 64 bits; the values alone.
const std::int32_t* sort_by_key(const char* op, std::int64_t n, const std::uint64_t* keys,
                                Workspace& workspace);

// sums[i] = counts[0] + ... + counts[i-1], for i in [0, n).
void sum_before(const char* op, std::int64_t n, const std::int64_t* counts, std::int64_t* sums,
                Workspace& workspace);

}  // namespace pliant::cuda
