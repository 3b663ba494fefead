// What the public ops check in common.
#pragma once

#include <initializer_list>

#include <pliant/autograd/var.h>

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

inline void require_rank(const char* op, const char* what, const Var& var, int rank,
                         const char* axes) {
  require(var.defined(), op, ": ", what, " is undefined");
  require(var.rank() == rank, op, ": ", what, " has shape ", var.shape(), ", expected ", axes);
}

// The pointer of an optional tensor: null if it is undefined.
template <class T>
const T* data_or_null(const Tensor& tensor) {
  return tensor.defined() ? tensor.data<T>() : nullptr;
}

}  // namespace pliant
