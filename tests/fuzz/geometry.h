// Convolution-like geometry for the naive references, in integers that no option of 64 bits
// overflows.
#pragma once

#include <algorithm>

#include <pliant/autograd/ops/conv2d.h>
#include <pliant/tests/fuzz/reference.h>

namespace pliant::fuzz {

__extension__ typedef __int128 Wide;

// A convolution's options, mostly sensible.
inline ConvOptions conv_options(Input& in, std::int64_t groups) {
  ConvOptions o;
  o.stride = {in.attribute(1, 3), in.attribute(1, 2)};
  o.padding = in.coin() ? Padding(in.attribute(0, 2))
                        : Padding(in.attribute(0, 2), in.attribute(0, 2), in.attribute(0, 2),
                                  in.attribute(0, 2));
  o.dilation = {in.attribute(1, 2), in.attribute(1, 2)};
  o.groups = in.rarely(24) ? in.hostile() : groups;
  return o;
}

// Outputs along one axis.
inline std::int64_t outputs_along(std::int64_t size, std::int64_t before, std::int64_t after,
                                  std::int64_t kernel, std::int64_t dilation, std::int64_t stride) {
  const Wide span = Wide(dilation) * (kernel - 1) + 1;
  return static_cast<std::int64_t>((Wide(size) + before + after - span) / stride + 1);
}

// Where tap t of output o reads.
inline Wide place_of(std::int64_t o, std::int64_t stride, std::int64_t before, std::int64_t t,
                     std::int64_t dilation) {
  return Wide(o) * stride - before + Wide(t) * dilation;
}

inline bool in_map(Wide at, std::int64_t size) { return at >= 0 && at < size; }

// One axis of a bilinear sample: two pixels and their weights; -1: none.
struct Linear1 {
  std::int64_t low = -1, high = -1;
  double low_weight = 0, high_weight = 0;
};

enum class Outside : unsigned char { zeros, dcn_v1, clamp };

inline Linear1 linear_at(double at, std::int64_t size, Outside outside) {
  const double end = static_cast<double>(size);
  if (std::isnan(at)) return {};
  if (outside == Outside::zeros && !(at > -1 && at < end)) return {};
  if (outside == Outside::dcn_v1 && !(at >= 0 && at < end)) return {};
  if (outside != Outside::zeros) at = std::min(std::max(at, 0.0), end - 1);
  const double low = std::floor(at);
  Linear1 tap{static_cast<std::int64_t>(low), static_cast<std::int64_t>(low) + 1, 1 - (at - low),
              at - low};
  if (tap.high >= size) tap.high = -1;
  return tap;
}

// A sample of `value(row, column)`; its size counts what rounding of the coordinates may shift.
template <class F>
Sum sample(double y, double x, std::int64_t h, std::int64_t w, Outside outside, F&& value) {
  const Linear1 r = linear_at(y, h, outside), c = linear_at(x, w, outside);
  Sum sum;
  const auto add = [&](std::int64_t i, std::int64_t j, double weight) {
    if (i < 0 || j < 0) return;
    sum.add(weight * value(i, j));
    sum.size += std::abs(value(i, j)) * 4;
  };
  add(r.low, c.low, r.low_weight * c.low_weight);
  add(r.low, c.high, r.low_weight * c.high_weight);
  add(r.high, c.low, r.high_weight * c.low_weight);
  add(r.high, c.high, r.high_weight * c.high_weight);
  return sum;
}

}  // namespace pliant::fuzz
