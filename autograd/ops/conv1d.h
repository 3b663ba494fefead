// 1-D convolution over sequences, channels last.
#pragma once

#include <cstdint>

#include <pliant/autograd/tape.h>

namespace pliant {

// Zeros before and after a sequence, in elements; one number stands for both.
struct Padding1 {
  std::int64_t before = 0, after = 0;
  constexpr Padding1(std::int64_t both)  // NOLINT(google-explicit-constructor)
      : before(both), after(both) {}
  constexpr Padding1(std::int64_t first, std::int64_t last) : before(first), after(last) {}
  friend bool operator==(const Padding1&, const Padding1&) = default;
};

struct Conv1dOptions {
  std::int64_t stride = 1;
  Padding1 padding = 0;
  std::int64_t dilation = 1;
  std::int64_t groups = 1;
};

// x [N L C], weight [K R C/groups], bias [K] or undefined -> [N P K] with
// P = floor((L + before + after - dilation*(R-1) - 1) / stride) + 1: conv2d of maps of one row, and
// its limits. PyTorch's weight is [K C/groups R]: permute it by {0, 2, 1}.
Var conv1d(const Var& x, const Var& weight, const Var& bias = {},
           const Conv1dOptions& options = {});

}  // namespace pliant
