// The kernels on regions against their rules, written out pixel by pixel.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <vector>

#include <pliant/core/kernels/deform_roi_pool.h>
#include <pliant/core/kernels/ps_roi_pool.h>
#include <pliant/core/kernels/roi_align.h>
#include <pliant/core/kernels/roi_pool.h>
#include <pliant/core/parallel.h>
#include <pliant/tests/same_bits.h>

using namespace pliant;
using test::same_bits;

namespace {

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

template <class T>
std::vector<T> uniform(std::int64_t count, unsigned seed, double low = -1, double high = 1) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> value(low, high);
  std::vector<T> values(size(count));
  for (T& v : values) v = static_cast<T>(value(random));
  return values;
}

// Regions of all sizes, partly outside the map.
template <class T>
std::vector<T> regions(const RoIGeometry& g, unsigned seed) {
  std::mt19937 random(seed);
  const double height = static_cast<double>(g.h) / g.scale,
               width = static_cast<double>(g.w) / g.scale;
  std::uniform_real_distribution<double> x(-0.3 * width, 1.2 * width),
      y(-0.3 * height, 1.2 * height);
  std::vector<T> rois(size(5 * g.r));
  for (std::int64_t r = 0; r < g.r; ++r) {
    T* const roi = rois.data() + 5 * r;
    roi[0] = static_cast<T>(static_cast<std::int64_t>(random()) % g.n);
    const double corners[4] = {x(random), y(random), x(random), y(random)};
    for (int i = 0; i < 2; ++i) {
      roi[1 + i] = static_cast<T>(std::fmin(corners[i], corners[i + 2]));
      roi[3 + i] = static_cast<T>(std::fmax(corners[i], corners[i + 2]));
    }
  }
  return rois;
}

// Everything that the kernels write, from every thread count the same bits.
template <class T>
struct Results {
  std::vector<T> y, dx, dtrans, dmask;
  bool operator==(const Results& other) const {
    return same_bits(y, other.y) && same_bits(dx, other.dx) && same_bits(dtrans, other.dtrans) &&
           same_bits(dmask, other.dmask);
  }
};

template <class T>
struct Inputs {
  std::vector<T> x, rois, trans, mask, dy;
};

template <class T>
Results<T> blank(const RoIGeometry& g) {
  const T rubbish = std::numeric_limits<T>::quiet_NaN();  // every element must be written
  return {std::vector<T>(size(g.r * g.p * g.q * g.k), rubbish),
          std::vector<T>(size(g.n * g.h * g.w * g.c), rubbish),
          {},
          {}};
}

template <class T>
Inputs<T> inputs(const RoIGeometry& g, std::int64_t trans = 0) {
  return {uniform<T>(g.n * g.h * g.w * g.c, 1), regions<T>(g, 2), uniform<T>(trans, 3),
          uniform<T>(g.r * g.p * g.q, 4), uniform<T>(g.r * g.p * g.q * g.k, 5)};
}

enum class Op { align, max, mean };

template <class T>
Results<T> run(Op op, const RoIGeometry& g, const Inputs<T>& in) {
  Results<T> out = blank<T>(g);
  Workspace workspace(Device::cpu());
  if (op == Op::align) {
    const RoIAlignGeometry align{g, 2, true};
    cpu::roi_align_forward(align, in.x.data(), in.rois.data(), out.y.data(), workspace);
    cpu::roi_align_gradient(align, in.rois.data(), in.dy.data(), out.dx.data(), workspace);
  } else if (op == Op::mean) {
    cpu::ps_roi_pool_forward(g, in.x.data(), in.rois.data(), out.y.data(), workspace);
    cpu::ps_roi_pool_gradient(g, in.rois.data(), in.dy.data(), out.dx.data(), workspace);
  } else {
    std::vector<std::int32_t> index(out.y.size(), -9);
    cpu::roi_pool_forward(g, in.x.data(), in.rois.data(), out.y.data(), index.data());
    cpu::roi_pool_gradient(g, in.rois.data(), index.data(), in.dy.data(), out.dx.data(), workspace);
  }
  return out;
}

