// 2-D convolution over NHWC maps.
#pragma once

#include <pliant/autograd/tape.h>
#include <pliant/core/kernels/conv2d.h>

namespace pliant {

// A height and a width; one number stands for both.
struct Size2 {
  std::int64_t h = 1, w = 1;
  constexpr Size2(std::int64_t both) : h(both), w(both) {}  // NOLINT(google-explicit-constructor)
  constexpr Size2(std::int64_t height, std::int64_t width) : h(height), w(width) {}
  friend bool operator==(const Size2&, const Size2&) = default;
};

// Zeros around a map, in pixels; it may differ before and after.
struct Padding {
  std::int64_t top = 0, bottom = 0, left = 0, right = 0;
  constexpr Padding(std::int64_t all)  // NOLINT(google-explicit-constructor)
      : top(all), bottom(all), left(all), right(all) {}
  constexpr Padding(std::int64_t height, std::int64_t width)
      : top(height), bottom(height), left(width), right(width) {}
  constexpr Padding(std::int64_t t, std::int64_t b, std::int64_t l, std::int64_t r)
      : top(t), bottom(b), left(l), right(r) {}
  friend bool operator==(const Padding&, const Padding&) = default;
};

// No number of pixels may be above 2^31 - 1, here and in the other ops with windows.
struct ConvOptions {
  Size2 stride = 1;
  Padding padding = 0;
  Size2 dilation = 1;
  std::int64_t groups = 1;
};

// x [N H W C], weight [K R S C/groups], bias [K] or undefined -> [N P Q K] with
// P = floor((H + top + bottom - dilation*(R-1) - 1) / stride) + 1, the same for Q. Padding that
// asks for more than 2^40 multiplications is an Error.
Var conv2d(const Var& x, const Var& weight, const Var& bias = {}, const ConvOptions& options = {});

// What every convolution asks of its arguments, shapes as in conv2d; `op` begins the message of an
// Error.
void check_conv(const char* op, const Shape& x, const Shape& weight, const ConvOptions& options);

// The geometry of such a convolution, checked.
Conv2dGeometry conv_geometry(const char* op, const Shape& x, const Shape& weight,
                             const ConvOptions& options);

// The three passes of a convolution as ops, for ops that are made of them; arguments must fit the
// geometry. Each is linear in both of its operands and their gradients are one another, so that
// there are gradients of any order.
Var conv2d_pass(const char* op, const Conv2dGeometry& geometry, const Var& x, const Var& weight,
                const Var& bias = {});  // -> y
Var conv2d_data_gradient(const char* op, const Conv2dGeometry& geometry, const Var& dy,
                         const Var& weight);  // -> as x
Var conv2d_weight_gradient(const char* op, const Conv2dGeometry& geometry, const Var& x,
                           const Var& dy);  // -> as weight

}  // namespace pliant
