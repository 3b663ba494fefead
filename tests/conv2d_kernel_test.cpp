// The convolution kernels against loops that spell out the definition.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include <pliant/core/cpu/winograd.h>
#include <pliant/core/kernels/conv2d.h>
#include <pliant/core/parallel.h>
#include <pliant/core/random.h>
#include <pliant/tests/same_bits.h>

using namespace pliant;
using test::same_bits;

namespace {

template <class T>
std::vector<T> noise(std::int64_t count, std::uint64_t seed) {
  std::vector<T> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<T>(philox(seed, i, 0).word[0]) / T(2147483648.0) - T(1);
  return values;
}

struct Sizes {
  std::int64_t x, weight, y;
};

Sizes sizes(const Conv2dGeometry& g) {
  return {g.n * g.h * g.w * g.c, g.k * g.r * g.s * (g.c / g.groups), g.n * g.p * g.q * g.k};
}

// Calls f(index into x, into weight, into y) for every product of the definition.
template <class F>
void for_each_product(const Conv2dGeometry& g, F&& f) {
  const std::int64_t channels = g.c / g.groups, filters = g.k / g.groups;
  for (std::int64_t n = 0; n < g.n; ++n)
    for (std::int64_t p = 0; p < g.p; ++p)
      for (std::int64_t q = 0; q < g.q; ++q)
        for (std::int64_t k = 0; k < g.k; ++k)
          for (std::int64_t r = 0; r < g.r; ++r)
            for (std::int64_t s = 0; s < g.s; ++s) {
              const std::int64_t h = p * g.stride_h - g.pad_top + r * g.dilation_h;
              const std::int64_t w = q * g.stride_w - g.pad_left + s * g.dilation_w;
              if (h < 0 || h >= g.h || w < 0 || w >= g.w) continue;
              for (std::int64_t c = 0; c < channels; ++c)
                f(static_cast<std::size_t>(((n * g.h + h) * g.w + w) * g.c +
                                           k / filters * channels + c),
                  static_cast<std::size_t>(((k * g.r + r) * g.s + s) * channels + c),
                  static_cast<std::size_t>(((n * g.p + p) * g.q + q) * g.k + k));
            }
}

template <class T>
struct Results {
  std::vector<T> y, dx, dweight;
};

template <class T>
Results<T> by_kernels(const Conv2dGeometry& g, const std::vector<T>& x,
                      const std::vector<T>& weight, const T* bias, const std::vector<T>& dy) {
  const T unset = std::numeric_limits<T>::quiet_NaN();  // what a kernel forgets to write stands out
  Results<T> out{std::vector<T>(dy.size(), unset), std::vector<T>(x.size(), unset),
                 std::vector<T>(weight.size(), unset)};
  Workspace workspace(Device::cpu());
  cpu::conv2d_forward(g, x.data(), weight.data(), bias, out.y.data(), workspace);
  cpu::conv2d_data_gradient(g, dy.data(), weight.data(), out.dx.data(), workspace);
  cpu::conv2d_weight_gradient(g, x.data(), dy.data(), out.dweight.data(), workspace);
  return out;
}

template <class T>
void check_close(const char* what, const std::vector<T>& found, const std::vector<double>& expected,
                 const std::vector<double>& magnitude) {
  CAPTURE(what);
  REQUIRE(found.size() == expected.size());
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double tolerance = 8 * std::numeric_limits<T>::epsilon() * (magnitude[i] + 1e-3);
    if (!(std::abs(static_cast<double>(found[i]) - expected[i]) <= tolerance)) ++wrong;
  }
  CHECK(wrong == 0);
}

template <class T>
void check(const Conv2dGeometry& g) {
  const Sizes size = sizes(g);
  const auto x = noise<T>(size.x, 1), weight = noise<T>(size.weight, 2), dy = noise<T>(size.y, 3),
             bias = noise<T>(g.k, 4);
  const Results<T> found = by_kernels(g, x, weight, bias.data(), dy);
  std::vector<double> y(dy.size()), y_size(dy.size()), dx(x.size()), dx_size(x.size()),
      dw(weight.size()), dw_size(weight.size());
  for (std::size_t i = 0; i < y.size(); ++i)
    y_size[i] = std::abs(y[i] = bias[i % static_cast<std::size_t>(g.k)]);
  for_each_product(g, [&](std::size_t i, std::size_t j, std::size_t l) {
    const auto add = [](double& sum, double& magnitude, T a, T b) {
      sum += static_cast<double>(a) * static_cast<double>(b);
      magnitude += std::abs(static_cast<double>(a) * static_cast<double>(b));
    };
    add(y[l], y_size[l], x[i], weight[j]);
    add(dx[i], dx_size[i], dy[l], weight[j]);
    add(dw[j], dw_size[j], x[i], dy[l]);
  });
  check_close("y", found.y, y, y_size);
  check_close("dx", found.dx, dx, dx_size);
  check_close("dweight", found.dweight, dw, dw_size);
}

