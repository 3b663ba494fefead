// How much memory the columns of a deformable convolution may take.
//
// The samples of all taps ("columns") of a whole batch would take n*p*q*r*s*c elements. They are
// made slice by slice instead, of any size: batches need not be divisible by anything, and no bit
// of a result depends on it. (On a GPU weight gradients are sums of slices: there their last bits
// do.)
#pragma once

#include <cstdint>

namespace pliant {

// Bytes that the columns of one call may take at most, all threads together; 0, the default, leaves
// the choice to the library: what stays in the processor's cache (at most 448 KiB a thread), 64 MiB
// on a GPU. Less makes steps slower and more does not make them faster on a CPU. A call takes what
// it cannot do without even where that is more: one location a thread; 64 locations of one tap for
// a weight gradient.
void set_column_memory(std::int64_t bytes);
std::int64_t column_memory();

namespace cpu {
// How many rows of `row_bytes` each thread may hold: as column_memory() says, or by default a
// multiple of 64 up to 256.
std::int64_t column_rows(std::int64_t row_bytes);
}  // namespace cpu

}  // namespace pliant
