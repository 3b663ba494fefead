#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include <pliant/core/column_memory.h>
#include <pliant/core/kernels/deform_conv.h>
#include <pliant/core/memory.h>
#include <pliant/core/parallel.h>

using namespace pliant;

namespace {

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
  Boundary boundary = Boundary::zero_pad;
};

DeformGeometry geometry(const Make& m) {
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
  g.boundary = m.boundary;
  return g;
}

// Offsets keep 0.05 away from integers, where the derivative jumps.
Arrays<double> random_arrays(const DeformGeometry& g, unsigned seed) {
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
double sample(const DeformGeometry& g, const Values& x, std::int64_t n, std::int64_t c, double y,
              double z) {
  const double h = static_cast<double>(g.conv.h), w = static_cast<double>(g.conv.w);
  if (g.boundary == Boundary::dcn_v1) {
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

Values naive_forward(const DeformGeometry& g, const Arrays<double>& a) {
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

struct Gradients {
  Values x, offset, mask, weight;
};

// Each term of the sum differentiated by itself; by the coordinates and x numerically.
Gradients naive_gradients(const DeformGeometry& g, const Arrays<double>& a) {
  const double step = 1e-5;
  Gradients d{Values(a.x.size()), Values(a.offset.size()), Values(a.offset.size() / 2),
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
  cpu::deform_conv_forward(g, a.x.data(), a.offset.data(), pointer(a.mask), a.weight.data(),
                           pointer(a.bias), out.y.data(), workspace);
  cpu::deform_conv_input_gradient(g, a.x.data(), a.offset.data(), pointer(a.mask), a.weight.data(),
                                  a.dy.data(), out.dx.data(), out.doffset.data(), out.dmask.data(),
                                  workspace);
  cpu::deform_conv_weight_gradient(g, a.x.data(), a.offset.data(), pointer(a.mask), a.dy.data(),
                                   out.dweight.data(), workspace);
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
void agree(const DeformGeometry& g, const Arrays<double>& a, const Values& y, const Gradients& d,
           double tolerance, double by_difference) {
  const Result<T> got = run(g, as<T>(a));
  close(got.y, y, tolerance);
  close(got.dx, d.x, tolerance);
  close(got.dweight, d.weight, tolerance);
  close(got.dmask, d.mask, tolerance);
  close(got.doffset, d.offset, by_difference);
}

template <class T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

template <class T>
void check_same(const Result<T>& a, const Result<T>& b) {
  CHECK(same(a.y, b.y));
  CHECK(same(a.dx, b.dx));
  CHECK(same(a.doffset, b.doffset));
  CHECK(same(a.dmask, b.dmask));
  CHECK(same(a.dweight, b.dweight));
}

// Bytes that `f` takes at most beside what is in use.
template <class F>
double peak_of(F&& f) {
  reset_memory_peak(Device::cpu());
  const std::int64_t before = memory_use(Device::cpu()).current;
  f();
  return static_cast<double>(memory_use(Device::cpu()).peak - before);
}

}  // namespace

TEST_CASE("deformable convolution and its gradients agree with the sum that defines them") {
  const std::vector<Make> cases = {
      {},
      {.n = 1, .h = 1, .w = 1, .c = 1, .k = 1, .kernel = 1, .padding = 0},
      {.n = 1, .h = 1, .w = 1, .c = 3, .k = 2},
      {.n = 3, .h = 7, .w = 5, .c = 4, .k = 6, .stride = 2, .padding = 2, .dilation = 2},
      {.c = 4, .k = 6, .groups = 2},
      {.c = 6, .k = 4, .groups = 2, .offset_groups = 3},
      {.c = 6, .k = 6, .groups = 6, .offset_groups = 2},
      {.c = 4, .k = 4, .offset_groups = 4},
      {.n = 1, .h = 3, .w = 4, .c = 70, .k = 3},                      // blocks of channels
      {.n = 1, .h = 3, .w = 3, .c = 72, .k = 2, .offset_groups = 2},  // blocks of groups
      {.n = 1, .h = 3, .w = 3, .c = 72, .k = 72, .groups = 72},       // depthwise blocks
      {.n = 2, .h = 2, .w = 3, .c = 80, .k = 4, .groups = 2},         // blocks of weight groups
      {.n = 2, .h = 3, .w = 3, .c = 6, .k = 37 * 2, .groups = 2},     // groups of many outputs
      {.n = 1, .h = 3, .w = 2, .c = 72, .k = 40, .groups = 2, .offset_groups = 3},
      {.n = 2, .h = 3, .w = 3, .c = 18, .k = 36, .groups = 18},  // two outputs a channel
      {.n = 7, .h = 4, .w = 3, .c = 5, .k = 7, .kernel = 2, .padding = 1},
      {.n = 11, .h = 3, .w = 3, .c = 21, .k = 2, .stride = 2},
  };
  unsigned seed = 0;
  for (Make make : cases)
    for (const Boundary boundary : {Boundary::zero_pad, Boundary::dcn_v1})
      for (const bool masked : {true, false}) {
        make.boundary = boundary;
        CAPTURE(seed);
        const DeformGeometry g = geometry(make);
        Arrays<double> a = random_arrays(g, seed++);
        if (!masked) a.mask.clear(), a.bias.clear();
        const Values y = naive_forward(g, a);
        const Gradients d = naive_gradients(g, a);
        agree<double>(g, a, y, d, 1e-11, 1e-8);
        agree<float>(g, a, y, d, 2e-5, 1e-4);
      }
}

TEST_CASE("zero offsets make a plain convolution, whole ones a shifted one, mask 0 the bias") {
  const DeformGeometry g = geometry({.n = 2, .h = 6, .w = 7, .c = 5, .k = 3, .stride = 2});
  const Conv2dGeometry& v = g.conv;
  Arrays<double> a = random_arrays(g, 1);
  for (const std::int64_t shift : {0, 1, -2}) {
    for (double& value : a.offset) value = static_cast<double>(shift);
    a.mask.clear();
    Values want(Sizes(g).y);
    for (std::int64_t i = 0; i < v.n * v.p * v.q * v.k; ++i) {
      const std::int64_t k = i % v.k, q = i / v.k % v.q, p = i / v.k / v.q % v.p;
      const std::int64_t n = i / v.k / v.q / v.p;
      double sum = a.bias[Sizes::size(k)];
      for (std::int64_t r = 0; r < v.r; ++r)
        for (std::int64_t s = 0; s < v.s; ++s) {
          const std::int64_t row = p * 2 - 1 + r + shift, column = q * 2 - 1 + s + shift;
          if (row < 0 || row >= v.h || column < 0 || column >= v.w) continue;
          for (std::int64_t c = 0; c < v.c; ++c)
            sum += a.x[Sizes::size(((n * v.h + row) * v.w + column) * v.c + c)] *
                   a.weight[Sizes::size(((k * v.r + r) * v.s + s) * v.c + c)];
        }
      want[Sizes::size(i)] = sum;
    }
    close(run(g, a).y, want, 1e-13);
  }
  a.mask.assign(Sizes(g).pairs, 0.0);
  const Result<double> got = run(g, a);
  for (std::size_t i = 0; i < got.y.size(); ++i) CHECK(got.y[i] == a.bias[i % 3]);
  for (const double value : got.dx) CHECK(value == 0);
}

TEST_CASE("deform_tap() is what the kernels sample") {
  const DeformGeometry g =
      geometry({.n = 1, .h = 6, .w = 5, .c = 1, .k = 1, .stride = 2, .padding = 2, .dilation = 2});
  Arrays<float> a = as<float>(random_arrays(g, 2));
  a.mask.clear(), a.bias.clear();
  std::vector<float> want(Sizes(g).y);
  for (std::int64_t row = 0; row < g.conv.p * g.conv.q; ++row)
    for (std::int64_t t = 0; t < 9; ++t) {
      const std::size_t pair = Sizes::size(deform_pair(g, row, 0, t));
      const BilinearTap<float> tap = deform_tap(g, row / g.conv.q, row % g.conv.q, t / 3, t % 3,
                                                a.offset[2 * pair], a.offset[2 * pair + 1]);
      for (int i = 0; i < 4; ++i)
        if (tap.pixel[i] >= 0)
          want[Sizes::size(row)] +=
              a.weight[Sizes::size(t)] * tap.weight[i] * a.x[Sizes::size(tap.pixel[i])];
    }
  close(run(g, a).y, Values(want.begin(), want.end()), 1e-6);
}

TEST_CASE("more taps than a batch of samples holds") {
  const DeformGeometry g = geometry(
      {.n = 1, .h = 3, .w = 3, .c = 2, .k = 1, .kernel = 12, .padding = 5, .offset_groups = 2});
  const Arrays<double> a = random_arrays(g, 4);
  agree<double>(g, a, naive_forward(g, a), naive_gradients(g, a), 1e-11, 1e-8);
}

TEST_CASE("an offset that starts at zero has the right-hand derivative") {
  DeformGeometry g = geometry({.n = 1, .h = 1, .w = 3, .c = 1, .k = 1, .kernel = 1, .padding = 0});
  Arrays<double> a{{2, 5, 11}, Values(6, 0.0), {}, {1}, {}, {1, 1, 1}};
  CHECK(run(g, a).doffset == Values{-2, 3, -5, 6, -11, -11});
  g.boundary = Boundary::dcn_v1;
  CHECK(run(g, a).doffset == Values{0, 3, 0, 6, 0, 0});
}

TEST_CASE("samples exactly on the edges and beyond, far away or nowhere") {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const Boundary boundary : {Boundary::zero_pad, Boundary::dcn_v1}) {
    const DeformGeometry g = geometry(
        {.n = 1, .h = 3, .w = 3, .c = 20, .k = 2, .kernel = 1, .padding = 0, .boundary = boundary});
    Arrays<double> a = random_arrays(g, 3);
    for (const double far : {-1.0, 3.0, 1e18, -1e18, 1e300, infinity, -infinity, std::nan("")})
      for (const std::size_t axis : {0u, 1u}) {
        a.offset.assign(18, 0.0);  // pixel (1, 1) looks elsewhere, all others at themselves
        a.offset[8 + axis] = far - 1;
        const Result<double> got = run(g, a);
        CAPTURE(far);
        CHECK(got.y[8] == a.bias[0]);
        CHECK(got.doffset[8] == 0);
        CHECK(got.doffset[9] == 0);
        CHECK(got.dmask[4] == 0);
        for (std::size_t c = 0; c < 20; ++c) CHECK(got.dx[80 + c] == 0);
        close(got.y, naive_forward(g, a), 1e-13);
        const Result<float> single = run(g, as<float>(a));
        CHECK(single.doffset[8] == 0);
        CHECK(single.y[8] == static_cast<float>(a.bias[0]));
      }
    for (const double edge : {0.0, 2.0}) {
      a.offset[8] = edge - 1;
      a.offset[9] = edge - 1;
      close(run(g, a).y, naive_forward(g, a), 1e-13);
    }
  }
}

TEST_CASE("an empty batch gives empty maps and a zero weight gradient") {
  const DeformGeometry g = geometry({.n = 0});
  const Result<float> got = run(g, as<float>(random_arrays(g, 5)));
  CHECK(got.y.empty());
  for (const float value : got.dweight) CHECK(value == 0);
}

TEST_CASE("each input gradient can be asked for alone and has the same bits") {
  const DeformGeometry g = geometry({.n = 2, .c = 70, .k = 5});
  const Arrays<float> a = as<float>(random_arrays(g, 6));
  const Result<float> all = run(g, a);
  Workspace workspace(Device::cpu());
  const auto gradient = [&](float* dx, float* doffset, float* dmask) {
    cpu::deform_conv_input_gradient(g, a.x.data(), a.offset.data(), a.mask.data(), a.weight.data(),
                                    a.dy.data(), dx, doffset, dmask, workspace);
  };
  Result<float> one{{},
                    std::vector<float>(all.dx.size()),
                    std::vector<float>(all.doffset.size()),
                    std::vector<float>(all.dmask.size()),
                    {}};
  gradient(one.dx.data(), nullptr, nullptr);
  gradient(nullptr, one.doffset.data(), nullptr);
  gradient(nullptr, nullptr, one.dmask.data());
  gradient(nullptr, nullptr, nullptr);
  CHECK(same(one.dx, all.dx));
  CHECK(same(one.doffset, all.doffset));
  CHECK(same(one.dmask, all.dmask));
}

TEST_CASE("the bits do not depend on the number of threads") {
  const int before = thread_count();
  for (const Make& make :
       std::vector<Make>{{.n = 1, .h = 21, .w = 19, .c = 100, .k = 33},
                         {.n = 13, .h = 9, .w = 11, .c = 24, .k = 20, .offset_groups = 2},
                         {.n = 3, .h = 16, .w = 16, .c = 36, .k = 36, .groups = 36},
                         {.n = 3, .h = 16, .w = 15, .c = 36, .k = 48, .groups = 2},
                         {.n = 3, .h = 13, .w = 16, .c = 40, .k = 30, .groups = 10}}) {
    const DeformGeometry g = geometry(make);
    const Arrays<float> a = as<float>(random_arrays(g, 7));
    set_thread_count(1);
    const Result<float> one = run(g, a);
    for (const int threads : {2, 3}) {
      set_thread_count(threads);
      const Result<float> many = run(g, a);
      check_same(one, many);
    }
  }
  set_thread_count(before);
}

TEST_CASE("a limit to the memory of the columns changes no bit") {
  for (const Make& make :
       std::vector<Make>{{.n = 7, .h = 9, .w = 11, .c = 20, .k = 17},
                         {.n = 3, .h = 16, .w = 13, .c = 36, .k = 36, .groups = 2},
                         {.n = 5, .h = 11, .w = 16, .c = 36, .k = 24, .groups = 12},
                         {.n = 2, .h = 16, .w = 16, .c = 19, .k = 19, .groups = 19}}) {
    const DeformGeometry g = geometry(make);
    const Arrays<float> a = as<float>(random_arrays(g, 8));
    const Result<float> free = run(g, a);
    for (const std::int64_t bytes : {1, 7'001, 50'000, 1'000'000, 100'000'000}) {
      set_column_memory(bytes);
      check_same(free, run(g, a));
    }
    set_column_memory(0);
  }
  CHECK_THROWS_WITH_AS(set_column_memory(-1),
                       "set_column_memory: expected a number of bytes, or 0 for the library's "
                       "choice, got -1",
                       Error);
}

TEST_CASE("columns take the memory that they may, to a tenth") {
  const DeformGeometry g = geometry({.n = 5, .h = 67, .w = 61, .c = 32, .k = 16});
  const Arrays<float> a = as<float>(random_arrays(g, 9));
  Result<float> out = run(g, a);
  const double weights = static_cast<double>(4 * a.weight.size());
  for (const std::int64_t bytes : {1'000'000, 4'000'000, 16'000'000}) {
    set_column_memory(bytes);
    const double limit = static_cast<double>(bytes);
    const double forward = peak_of([&] {
      Workspace workspace(Device::cpu());
      cpu::deform_conv_forward(g, a.x.data(), a.offset.data(), a.mask.data(), a.weight.data(),
                               nullptr, out.y.data(), workspace);
    });
    CHECK(forward >= 0.9 * limit);
    CHECK(forward <= 1.1 * limit);
    const double input = peak_of([&] {
      Workspace workspace(Device::cpu());
      cpu::deform_conv_input_gradient(g, a.x.data(), a.offset.data(), a.mask.data(),
                                      a.weight.data(), a.dy.data(), out.dx.data(), nullptr, nullptr,
                                      workspace);
    });
    CHECK(input <= 1.1 * limit);
    const double weight = peak_of([&] {
      Workspace workspace(Device::cpu());
      cpu::deform_conv_weight_gradient(g, a.x.data(), a.offset.data(), a.mask.data(), a.dy.data(),
                                       out.dweight.data(), workspace);
    });
    CHECK(weight <= 1.1 * limit + 16 * weights);  // and its partial sums
  }
  set_column_memory(0);
}