// Geometry with the output size that symmetrical or given padding implies.
struct Extra {
  std::int64_t stride = 1, pad = 0, dilation = 1, groups = 1, pad_after = -1;
};

Conv2dGeometry geometry(std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c,
                        std::int64_t k, std::int64_t r, std::int64_t s, Extra e = {}) {
  const std::int64_t after = e.pad_after < 0 ? e.pad : e.pad_after;
  const auto out = [&](std::int64_t in, std::int64_t taps) {
    return (in + e.pad + after - (taps - 1) * e.dilation - 1) / e.stride + 1;
  };
  Conv2dGeometry g{n, h, w, c, k, r, s, out(h, r), out(w, s)};
  g.stride_h = g.stride_w = e.stride;
  g.pad_top = g.pad_left = e.pad;
  g.dilation_h = g.dilation_w = e.dilation;
  g.groups = e.groups;
  return g;
}

std::string describe(const Conv2dGeometry& g) {
  std::ostringstream text;
  text << "x [" << g.n << " " << g.h << " " << g.w << " " << g.c << "] weight [" << g.k << " "
       << g.r << " " << g.s << "] stride " << g.stride_h << " pad " << g.pad_top << " dilation "
       << g.dilation_h << " groups " << g.groups;
  return text.str();
}

std::vector<Conv2dGeometry> cases() {
  std::vector<Conv2dGeometry> all{
      geometry(2, 7, 6, 16, 32, 3, 3, {.pad = 1}),
      geometry(3, 9, 8, 5, 7, 3, 3, {.stride = 2, .pad = 1}),
      geometry(2, 11, 10, 17, 19, 3, 2, {.stride = 3, .pad = 2}),
      geometry(1, 9, 12, 20, 33, 3, 3, {.pad = 2, .dilation = 2}),
      geometry(2, 10, 9, 18, 40, 3, 3, {.stride = 2, .pad = 3, .dilation = 3}),
      geometry(2, 6, 6, 12, 18, 3, 3, {.pad = 1, .groups = 3}),
      geometry(2, 7, 7, 9, 9, 3, 3, {.stride = 2, .pad = 1, .groups = 9}),
      // Depthwise: blocks of two vectors, one, and a part of one; kernels beyond the map; several
      // filters a channel.
      geometry(2, 9, 11, 37, 37, 3, 3, {.pad = 1, .groups = 37}),
      geometry(1, 8, 9, 51, 51, 5, 7, {.pad = 3, .groups = 51}),
      geometry(3, 5, 20, 16, 16, 3, 3, {.stride = 3, .pad = 1, .groups = 16}),
      geometry(2, 3, 2, 8, 8, 5, 5, {.pad = 4, .dilation = 2, .groups = 8}),
      geometry(2, 7, 8, 5, 15, 3, 2, {.stride = 2, .pad = 1, .groups = 5}),
      geometry(1, 6, 5, 20, 40, 1, 4, {.pad = 2, .groups = 20}),
      geometry(2, 9, 4, 3, 3, 2, 2, {.stride = 4, .groups = 3}),  // rows that no tap reads
      geometry(1, 3, 300, 33, 33, 3, 3, {.pad = 1, .groups = 33}),
      geometry(0, 6, 6, 4, 4, 3, 3, {.pad = 1, .groups = 4}),
      geometry(2, 8, 7, 6, 10, 3, 3, {.stride = 2, .pad = 0, .pad_after = 1}),
      geometry(2, 8, 7, 20, 10, 4, 3, {.pad = 2, .pad_after = 1}),
      geometry(2, 5, 5, 70, 130, 1, 1),
      geometry(2, 5, 5, 33, 24, 1, 1, {.stride = 2}),
      geometry(7, 5, 6, 1, 32, 3, 3, {.pad = 1}),
      geometry(5, 6, 5, 3, 27, 5, 5, {.stride = 2, .pad = 2}),
      geometry(1, 4, 4, 128, 27, 3, 3, {.pad = 1}),
      geometry(13, 3, 3, 1, 1, 3, 3),
      geometry(2, 3, 3, 2, 3, 1, 7, {.pad = 3}),
      geometry(2, 3, 4, 4, 5, 3, 3, {.stride = 5, .pad = 1}),  // input rows that no tap reads
      // Wider than a window of the weight gradient, whichever map it packs; several partial sums.
      geometry(1, 2, 300, 16, 70, 3, 3, {.pad = 1}),
      geometry(1, 5, 700, 72, 6, 3, 3, {.pad = 2, .dilation = 2}),
      geometry(1, 2, 1200, 3, 20, 3, 3, {.pad = 1}),
      geometry(3, 28, 28, 16, 20, 3, 3, {.pad = 1}),
      geometry(3, 27, 28, 2, 9, 3, 3, {.pad = 1}),
      geometry(0, 6, 6, 8, 4, 3, 3, {.pad = 1}),
      geometry(0, 6, 6, 1, 4, 3, 3, {.pad = 1}),
  };
  Conv2dGeometry uneven = geometry(2, 9, 8, 18, 21, 3, 2);  // everything differs by axis
  uneven.stride_h = 2;
  uneven.dilation_w = 3;
  uneven.pad_top = 2;
  uneven.pad_left = 1;
  uneven.p = 5;
  uneven.q = 7;
  all.push_back(uneven);
  return all;
}

