// Windows of a tensor, and tensors put side by side.
#pragma once

#include <cstdint>
#include <vector>

#include <pliant/autograd/tape.h>

namespace pliant {

// Elements start, start + step, ... below stop, for every axis; a negative start or stop counts
// from the end. 0 <= start <= stop <= extent and step >= 1 (none given: 1). A copy; its gradient
// is 0 outside the window.
Var slice(const Var& x, const std::vector<std::int64_t>& start,
          const std::vector<std::int64_t>& stop, const std::vector<std::int64_t>& step = {});
// The same along one axis; the others stay whole.
Var slice_axis(const Var& x, int axis, std::int64_t start, std::int64_t stop,
               std::int64_t step = 1);

// Element `index` along an axis, without that axis; a negative one counts from the end.
Var select(const Var& x, int axis, std::int64_t index);

// The elements in reverse order along these axes (negative ones count from the end), none named
// twice. What slice() would give for a step of -1.
Var flip(const Var& x, const std::vector<int>& axes);

// x with so many elements of `value` put before and after it, for every axis; negative: so many
// taken away.
Var pad(const Var& x, const std::vector<std::int64_t>& before,
        const std::vector<std::int64_t>& after, double value = 0);

// What stands beyond x = [a b c d].
enum class PadMode : unsigned char {
  reflect,    // c b | a b c d | c b: mirrored at the end elements; less than the extent
  replicate,  // a a | a b c d | d d; the extent is not 0
  circular,   // c d | a b c d | a b; at most the extent
};
// The same filled from x.
Var pad(const Var& x, const std::vector<std::int64_t>& before,
        const std::vector<std::int64_t>& after, PadMode mode);

// One after another along an axis (negative ones count from the end). At least one tensor, all of
// one rank, with the same extents along the other axes.
Var concat(const Vars& xs, int axis);
// One after another along a new axis, which is axis `axis` of the result. All have one shape.
Var stack(const Vars& xs, int axis = 0);

}  // namespace pliant
