// How the ops that are one function of the BinaryTable are made; for the .cpp files of such ops.
#pragma once

#include <pliant/autograd/internal/checks.h>
#include <pliant/core/error_op.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/binary.h>

namespace pliant {

// F(a, b) broadcast to `shape`, which both must stretch to; dtypes and devices are checked already.
template <template <class> class F>
Tensor compute_binary(const char* name, const Tensor& a, const Tensor& b, const Shape& shape) {
  const BroadcastGeometry geometry = broadcast_geometry(shape, a.shape(), b.shape());
  Tensor y = Tensor::empty(shape, a.dtype(), a.device());
  const auto run = [&]<class T>() {
    kernel<Binary<T>, cpu::binary, cuda::binary>(name, a.device())(
        BinaryTableOf<T>::template place_of<F>(), geometry, a.data<T>(), b.data<T>(),
        y.mutable_data<T>());
  };
  if constexpr (IntegerTable::kHas<F>)
    if (a.dtype() == DType::int64) {
      run.template operator()<std::int64_t>();
      return y;
    }
  visit_any_floating(name, a.dtype(), run);
  return y;
}

inline bool are_integers(const Var& a, const Var& b) {
  return !is_floating(a.dtype()) && !is_floating(b.dtype());
}

// Integers are taken as int64, whatever they are stored as.
template <template <class> class F>
Tensor compute_binary(const char* name, const Var& a, const Var& b) {
  const ErrorOp here(name);
  require(a.defined() && b.defined(), name, ": operand ", a.defined() ? "b" : "a", " is undefined");
  const auto shape = [&] { return broadcast_shape(name, a.shape(), b.shape()); };
  if constexpr (IntegerTable::kHas<F>)
    if (are_integers(a, b)) {
      const Var u = a.value().to(DType::int64), v = b.value().to(DType::int64);
      require_same_dtype(name, {{"a", &u}, {"b", &v}});  // the devices
      return compute_binary<F>(name, u.value(), v.value(), shape());
    }
  require_same_kind(name, {{"a", &a}, {"b", &b}});
  return compute_binary<F>(name, a.value(), b.value(), shape());
}

}  // namespace pliant