// In float32 these go by fewer products (winograd.h): maps of odd size, whose last tiles stand
// half outside, all paddings, channels that are no whole vectors, several partial sums.
std::vector<Conv2dGeometry> winograd_cases() {
  return {geometry(2, 8, 10, 32, 48, 3, 3, {.pad = 1}),
          geometry(3, 7, 7, 40, 33, 3, 3, {.pad = 1}),
          geometry(1, 13, 12, 35, 37, 3, 3),
          geometry(2, 9, 10, 33, 32, 3, 3, {.pad = 2}),
          geometry(1, 8, 8, 32, 34, 3, 3, {.pad = 3}),
          geometry(2, 9, 8, 32, 32, 3, 3, {.pad = 0, .pad_after = 1}),
          geometry(2, 8, 9, 32, 67, 3, 3, {.pad = 1, .pad_after = 0}),
          geometry(9, 14, 13, 32, 32, 3, 3, {.pad = 1}),
          geometry(0, 6, 6, 32, 32, 3, 3, {.pad = 1})};
}

}  // namespace

TEST_CASE_TEMPLATE("conv2d kernels agree with the definition", T, float, double) {
  for (const Conv2dGeometry& g : cases()) {
    CAPTURE(describe(g));
    check<T>(g);
  }
}

TEST_CASE_TEMPLATE("conv2d by Winograd's products agrees with the definition", T, float, double) {
  for (const Conv2dGeometry& g : winograd_cases()) {
    CAPTURE(describe(g));
    CHECK(cpu::has_winograd(g));
    check<T>(g);
  }
}

// A tile of Winograd's products mixes all of its pixels.
TEST_CASE("conv2d: what is not finite reaches the results that depend on it, and no others") {
  const Conv2dGeometry g = geometry(2, 8, 10, 32, 48, 3, 3, {.pad = 1});
  REQUIRE(cpu::has_winograd(g));
  const Sizes size = sizes(g);
  const auto x = noise<float>(size.x, 1), weight = noise<float>(size.weight, 2),
             dy = noise<float>(size.y, 3);
  const Results<float> plain = by_kernels<float>(g, x, weight, nullptr, dy);
  for (const float strange : {std::numeric_limits<float>::infinity(), std::nanf(""), 3e38f}) {
    for (const auto& place_of : {std::pair{3, 4}, {0, 0}, {7, 9}}) {
      const int row = place_of.first, column = place_of.second;
      CAPTURE(strange);
      CAPTURE(row);
      const auto place = static_cast<std::size_t>((g.h + row) * g.w + column);  // of image 1
      std::vector<float> strange_x = x, strange_dy = dy;
      strange_x[place * 32 + 5] = strange_dy[place * 48 + 7] = strange;
      const Results<float> by_x = by_kernels<float>(g, strange_x, weight, nullptr, dy);
      const Results<float> by_dy = by_kernels<float>(g, x, weight, nullptr, strange_dy);
      const auto same_elsewhere = [&](const std::vector<float>& got, const std::vector<float>& want,
                                      std::int64_t channels) {
        bool same = true;
        for (std::size_t i = 0; i < got.size(); ++i) {
          const auto pixel = static_cast<std::int64_t>(i) / channels;
          const std::int64_t at_row = pixel / g.w - g.h, at_column = pixel % g.w;
          const bool near = std::abs(at_row - row) <= 1 && std::abs(at_column - column) <= 1;
          if (!near) same = same && std::abs(got[i] - want[i]) < 1e-4f;
        }
        return same;
      };
      CHECK(same_elsewhere(by_x.y, plain.y, g.k));
      CHECK(same_elsewhere(by_dy.dx, plain.dx, g.c));
      if (std::isfinite(strange)) continue;
      CHECK_FALSE(std::isfinite(by_x.y[place * 48]));
      CHECK_FALSE(std::isfinite(by_dy.dx[place * 32]));
      // Of a corner's pixel three taps of the filter never read.
      if (row == 0 && column == 0) {
        CHECK(std::isfinite(by_x.dweight[8 * 32 + 5]));
        CHECK_FALSE(std::isfinite(by_x.dweight[4 * 32 + 5]));
      }
    }
  }
}

