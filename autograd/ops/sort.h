// The order of elements along an axis.
//
// Stable: equals keep their order. NaN is larger than any number, -0 equal to 0 (PyTorch's order).
// The values have gradients of any order: each goes to the element that was taken. Integers of any
// width, too; on a GPU at most 2^31 - 1 elements.
#pragma once

#include <pliant/autograd/ops/gather.h>

namespace pliant {

enum class SortOrder : unsigned char { ascending, descending };

// The elements along an axis (negative ones count from the end) in order, and where they were.
ValuesAndIndices sort(const Var& x, int axis = -1, SortOrder order = SortOrder::ascending);
// Where they were alone: int64 of x's shape.
Tensor argsort(const Var& x, int axis = -1, SortOrder order = SortOrder::ascending);

// The k largest (ascending: smallest) in order: sort()'s first k.
ValuesAndIndices topk(const Var& x, std::int64_t k, int axis = -1,
                      SortOrder order = SortOrder::descending);

// The distinct elements of x in ascending order, [K]; every NaN counts. Waits for the device.
Tensor unique(const Var& x);

}  // namespace pliant
