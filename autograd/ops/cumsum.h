// Running sums.
#pragma once

#include <pliant/autograd/tape.h>

namespace pliant {

// Where a running sum begins: y[k] = x[0] + ... + x[k], or x[k] + ... + x[n-1].
enum class CumsumFrom : unsigned char { start, end };

// Running sums along one axis (negative ones count from the end); x has at least one. Added one
// after another in that order; on a GPU long rows by parts of fixed length.
Var cumsum(const Var& x, int axis, CumsumFrom from = CumsumFrom::start);

}  // namespace pliant
