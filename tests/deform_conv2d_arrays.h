// Deformable convolution on plain arrays: random ones, the sum that defines the operator, and a run
// of all its CPU kernels.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <pliant/core/kernels/deform_conv2d.h>
#include <pliant/tests/same_bits.h>

namespace pliant::test {

using Values = std::vector<double>;

template <class T>
struct Arrays {
  std::vector<T> x, offset, mask, weight, bias, dy;
};

struct Sizes {
  std::size_t x, pairs, weight, y;
  explicit Sizes(const DeformGeometry& g)
      : x(size(g.conv.n * g.conv.h * g.conv.w * g.conv.c)),
        pairs(size(g.conv.n * g.conv.p * g.conv.q * g.offset_groups * g.conv.r * g.conv.s)),
        weight(size(g.conv.k * g.conv.r * g.conv.s * (g.conv.c / g.conv.groups))),
        y(size(g.conv.n * g.conv.p * g.conv.q * g.conv.k)) {}
  static std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }
};

struct Make {
  std::int64_t n = 2, h = 5, w = 6, c = 3, k = 4, kernel = 3, stride = 1, padding = 1, dilation = 1;
  std::int64_t groups = 1, offset_groups = 1;
  Border border = Border::zeros;
};

inline DeformGeometry geometry(const Make& m) {
  DeformGeometry g;
  const std::int64_t reach = m.dilation * (m.kernel - 1) + 1;
  g.conv = {m.n,
            m.h,
            m.w,
            m.c,
            m.k,
            m.kernel,
            m.kernel,
            (m.h + 2 * m.padding - reach) / m.stride + 1,
            (m.w + 2 * m.padding - reach) / m.stride + 1};
  g.conv.stride_h = g.conv.stride_w = m.stride;
  g.conv.pad_top = g.conv.pad_left = m.padding;
  g.conv.dilation_h = g.conv.dilation_w = m.dilation;
  g.conv.groups = m.groups;
  g.offset_groups = m.offset_groups;
  g.border = m.border;
  return g;
}

// Offsets keep 0.05 away from integers, where the derivative jumps.
inline Arrays<double> random_arrays(const DeformGeometry& g, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(-1, 1), fraction(0.05, 0.95);
  std::uniform_int_distribution<int> whole(-3, 2);
  const Sizes sizes(g);
  Arrays<double> a;
  const auto fill = [&](Values& v, std::size_t size) {
    v.resize(size);
    for (double& value : v) value = uniform(random);
  };
  fill(a.x, sizes.x);
  fill(a.mask, sizes.pairs);
  fill(a.weight, sizes.weight);
  fill(a.bias, Sizes::size(g.conv.k));
  fill(a.dy, sizes.y);
  a.offset.resize(2 * sizes.pairs);
  for (double& value : a.offset) value = whole(random) + fraction(random);
  return a;
}

template <class T>
Arrays<T> as(const Arrays<double>& a) {
  const auto cast = [](const Values& v) { return std::vector<T>(v.begin(), v.end()); };
  return {cast(a.x), cast(a.offset), cast(a.mask), cast(a.weight), cast(a.bias), cast(a.dy)};
}

// Sample by the definition: hats over every pixel of the map.
inline double sample(const DeformGeometry& g, const Values& x, std::int64_t n, std::int64_t c,
                     double y, double z) {
  const double h = static_cast<double>(g.conv.h), w = static_cast<double>(g.conv.w);
  if (g.border == Border::dcn_v1) {
    if (!(y >= 0 && y < h && z >= 0 && z < w)) return 0;
    y = std::fmin(y, h - 1);
    z = std::fmin(z, w - 1);
  }
  if (!std::isfinite(y) || !std::isfinite(z)) return 0;
  double sum = 0;
  for (std::int64_t i = 0; i < g.conv.h; ++i)
    for (std::int64_t j = 0; j < g.conv.w; ++j)
      sum += std::fmax(0, 1 - std::fabs(y - static_cast<double>(i))) *
             std::fmax(0, 1 - std::fabs(z - static_cast<double>(j))) *
             x[Sizes::size(((n * g.conv.h + i) * g.conv.w + j) * g.conv.c + c)];
  return sum;
}

// Calls f(y index, x's channel, weight index, pair, row coordinate, column coordinate) for every
// term of the sum that defines the operator.
template <class F>
void for_each_term(const DeformGeometry& g, const Values& offset, F&& f) {
  const Conv2dGeometry& v = g.conv;
  const std::int64_t in = v.c / v.groups;
  for (std::int64_t n = 0; n < v.n; ++n)
    for (std::int64_t p = 0; p < v.p; ++p)
      for (std::int64_t q = 0; q < v.q; ++q)
        for (std::int64_t k = 0; k < v.k; ++k)
          for (std::int64_t r = 0; r < v.r; ++r)
            for (std::int64_t s = 0; s < v.s; ++s)
              for (std::int64_t c = 0; c < in; ++c) {
                const std::int64_t channel = k / (v.k / v.groups) * in + c;
                const std::int64_t group = channel / (v.c / g.offset_groups);
                const std::size_t pair = Sizes::size(
                    ((((n * v.p + p) * v.q + q) * g.offset_groups + group) * v.r + r) * v.s + s);
                f(n, Sizes::size(((n * v.p + p) * v.q + q) * v.k + k), channel,
                  Sizes::size(((k * v.r + r) * v.s + s) * in + c), pair,
                  static_cast<double>(p * v.stride_h - v.pad_top + r * v.dilation_h) +
                      offset[2 * pair],
                  static_cast<double>(q * v.stride_w - v.pad_left + s * v.dilation_w) +
                      offset[2 * pair + 1]);
              }
}

