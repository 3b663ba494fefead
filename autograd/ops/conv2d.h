// 2-D convolution over NHWC maps.
#pragma once

#include <pliant/autograd/tape.h>

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

}  // namespace pliant
