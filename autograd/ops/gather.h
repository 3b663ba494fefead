// Elements and rows chosen by index. Indices are int64 and on x's device; one that is out of range
// is an Error on the CPU; elsewhere it gives NaN and no gradient.
#pragma once

#include <pliant/autograd/tape.h>

namespace pliant {

// y[.. k ..] = x[.. index[.. k ..] ..] along `axis` (negative ones count from the end); the index
// has x's shape but along that axis, and y has its shape.
Var gather(const Var& x, int axis, const Tensor& index);

// The transpose of gather, and its gradient: x with `extent` elements along `axis`, each the sum of
// the y[.. k ..] whose index[.. k ..] names it, in the order of k. The index has y's shape.
Var scatter_add(const Var& y, int axis, const Tensor& index, std::int64_t extent);

// Rows of a table: weight [V D], indices of any shape [...] in [0, V) -> [... D]. The gradient of
// a row that is taken more than once is summed in the order of the indices.
Var embedding(const Var& weight, const Tensor& indices);

// labels [...] in [0, classes) -> [... classes]: 1 at the label, else 0.
Tensor one_hot(const Tensor& labels, std::int64_t classes, DType dtype = DType::float32);

}  // namespace pliant