template <class T>
Results<T> run(const DeformRoIPoolGeometry& g, const Inputs<T>& in) {
  Results<T> out = blank<T>(g.region);
  out.dtrans = out.dmask = {};
  out.dtrans.resize(in.trans.size(), std::numeric_limits<T>::quiet_NaN());
  out.dmask.resize(in.mask.size(), std::numeric_limits<T>::quiet_NaN());
  Workspace workspace(Device::cpu());
  cpu::deform_roi_pool_forward(g, in.x.data(), in.rois.data(), in.trans.data(), in.mask.data(),
                               out.y.data(), workspace);
  cpu::deform_roi_pool_gradient(g,
                                {.x = in.x.data(),
                                 .rois = in.rois.data(),
                                 .trans = in.trans.data(),
                                 .mask = in.mask.data(),
                                 .dy = in.dy.data(),
                                 .dx = out.dx.data(),
                                 .dtrans = out.dtrans.data(),
                                 .dmask = out.dmask.data()},
                                workspace);
  return out;
}

// One sample at (row, column) of a channel, clamped bilinear.
double clamped(const RoIGeometry& g, const std::vector<double>& x, std::int64_t image, double row,
               double column, std::int64_t channel) {
  row = std::fmin(std::fmax(row, 0), static_cast<double>(g.h - 1));
  column = std::fmin(std::fmax(column, 0), static_cast<double>(g.w - 1));
  double sum = 0;
  for (std::int64_t i = 0; i < g.h; ++i)
    for (std::int64_t j = 0; j < g.w; ++j)
      sum += std::fmax(0, 1 - std::fabs(row - static_cast<double>(i))) *
             std::fmax(0, 1 - std::fabs(column - static_cast<double>(j))) *
             x[size(((image * g.h + i) * g.w + j) * g.c + channel)];
  return sum;
}

// The rule of deformable pooling, for one result.
double deformed(const DeformRoIPoolGeometry& d, const Inputs<double>& in, std::int64_t r,
                std::int64_t i, std::int64_t j, std::int64_t o) {
  const RoIGeometry& g = d.region;
  const double* const roi = in.rois.data() + 5 * r;
  const double* const t = in.trans.data() + d.trans_at(r, i, j, o / (g.k / d.classes));
  double start[2], side[2];
  for (int axis = 0; axis < 2; ++axis) {  // x, y
    start[axis] = std::round(roi[1 + axis]) * g.scale - 0.5;
    side[axis] = std::fmax((std::round(roi[3 + axis]) + 1) * g.scale - 0.5 - start[axis], 0.1);
    start[axis] += t[axis] * d.trans_std * side[axis];
  }
  const double s = static_cast<double>(d.samples);
  double sum = 0, count = 0;
  for (std::int64_t a = 0; a < d.samples; ++a)
    for (std::int64_t b = 0; b < d.samples; ++b) {
      const double row = start[1] + (static_cast<double>(i) + static_cast<double>(a) / s) *
                                        side[1] / static_cast<double>(g.p);
      const double column = start[0] + (static_cast<double>(j) + static_cast<double>(b) / s) *
                                           side[0] / static_cast<double>(g.q);
      if (row < -0.5 || row > static_cast<double>(g.h) - 0.5) continue;
      if (column < -0.5 || column > static_cast<double>(g.w) - 0.5) continue;
      sum += clamped(g, in.x, static_cast<std::int64_t>(roi[0]), row, column,
                     o * g.groups() + g.group(i, j));
      count += 1;
    }
  return count > 0 ? sum / count * in.mask[size((r * g.p + i) * g.q + j)] : 0;
}

// Calls f(r, i, j, o) for every element of the result.
void each_result(
    const RoIGeometry& g,
    const std::function<void(std::int64_t, std::int64_t, std::int64_t, std::int64_t)>& f) {
  for (std::int64_t at = 0; at < g.r * g.p * g.q * g.k; ++at)
    f(at / g.k / g.q / g.p, at / g.k / g.q % g.p, at / g.k % g.q, at % g.k);
}

