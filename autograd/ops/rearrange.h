// Axes and parts moved about, with gradients of any order. Negative axes count from the end.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include <pliant/autograd/tape.h>

namespace pliant {

// Without the axes named, each of extent 1; without any of extent 1 where none is named.
Var squeeze(const Var& x, const std::vector<int>& axes = {});
template <std::integral Axis>
Var squeeze(const Var& x, Axis axis) {
  return squeeze(x, std::vector<int>{static_cast<int>(axis)});
}
// With a new axis of extent 1, which is axis `axis` of the result.
Var unsqueeze(const Var& x, int axis);
// With two axes exchanged: transpose(x, -2, -1) is that of every matrix.
Var transpose(const Var& x, int a, int b);
// The axes first .. last as one.
Var flatten(const Var& x, int first = 0, int last = -1);

// Parts of so many elements along an axis, the last one perhaps of fewer.
Vars split(const Var& x, std::int64_t size, int axis);
// Parts of these sizes, which make up the axis.
Vars split(const Var& x, const std::vector<std::int64_t>& sizes, int axis);
Vars split(const Var& x, std::initializer_list<std::int64_t> sizes, int axis);

// x put side by side with itself so many times along each axis; more counts than axes add axes in
// front.
Var repeat(const Var& x, const std::vector<std::int64_t>& counts);
// Element i goes to i + shift, those that leave at one end come in at the other.
Var roll(const Var& x, std::int64_t shift, int axis);

// The lower (upper) triangle of every matrix, with 0 elsewhere; of the diagonals those up to
// (from) number `diagonal` stay.
Var tril(const Var& x, std::int64_t diagonal = 0);
Var triu(const Var& x, std::int64_t diagonal = 0);

// [N H W C r r] -> [N H r W r C]: channel c r^2 + i r + j of pixel (h, w) becomes channel c of
// (h r + i, w r + j), PyTorch's order (Shi et al. 2016). And back.
Var pixel_shuffle(const Var& x, std::int64_t factor);
Var pixel_unshuffle(const Var& x, std::int64_t factor);

// The elements along an axis that the indices [K], of any integer dtype, name, in their order.
Var index_select(const Var& x, int axis, const Tensor& indices);

}  // namespace pliant
