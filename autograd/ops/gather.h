// Elements and rows chosen by index, and put by index. Indices are integers, taken as int64 however
// they are stored, and on x's device; one that is out of range is an Error on the CPU; elsewhere it
// gives NaN (an integer 0), no gradient, and puts nothing. x is of any dtype.
#pragma once

#include <pliant/autograd/tape.h>

namespace pliant {

// Elements along an axis, and the indices by which they were taken.
struct ValuesAndIndices {
  Var values;
  Tensor indices;
};

// y[.. k ..] = x[.. index[.. k ..] ..] along `axis` (negative ones count from the end); the index
// has x's shape but along that axis, and y has its shape.
Var gather(const Var& x, int axis, const Tensor& index);

// The transpose of gather, and its gradient: x with `extent` elements along `axis`, each the sum of
// the y[.. k ..] whose index[.. k ..] names it, in the order of k. The index has y's shape.
Var scatter_add(const Var& y, int axis, const Tensor& index, std::int64_t extent);

// x with y[.. k ..] in the place that index[.. k ..] names along `axis`; of several the last one
// in the order of k, which alone gets that place's gradient. The index has y's shape, and y has x's
// but along that axis.
Var scatter(const Var& x, int axis, const Tensor& index, const Var& y);

// The same where one index serves a whole slice: x with slice k of y along `axis` in the place, or
// added to the slice, that indices [K] names.
Var index_copy(const Var& x, int axis, const Tensor& indices, const Var& y);
Var index_add(const Var& x, int axis, const Tensor& indices, const Var& y);

// Rows of a table: weight [V D], indices of any shape [...] in [0, V) -> [... D]. The gradient of
// a row that is taken more than once is summed in the order of the indices.
Var embedding(const Var& weight, const Tensor& indices);

// labels [...] in [0, classes) -> [... classes]: 1 at the label, else 0.
Tensor one_hot(const Tensor& labels, std::int64_t classes, DType dtype = DType::float32);

}  // namespace pliant
