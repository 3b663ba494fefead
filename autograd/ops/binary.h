// How the ops that are one function of the BinaryTable are made; for the .cpp files of such ops.
#pragma once

#include <pliant/autograd/ops/checks.h>
#include <pliant/core/error_op.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/binary.h>

namespace pliant {

// F(a, b) broadcast to `shape`, which both must stretch to; dtypes and devices are checked already.
template <template <class> class F>
Tensor compute_binary(const char* name, const Tensor& a, const Tensor& b, const Shape& shape) {
  const BroadcastGeometry geometry = broadcast_geometry(shape, a.shape(), b.shape());
  Tensor y = Tensor::empty(shape, a.dtype(), a.device());
  visit_any_floating(name, a.dtype(), [&]<class T>() {
    kernel<Binary<T>, cpu::binary, cuda::binary>(name, a.device())(
        BinaryTable::place_of<F>(), geometry, a.data<T>(), b.data<T>(), y.mutable_data<T>());
  });
  return y;
}

template <template <class> class F>
Tensor compute_binary(const char* name, const Var& a, const Var& b) {
  const ErrorOp here(name);
  require(a.defined() && b.defined(), name, ": operand ", a.defined() ? "b" : "a", " is undefined");
  require_same_kind(name, {{"a", &a}, {"b", &b}});
  return compute_binary<F>(name, a.value(), b.value(), broadcast_shape(name, a.shape(), b.shape()));
}

}  // namespace pliant
