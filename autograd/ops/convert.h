// Between dtypes, and how ops take bfloat16.
//
// A net computes in mixed precision when its input is bfloat16. Its activations are bfloat16 then;
// parameters stay the float32 masters that they are, of which convolutions and products take
// rounded copies; sums, statistics and the positions of samples are float32 throughout. What has no
// kernels of bfloat16 widens, computes in float32 and rounds. A CPU has none at all: there it is
// the way to run and to test what is meant for a GPU.
#pragma once

#include <type_traits>

#include <pliant/autograd/tape.h>

namespace pliant {

// x in another dtype, as Tensor::to() has it: rounded to nearest, or cut to a whole number. Its
// gradient comes back in x's own; from and to integers none passes. Of the same dtype: x itself, with its storage, as PyTorch's to(); clone() what is to be written to.
Var convert(const Var& x, DType dtype);

// ---- for ops ----

inline bool is_bfloat16(const Var& x) { return x.defined() && x.dtype() == DType::bfloat16; }

// What is bfloat16 as float32, and anything else as it is.
Var widened(const Var& x);
Tensor widened(const Tensor& x);
template <class T>
const T& widened(const T& other) {
  return other;
}

// op(arguments..) of an op without kernels of bfloat16: in float32, and rounded.
template <class... Arguments, class... Given>
Var in_float32(const char* name, Var (*op)(Arguments...), const Given&... arguments) {
  const ErrorOp here(name);
  return convert(op(widened(arguments)...), DType::bfloat16);
}

// Whether a float32 parameter stands beside a bfloat16 x: the op is then one of rounded() ones.
inline bool is_mixed(const Var& x, const Var& parameter) {
  return is_bfloat16(x) && parameter.defined() && parameter.dtype() == DType::float32;
}
inline Var rounded(const Var& parameter) {
  return parameter.defined() ? convert(parameter, DType::bfloat16) : parameter;
}

}  // namespace pliant