inline Values naive_forward(const DeformGeometry& g, const Arrays<double>& a) {
  Values y(Sizes(g).y);
  for (std::size_t i = 0; i < y.size(); ++i)
    y[i] = a.bias.empty() ? 0 : a.bias[i % Sizes::size(g.conv.k)];
  for_each_term(g, a.offset,
                [&](std::int64_t n, std::size_t out, std::int64_t c, std::size_t w,
                    std::size_t pair, double row, double column) {
                  y[out] += a.weight[w] * (a.mask.empty() ? 1 : a.mask[pair]) *
                            sample(g, a.x, n, c, row, column);
                });
  return y;
}

struct NaiveGradients {
  Values x, offset, mask, weight;
};

// Each term of the sum differentiated by itself; by the coordinates and x numerically.
inline NaiveGradients naive_gradients(const DeformGeometry& g, const Arrays<double>& a) {
  const double step = 1e-5;
  NaiveGradients d{Values(a.x.size()), Values(a.offset.size()), Values(a.offset.size() / 2),
                   Values(a.weight.size())};
  const std::size_t pixels = Sizes::size(g.conv.h * g.conv.w);
  Values hat(a.x.size());
  for_each_term(g, a.offset,
                [&](std::int64_t n, std::size_t out, std::int64_t c, std::size_t w,
                    std::size_t pair, double row, double column) {
                  const double mask = a.mask.empty() ? 1 : a.mask[pair];
                  const double value = sample(g, a.x, n, c, row, column);
                  d.weight[w] += a.dy[out] * mask * value;
                  d.mask[pair] += a.dy[out] * a.weight[w] * value;
                  const double scale = a.dy[out] * a.weight[w] * mask / (2 * step);
                  d.offset[2 * pair] += scale * (sample(g, a.x, n, c, row + step, column) -
                                                 sample(g, a.x, n, c, row - step, column));
                  d.offset[2 * pair + 1] += scale * (sample(g, a.x, n, c, row, column + step) -
                                                     sample(g, a.x, n, c, row, column - step));
                  for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
                    const std::size_t at =
                        (Sizes::size(n) * pixels + pixel) * Sizes::size(g.conv.c) + Sizes::size(c);
                    hat[at] = 1;
                    d.x[at] += a.dy[out] * a.weight[w] * mask * sample(g, hat, n, c, row, column);
                    hat[at] = 0;
                  }
                });
  return d;
}

template <class T>
struct Result {
  std::vector<T> y, dx, doffset, dmask, dweight;
};

template <class T>
const T* pointer(const std::vector<T>& v) {
  return v.empty() ? nullptr : v.data();
}

template <class T>
Result<T> run(const DeformGeometry& g, const Arrays<T>& a) {
  const Sizes sizes(g);
  const T rubbish = std::numeric_limits<T>::quiet_NaN();  // every element must be written
  Result<T> out{std::vector<T>(sizes.y, rubbish), std::vector<T>(sizes.x, rubbish),
                std::vector<T>(2 * sizes.pairs, rubbish), std::vector<T>(sizes.pairs, rubbish),
                std::vector<T>(sizes.weight, rubbish)};
  Workspace workspace(Device::cpu());
  cpu::deform_conv_forward(g,
                           {.x = a.x.data(),
                            .offset = a.offset.data(),
                            .mask = pointer(a.mask),
                            .weight = a.weight.data(),
                            .bias = pointer(a.bias),
                            .y = out.y.data()},
                           workspace);
  cpu::deform_conv_gradient(g,
                            {.x = a.x.data(),
                             .offset = a.offset.data(),
                             .mask = pointer(a.mask),
                             .weight = a.weight.data(),
                             .dy = a.dy.data(),
                             .dx = out.dx.data(),
                             .doffset = out.doffset.data(),
                             .dmask = out.dmask.data(),
                             .dweight = out.dweight.data()},
                            workspace);
  return out;
}

template <class T>
void close(const std::vector<T>& got, const Values& want, double tolerance) {
  REQUIRE(got.size() == want.size());
  double worst = 0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    const double error =
        std::fabs(static_cast<double>(got[i]) - want[i]) / (1 + std::fabs(want[i]));
    worst = error <= worst ? worst : error;  // NaN counts as worst
  }
  CHECK(worst <= tolerance);
}

template <class T>
void agree(const DeformGeometry& g, const Arrays<double>& a, const Values& y,
           const NaiveGradients& d, double tolerance, double by_difference) {
  const Result<T> got = run(g, as<T>(a));
  close(got.y, y, tolerance);
  close(got.dx, d.x, tolerance);
  close(got.dweight, d.weight, tolerance);
  close(got.dmask, d.mask, tolerance);
  close(got.doffset, d.offset, by_difference);
}

template <class T>
void check_same(const Result<T>& a, const Result<T>& b) {
  CHECK(same_bits(a.y, b.y));
  CHECK(same_bits(a.dx, b.dx));
  CHECK(same_bits(a.doffset, b.doffset));
  CHECK(same_bits(a.dmask, b.dmask));
  CHECK(same_bits(a.dweight, b.dweight));
}

}  // namespace pliant::test
