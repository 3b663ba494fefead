// Reductions of the middle of three axes: x [outer reduced inner] -> y [outer inner].
#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

#include <pliant/core/bfloat16.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/takes_over.h>
#include <pliant/core/kernels/workspace.h>
#include <pliant/core/portable.h>

namespace pliant {

struct ReduceGeometry {
  std::int64_t outer = 1, reduced = 1, inner = 1;
  double divisor = 1;  // of a sum: rounded once, after the division
};

// What is held of elements T while they are reduced, the result of nothing, how an element joins
// what is held, and how two partial results become one. Sums are held in double: of float32, a
// million terms and more come out as the true sum rounded once.
struct SumOf {
  template <class T>
  using Held = double;
  template <class T>
  static constexpr T kOfNothing = T(0);
  template <class T>
  PLIANT_HD double of(T x) const {
    return static_cast<double>(x);
  }
  template <class T>
  PLIANT_HD T operator()(T held, T now) const {
    return held + now;
  }
};
struct SumOfSquares : SumOf {
  template <class T>
  PLIANT_HD double of(T x) const {
    return static_cast<double>(x) * static_cast<double>(x);
  }
};
struct SumOfIntegers {  // that wraps around
  template <class T>
  using Held = std::uint64_t;
  template <class T>
  static constexpr T kOfNothing = T(0);
  template <class T>
  PLIANT_HD std::uint64_t of(T x) const {
    return static_cast<std::uint64_t>(x);
  }
  PLIANT_HD std::uint64_t operator()(std::uint64_t held, std::uint64_t now) const {
    return held + now;
  }
};
// takes_over() for the values alone, without branches, so that loops vectorise.
struct MaxOf {  // NaN counts as largest
  template <class T>
  using Held = T;
  template <class T>
  PLIANT_HD T of(T x) const {
    return x;
  }
  template <class T>
  static constexpr T kOfNothing = std::is_integral_v<T> ? std::numeric_limits<T>::lowest()
                                                        : -std::numeric_limits<T>::infinity();
  template <class T>
  PLIANT_HD T operator()(T held, T now) const {
    return static_cast<bool>(int{held >= now} | int{held != held}) ? held : now;
  }
};
struct MinOf {  // NaN counts as smallest
  template <class T>
  using Held = T;
  template <class T>
  PLIANT_HD T of(T x) const {
    return x;
  }
  template <class T>
  static constexpr T kOfNothing = std::is_integral_v<T> ? std::numeric_limits<T>::max()
                                                        : std::numeric_limits<T>::infinity();
  template <class T>
  PLIANT_HD T operator()(T held, T now) const {
    return static_cast<bool>(int{held <= now} | int{held != held}) ? held : now;
  }
};

// What is held, as the result.
template <class To>
PLIANT_HD To reduced(double held, double divisor) {
  return static_cast<To>(held / divisor);
}
template <class To>
PLIANT_HD To reduced(float held, double) {  // of an extreme
  return held;
}
template <class To>
PLIANT_HD To reduced(std::int64_t held, double) {
  return held;
}
template <class To>
PLIANT_HD To reduced(std::uint64_t held, double) {  // of a sum of integers
  return static_cast<To>(held);
}

template <class T, class To = Wide<T>>
using Reduction = void(const ReduceGeometry&, const T* x, To* y, Workspace&);
// Index of the first largest element; NaN counts as largest. Needs reduced >= 1.
template <class T>
using ArgmaxForward = void(const ReduceGeometry&, const T* x, std::int64_t* index);

// Between the axes of one sum, nothing is rounded to float32.
using SumKernel =
    Kernel<Reduction<float>, Reduction<double>, Reduction<BFloat16>, Reduction<float, double>,
           Reduction<BFloat16, double>, Reduction<double, float>, Reduction<std::int64_t>>;
using ExtremeKernel = Kernel<Reduction<float>, Reduction<double>, Reduction<std::int64_t>>;
using SumOfSquaresKernel = Kernel<Reduction<float, double>, Reduction<double>>;

namespace cpu {
extern SumKernel sum_forward;
extern ExtremeKernel max_forward;
extern ExtremeKernel min_forward;
extern SumOfSquaresKernel sum_of_squares_forward;
extern NumberKernel<ArgmaxForward> argmax_forward;
}  // namespace cpu

namespace cuda {
extern SumKernel sum_forward;
extern ExtremeKernel max_forward;
extern ExtremeKernel min_forward;
extern SumOfSquaresKernel sum_of_squares_forward;
extern NumberKernel<ArgmaxForward> argmax_forward;
}  // namespace cuda

}  // namespace pliant
