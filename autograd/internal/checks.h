// What the public ops check in common.
#pragma once

#include <initializer_list>
#include <string>

#include <pliant/autograd/var.h>
#include <pliant/core/sizes.h>
#include <pliant/core/text.h>

namespace pliant {

// An argument of an op, as messages call it.
struct Named {
  const char* name;
  const Var* var;
};

// What to do where a and b differ. A cast would leave the bytes of a picture 0 to 255.
inline constexpr const char* kBytesHint = "; to_float(x) makes 0 to 1 of a picture's bytes";
inline const char* conversion_hint(DType a, DType b) {
  const bool bytes = a == DType::uint8 || b == DType::uint8;
  return bytes && is_floating(a) != is_floating(b) ? kBytesHint : "; convert one with to(DType)";
}

// All defined Vars have one dtype and one device, else an Error that says which has what.
inline void require_same_dtype(const char* op, std::initializer_list<Named> vars) {
  const Named* first = nullptr;
  for (const Named& one : vars) {
    const auto& [name, var] = one;
    if (!var->defined()) continue;
    if (first == nullptr) first = &one;
    require(var->dtype() == first->var->dtype(), op, ": ", first->name, " is ", first->var->dtype(),
            " but ", name, " is ", var->dtype(),
            conversion_hint(first->var->dtype(), var->dtype()));
    require(var->device() == first->var->device(), op, ": mixes a tensor on ", first->var->device(),
            " with one on ", var->device(), ": ", first->name, " is on ", first->var->device());
  }
}
// Which is a floating one.
inline void require_same_kind(const char* op, std::initializer_list<Named> vars) {
  require_same_dtype(op, vars);
  for (const auto& [name, var] : vars)
    if (var->defined())
      require(is_floating(var->dtype()), op, ": needs floating tensors, got ", var->dtype(),
              var->dtype() == DType::uint8 ? kBytesHint : "");
}
inline void require_same_kind(const char* op, const Var& x) { require_same_kind(op, {{"x", &x}}); }

// Of ops that serve integers too: those of any width as int64, and what is floating as it is.
inline Tensor as_number(const Var& x) {
  return is_floating(x.dtype()) ? x.value() : x.value().to(DType::int64);
}
template <class F>
decltype(auto) visit_number(const char* op, DType dtype, F&& f) {
  if (dtype == DType::int64) return f.template operator()<std::int64_t>();
  return visit_floating(op, dtype, f);
}

// All defined Vars are of the dtype that x widens to (Wide) and on its device.
inline void require_wide_kind(const char* op, const Var& x, std::initializer_list<Named> vars) {
  const DType wide = wide_of(x.dtype());
  for (const auto& [name, var] : vars) {
    if (!var->defined()) continue;
    require(var->dtype() == wide, op, ": x is ", x.dtype(), " but ", name, " is ", var->dtype(),
            ", expected ", wide, "; convert it with to(DType)");
    require(var->device() == x.device(), op, ": mixes a tensor on ", x.device(), " with one on ",
            var->device(), ": x is on ", x.device());
  }
}

inline void require_rank(const char* op, const char* what, const Var& var, int rank,
                         const char* axes) {
  require(var.defined(), op, ": ", what, " is undefined");
  require(var.rank() == rank, op, ": ", what, " has shape ", var.shape(), ", expected ", axes);
}

// What to add to an Error about channels where the axes of x suggest why there are so many.
inline std::string layout_hint(const Shape& x, std::int64_t channels) {
  const bool swapped = x.rank() == 4 && x[1] == channels && x[3] != channels;
  return swapped ? text_from("; ", x, " looks like NCHW, maps are NHWC: permute(x, {0, 2, 3, 1})")
                 : "";
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