TEST_CASE("conv2d: Winograd's products are for dense 3x3 filters on maps that hold many tiles") {
  const Extra pad{.pad = 1};
  CHECK(cpu::has_winograd(geometry(1, 14, 14, 32, 32, 3, 3, pad)));
  for (const Conv2dGeometry& g :
       {geometry(1, 14, 14, 31, 32, 3, 3, pad), geometry(1, 14, 14, 32, 31, 3, 3, pad),
        geometry(1, 5, 5, 32, 32, 3, 3, pad), geometry(1, 1, 64, 32, 32, 3, 3, pad),
        geometry(1, 14, 14, 32, 32, 3, 1, pad), geometry(1, 14, 14, 32, 32, 5, 5, pad),
        geometry(1, 14, 14, 32, 32, 3, 3, {.stride = 2, .pad = 1}),
        geometry(1, 14, 14, 32, 32, 3, 3, {.pad = 2, .dilation = 2}),
        geometry(1, 14, 14, 64, 64, 3, 3, {.pad = 1, .groups = 2})}) {
    CAPTURE(describe(g));
    CHECK_FALSE(cpu::has_winograd(g));
  }
}

TEST_CASE("conv2d's bias may be left out") {
  const Conv2dGeometry g = geometry(1, 3, 3, 2, 17, 3, 3, {.pad = 1});
  const Sizes size = sizes(g);
  const auto x = noise<float>(size.x, 1), weight = noise<float>(size.weight, 2),
             dy = noise<float>(size.y, 3);
  const std::vector<float> zero(17);
  CHECK(by_kernels<float>(g, x, weight, nullptr, dy).y ==
        by_kernels<float>(g, x, weight, zero.data(), dy).y);
}

TEST_CASE_TEMPLATE("conv2d has the same bits on any number of threads", T, float, double) {
  const int threads = thread_count();
  for (const Conv2dGeometry& g :
       {geometry(5, 14, 13, 32, 40, 3, 3, {.stride = 2, .pad = 1}),
        geometry(11, 12, 12, 1, 32, 3, 3, {.pad = 1}), geometry(3, 16, 16, 48, 64, 1, 1),
        geometry(5, 28, 27, 16, 32, 3, 3, {.pad = 1}), geometry(4, 28, 28, 64, 18, 3, 3),
        geometry(5, 14, 15, 32, 70, 3, 3, {.pad = 1}),
        geometry(5, 13, 14, 40, 40, 3, 3, {.pad = 1, .groups = 40}),
        geometry(7, 9, 14, 20, 60, 5, 5, {.stride = 2, .pad = 2, .groups = 20})}) {
    const Sizes size = sizes(g);
    const auto x = noise<T>(size.x, 1), weight = noise<T>(size.weight, 2), dy = noise<T>(size.y, 3),
               bias = noise<T>(g.k, 4);
    set_thread_count(1);
    const Results<T> one = by_kernels(g, x, weight, bias.data(), dy);
    for (int count : {2, 3}) {
      set_thread_count(count);
      const Results<T> many = by_kernels(g, x, weight, bias.data(), dy);
      CHECK(same_bits(one.y, many.y));
      CHECK(same_bits(one.dx, many.dx));
      CHECK(same_bits(one.dweight, many.dweight));
    }
  }
  set_thread_count(threads);
}

TEST_CASE("conv2d of a slice of the batch has the bits of the whole") {
  for (const Conv2dGeometry& whole : {geometry(7, 9, 9, 24, 40, 3, 3, {.stride = 2, .pad = 1}),
                                      geometry(7, 9, 9, 24, 24, 3, 3, {.pad = 1, .groups = 24}),
                                      geometry(7, 8, 9, 32, 40, 3, 3, {.pad = 1})}) {
    Conv2dGeometry last = whole;
    last.n = 1;
    const Sizes size = sizes(whole), part = sizes(last);
    const auto x = noise<float>(size.x, 1), weight = noise<float>(size.weight, 2),
               dy = noise<float>(size.y, 3), bias = noise<float>(whole.k, 4);
    const Results<float> all = by_kernels(whole, x, weight, bias.data(), dy);
    const Results<float> one =
        by_kernels(last, std::vector<float>(x.end() - part.x, x.end()), weight, bias.data(),
                   std::vector<float>(dy.end() - part.y, dy.end()));
    CHECK(one.y == std::vector<float>(all.y.end() - part.y, all.y.end()));
    CHECK(one.dx == std::vector<float>(all.dx.end() - part.x, all.dx.end()));
  }
}
