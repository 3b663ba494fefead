// What the public ops check in common.
#pragma once

#include <initializer_list>

#include <pliant/autograd/var.h>
#include <pliant/core/sizes.h>

namespace pliant {

// An argument of an op, as messages call it.
struct Named {
  const char* name;
  const Var* var;
};

// All defined Vars have one floating dtype and one device, else an Error that says which has what.
inline void require_same_kind(const char* op, std::initializer_list<Named> vars) {
  const Named* first = nullptr;
  for (const Named& one : vars) {
    const auto& [name, var] = one;
    if (!var->defined()) continue;
    if (first == nullptr) first = &one;
    require(is_floating(var->dtype()), op, ": needs floating tensors, got ", var->dtype());
    require(var->dtype() == first->var->dtype(), op, ": mixes ", first->var->dtype(), " and ",
            var->dtype(), ": ", first->name, " is ", first->var->dtype(), ", ", name, ' ',
            var->dtype());
    require(var->device() == first->var->device(), op, ": mixes a tensor on ", first->var->device(),
            " with one on ", var->device(), ": ", first->name, " is on ", first->var->device());
  }
}
inline void require_same_kind(const char* op, const Var& x) { require_same_kind(op, {{"x", &x}}); }

// All defined Vars are of the dtype that x widens to (Wide) and on its device.
inline void require_wide_kind(const char* op, const Var& x, std::initializer_list<Named> vars) {
  const DType wide = wide_of(x.dtype());
  for (const auto& [name, var] : vars) {
    if (!var->defined()) continue;
    require(var->dtype() == wide, op, ": mixes ", x.dtype(), " and ", var->dtype(), ": x is ",
            x.dtype(), ", ", name, ' ', var->dtype());
    require(var->device() == x.device(), op, ": mixes a tensor on ", x.device(), " with one on ",
            var->device(), ": x is on ", x.device());
  }
}

inline void require_rank(const char* op, const char* what, const Var& var, int rank,
                         const char* axes) {
  require(var.defined(), op, ": ", what, " is undefined");
  require(var.rank() == rank, op, ": ", what, " has shape ", var.shape(), ", expected ", axes);
}

// An optional argument, if it is there.
inline void require_shape_if(const char* op, const char* what, const Var& var,
                             const Shape& expected) {
  if (!var.defined()) return;
  require(var.shape() == expected, op, ": ", what, " has shape ", var.shape(), ", expected ",
          expected);
}

// What shares channels out among tasks and groups needs some.
inline void require_channels(const char* op, std::int64_t in, std::int64_t out) {
  require(in >= 1 && out >= 1, op, ": ", in, " input and ", out,
          " output channels, expected at least 1 of each");
}

// Bilinear taps count the pixels of a map in 32 bits.
inline void require_map_fits(const char* op, std::int64_t height, std::int64_t width) {
  require(width == 0 || height <= kMostPixels / width, op, ": a map of ", height, " x ", width,
          " pixels is too large; at most ", kMostPixels);
}

// Gradients by a result without elements are 0; those that are not wanted are undefined.
inline void make_zero(std::initializer_list<Tensor*> gradients) {
  for (Tensor* const gradient : gradients)
    if (gradient->defined()) gradient->fill(0);
}

// The pointer of an optional tensor: null if it is undefined.
template <class T>
const T* data_or_null(const Tensor& tensor) {
  return tensor.defined() ? tensor.data<T>() : nullptr;
}
template <class T>
T* mutable_or_null(Tensor& tensor) {
  return tensor.defined() ? tensor.mutable_data<T>() : nullptr;
}

}  // namespace pliant
