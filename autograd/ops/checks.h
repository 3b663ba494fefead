// What the public ops check in common.
#pragma once

#include <initializer_list>

#include <pliant/autograd/var.h>
#include <pliant/core/sizes.h>

namespace pliant {

// All defined Vars have one floating dtype and one device, else an Error that names both.
inline void require_same_kind(const char* op, std::initializer_list<const Var*> vars) {
  const Var* first = nullptr;
  for (const Var* var : vars) {
    if (!var->defined()) continue;
    if (first == nullptr) first = var;
    require(is_floating(var->dtype()), op, ": needs floating tensors, got ", var->dtype());
    require(var->dtype() == first->dtype(), op, ": mixes ", first->dtype(), " and ", var->dtype());
    require(var->device() == first->device(), op, ": mixes a tensor on ", first->device(),
            " with one on ", var->device());
  }
}

// All defined Vars are of the dtype that x widens to (Wide) and on its device.
inline void require_wide_kind(const char* op, const Var& x,
                              std::initializer_list<const Var*> vars) {
  const DType wide = wide_of(x.dtype());
  for (const Var* var : vars) {
    if (!var->defined()) continue;
    require(var->dtype() == wide, op, ": mixes ", x.dtype(), " and ", var->dtype());
    require(var->device() == x.device(), op, ": mixes a tensor on ", x.device(), " with one on ",
            var->device());
  }
}

inline void require_rank(const char* op, const char* what, const Var& var, int rank,
                         const char* axes) {
  require(var.defined(), op, ": ", what, " is undefined");
  require(var.rank() == rank, op, ": ", what, " has shape ", var.shape(), ", expected ", axes);
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