// Maps of few and of many channels, with few and with many regions: all the ways of reading.
const std::vector<RoIGeometry>& geometries() {
  static const std::vector<RoIGeometry> all = {
      {2, 7, 9, 3, 5, 3, 3, 3, 1, 1, 0.5},     {1, 13, 6, 101, 7, 2, 2, 101, 1, 1, 0.25},
      {2, 6, 7, 18, 11, 3, 3, 2, 3, 3, 0.5},   {3, 31, 37, 36, 2, 3, 3, 4, 3, 3, 0.5},
      {1, 5, 5, 280, 9, 2, 2, 70, 2, 2, 1},    {1, 1, 1, 1, 3, 2, 2, 1, 1, 1, 1},
      {1, 40, 44, 4, 1, 2, 2, 1, 2, 2, 0.125}, {3, 4, 5, 2, 0, 2, 2, 2, 1, 1, 1},
  };
  return all;
}

DeformRoIPoolGeometry deformable(const RoIGeometry& g) {
  return {g, g.p, g.k % 2 == 0 ? 2 : 1, 3, 0.3};
}

std::int64_t trans_size(const DeformRoIPoolGeometry& d) {
  return d.region.r * d.part * d.part * 2 * d.classes;
}

}  // namespace

TEST_CASE("regions: deformable pooling is what its rule says") {
  for (const RoIGeometry& g : geometries()) {
    const DeformRoIPoolGeometry d = deformable(g);
    const Inputs<double> in = inputs<double>(g, trans_size(d));
    const Results<double> got = run(d, in);
    each_result(g, [&](std::int64_t r, std::int64_t i, std::int64_t j, std::int64_t o) {
      CHECK(got.y[size(((r * g.p + i) * g.q + j) * g.k + o)] ==
            doctest::Approx(deformed(d, in, r, i, j, o)).epsilon(1e-10));
    });
  }
}

TEST_CASE("regions: RoIAlign and the position-sensitive mean are what their rules say") {
  for (const RoIGeometry& g : geometries()) {
    const Inputs<double> in = inputs<double>(g);
    const Results<double> align = run(Op::align, g, in), mean = run(Op::mean, g, in);
    each_result(g, [&](std::int64_t r, std::int64_t i, std::int64_t j, std::int64_t o) {
      const double* const roi = in.rois.data() + 5 * r;
      const auto image = static_cast<std::int64_t>(roi[0]);
      const std::int64_t channel = o * g.groups() + g.group(i, j);
      const auto sample = [&](int axis, std::int64_t bin, std::int64_t bins, int s) {
        const double side = (roi[axis + 2] - roi[axis]) * g.scale / static_cast<double>(bins);
        return roi[axis] * g.scale - 0.5 + (static_cast<double>(bin) + (s + 0.5) / 2) * side;
      };
      double sum = 0;
      for (int s = 0; s < 4; ++s) {
        const double row = sample(2, i, g.p, s / 2), column = sample(1, j, g.q, s % 2);
        if (row >= -1 && row <= static_cast<double>(g.h) && column >= -1 &&
            column <= static_cast<double>(g.w))
          sum += clamped(g, in.x, image, row, column, channel) / 4;
      }
      const std::size_t at = size(((r * g.p + i) * g.q + j) * g.k + o);
      CHECK(align.y[at] == doctest::Approx(sum).epsilon(1e-10));

      double total = 0, count = 0;
      const auto begins = [&](int axis, std::int64_t bin, std::int64_t bins, bool end) {
        const double start = std::round(roi[axis] * g.scale);
        const double side = std::fmax(std::round(roi[axis + 2] * g.scale) - start, 1);
        const double edge = static_cast<double>(bin) * side / static_cast<double>(bins);
        return start + (end ? std::ceil(edge) : std::floor(edge));
      };
      for (std::int64_t row = 0; row < g.h; ++row)
        for (std::int64_t column = 0; column < g.w; ++column) {
          const double y = static_cast<double>(row), x = static_cast<double>(column);
          if (y < begins(2, i, g.p, false) || y >= begins(2, i + 1, g.p, true)) continue;
          if (x < begins(1, j, g.q, false) || x >= begins(1, j + 1, g.q, true)) continue;
          total += in.x[size(((image * g.h + row) * g.w + column) * g.c + channel)];
          count += 1;
        }
      CHECK(mean.y[at] == doctest::Approx(count > 0 ? total / count : 0).epsilon(1e-10));
    });
  }
}

