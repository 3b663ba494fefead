// Pooling over NHWC maps.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>

#include <pliant/autograd/ops/conv2d.h>

namespace pliant {

// What becomes of pixels at the end that fill no whole stride.
enum class Rounding : unsigned char {
  down,  // no window reads them
  up,    // one more window does, reaching past the padding, unless it would begin there (PyTorch's
         // ceil_mode); so there is always one, however much larger than the map
};

// How far a window moves; not given: its own size, so that windows lie side by side.
struct PoolStride : std::optional<Size2> {
  using std::optional<Size2>::optional;
  constexpr PoolStride() = default;
  constexpr PoolStride(std::int64_t height, std::int64_t width)
      : std::optional<Size2>(Size2(height, width)) {}
};

struct MaxPoolOptions {
  Size2 kernel = 2;
  PoolStride stride = {};  // not given: the kernel
  Padding padding = 0;     // of minus infinity; at most half the kernel
  Size2 dilation = 1;
  Rounding rounding = Rounding::down;
};

// x [N H W C] -> [N P Q C] with P = floor((H + top + bottom - dilation*(kernel-1) - 1) / stride) +
// 1, the same for Q; the gradient goes to the first largest pixel. NaN counts as largest. A window
// whose every tap lies in the padding (dilation can do that) gives minus infinity.
Var max_pool2d(const Var& x, const MaxPoolOptions& options = {});
template <std::integral Side>
Var max_pool2d(const Var& x, Side kernel) {
  return max_pool2d(x, MaxPoolOptions{.kernel = static_cast<std::int64_t>(kernel)});
}

struct AvgPoolOptions {
  Size2 kernel = 2;
  PoolStride stride = {};  // not given: the kernel
  Padding padding = 0;     // of zeros; at most half the kernel
  // true: the padding within a window counts as pixels. false: a sum is divided by the number of
  // pixels inside the map. What lies past the padding never counts.
  bool count_include_pad = true;
  Rounding rounding = Rounding::down;
};

// Mean of each window: x [N H W C] -> [N P Q C], P and Q as for max_pool2d with dilation 1.
Var avg_pool2d(const Var& x, const AvgPoolOptions& options = {});
template <std::integral Side>
Var avg_pool2d(const Var& x, Side kernel) {
  return avg_pool2d(x, AvgPoolOptions{.kernel = static_cast<std::int64_t>(kernel)});
}

// x [N H W C] -> [N P Q C], output = P x Q of any size from 1: row p is the mean of rows
// floor(p*H/P) to ceil((p+1)*H/P), the last not among them; columns alike (PyTorch's rule). Bins
// overlap where P does not divide H.
Var adaptive_avg_pool2d(const Var& x, Size2 output);

// The same with the largest pixel of each bin, first among equals; NaN counts as largest.
Var adaptive_max_pool2d(const Var& x, Size2 output);

// Mean over H and W, neither of which may be 0: x [N H W C] -> [N C].
Var global_avg_pool2d(const Var& x);

}  // namespace pliant