// The operators are linear in the map (the maximum where nothing changes place), so
// sum(dy * y) = sum(dx * x).
TEST_CASE("regions: gradients by the map are the transposed operators") {
  const auto agree = [](const std::vector<double>& a, const std::vector<double>& b,
                        const std::vector<double>& c, const std::vector<double>& d) {
    double left = 0, right = 0;
    for (std::size_t i = 0; i < a.size(); ++i) left += a[i] * b[i];
    for (std::size_t i = 0; i < c.size(); ++i) right += c[i] * d[i];
    CHECK(left == doctest::Approx(right).epsilon(1e-10));
  };
  for (const RoIGeometry& g : geometries()) {
    const DeformRoIPoolGeometry d = deformable(g);
    const Inputs<double> in = inputs<double>(g, trans_size(d));
    const Results<double> deform = run(d, in);
    agree(in.dy, deform.y, deform.dx, in.x);
    for (const Op op : {Op::align, Op::mean, Op::max}) {
      if (op == Op::max && g.groups() > 1) continue;
      const Results<double> got = run(op, g, in);
      agree(in.dy, got.y, got.dx, in.x);
    }
  }
}

TEST_CASE("regions: the same bits for any number of threads, and float32 close to float64") {
  const int before = thread_count();
  for (const RoIGeometry& g : geometries()) {
    const DeformRoIPoolGeometry d = deformable(g);
    const Inputs<float> in = inputs<float>(g, trans_size(d));
    const auto wide = [](const std::vector<float>& v) {
      return std::vector<double>(v.begin(), v.end());
    };
    set_thread_count(1);
    const Results<float> deform = run(d, in);
    const Results<double> exact = run(
        d, Inputs<double>{wide(in.x), wide(in.rois), wide(in.trans), wide(in.mask), wide(in.dy)});
    for (std::size_t i = 0; i < exact.dtrans.size(); ++i)
      CHECK(std::fabs(static_cast<double>(deform.dtrans[i]) - exact.dtrans[i]) < 1e-4);
    for (std::size_t i = 0; i < exact.dx.size(); ++i)
      CHECK(std::fabs(static_cast<double>(deform.dx[i]) - exact.dx[i]) < 1e-4);
    for (const int threads : {1, 2, 3, 7}) {
      set_thread_count(threads);
      CHECK(run(d, in) == deform);
    }
    for (const Op op : {Op::align, Op::mean, Op::max}) {
      if (op == Op::max && g.groups() > 1) continue;
      set_thread_count(1);
      const Results<float> once = run(op, g, in);
      for (const int threads : {2, 5}) {
        set_thread_count(threads);
        CHECK(run(op, g, in) == once);
      }
    }
  }
  set_thread_count(before);
}

TEST_CASE("regions: samples of vast regions are limited to the map") {
  for (const double first : {-1e18, -3.0, -0.5, 2.25, 8.0, 1e18})
    for (const double step : {1e-3, 0.7, 1.0, 1e6, 0.0, -0.25}) {
      const double count = step > 0.5 ? 1e15 : 4000;
      const BinSamples s = bin_samples(first, step, count, 9);
      CHECK(s.begin >= 0);
      CHECK(s.end - s.begin <= 10010);
      CHECK(static_cast<double>(s.end) <= count);
      for (const double at : {0.0, 1.0, 5.0, 3999.0}) {
        const double place = first + at * step;
        const auto i = static_cast<std::int64_t>(at);
        if (place >= -1 && place <= 9) CHECK((s.begin <= i && i < s.end));
      }
    }
  const double nan = std::nan(""), infinity = HUGE_VAL;
  CHECK(bin_samples(nan, 1, 4, 9).end == 0);
  CHECK(bin_samples(0, infinity, 4, 9).end == 0);
  CHECK(bin_samples(0, 1, nan, 9).end == 0);
  CHECK(bin_pixels(nan, 3, 0, 3, 9).end == 0);
  CHECK(bin_pixels(-1e300, 2e300, 1, 3, 9).begin == 0);
  CHECK(bin_pixels(-1e300, 2e300, 1, 3, 9).end == 9);
}
