#include <pliant/autograd/ops/pool2d.h>

#include <algorithm>
#include <limits>

#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/tests/cases/pool2d.h>

using namespace pliant;
using namespace pliant::test;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The definition, pixel by pixel.
double naive(const Tensor& x, const MaxPoolOptions& o, std::int64_t n, std::int64_t p,
             std::int64_t q, std::int64_t c) {
  double best = -kInfinity;
  for (std::int64_t r = 0; r < o.kernel.h; ++r)
    for (std::int64_t s = 0; s < o.kernel.w; ++s) {
      const Size2 stride = o.stride.value_or(o.kernel);
      const std::int64_t i = p * stride.h - o.padding.top + r * o.dilation.h;
      const std::int64_t j = q * stride.w - o.padding.left + s * o.dilation.w;
      if (i < 0 || i >= x.dim(1) || j < 0 || j >= x.dim(2)) continue;
      best = std::max(best, x.data<double>()[((n * x.dim(1) + i) * x.dim(2) + j) * x.dim(3) + c]);
    }
  return best;
}

}  // namespace

TEST_CASE("pooling: gradients, threads") { check(pool2d_cases()); }

TEST_CASE("max_pool2d: values against the definition") {
  for (const MaxPoolCase& c : max_pool2d_shapes()) {
    const Tensor x = shuffled(c.x, 1);
    const Tensor y = max_pool2d(x, c.options).value();
    REQUIRE(y.shape() == Shape{c.x[0], c.p, c.q, c.x[3]});
    const double* got = y.data<double>();
    for (std::int64_t n = 0; n < c.x[0]; ++n)
      for (std::int64_t p = 0; p < c.p; ++p)
        for (std::int64_t q = 0; q < c.q; ++q)
          for (std::int64_t j = 0; j < c.x[3]; ++j)
            CHECK(*got++ == naive(x, c.options, n, p, q, j));
  }
}

TEST_CASE("pooling: a number is the kernel's side") {
  const Tensor x = random({2, 6, 7, 3}, 1);
  CHECK(max_pool2d(x, 3).value().to_vector() == max_pool2d(x, {.kernel = 3}).value().to_vector());
  CHECK(avg_pool2d(x, std::int64_t{2}).value().to_vector() == avg_pool2d(x).value().to_vector());
  CHECK(max_pool2d(x, {}).shape() == Shape{2, 3, 3, 3});
}

TEST_CASE("max_pool2d: the first largest pixel gets the gradient, NaN is largest") {
  const auto gradient = [](const std::vector<double>& values, const MaxPoolOptions& options) {
    const Tape tape;
    const Var x = tape.variable(Tensor::from(values, {1, 2, 2, 1}));
    const Var y = max_pool2d(x, options);
    return tape.gradients(y, {}, {.cotangent = Tensor::full(y.shape(), 1.0, y.dtype())})[x]
        .to_vector();
  };
  using Values = std::vector<double>;
  const double nan = std::nan("");
  CHECK(gradient({1, 3, 3, 3}, {}) == Values{0, 1, 0, 0});
  CHECK(gradient({1, nan, 5, nan}, {}) == Values{0, 1, 0, 0});
  CHECK(gradient({-kInfinity, -kInfinity, -kInfinity, -kInfinity}, {}) == Values{1, 0, 0, 0});
  CHECK(std::isnan(max_pool2d(Tensor::from({1.0, nan, 5.0, 2.0}, {1, 2, 2, 1})).value().item()));
  // With dilation a window can miss the map: no pixel, no gradient.
  const MaxPoolOptions sparse = {.kernel = 2, .stride = 1, .padding = 1, .dilation = 2};
  CHECK(max_pool2d(Tensor::full({1, 1, 1, 1}, 7.0), sparse).value().item() == -kInfinity);
  CHECK(gradient({1, 2, 3, 4}, sparse) == Values{1, 1, 1, 1});
}

TEST_CASE("max_pool2d: all that went in comes out, of short and long windows") {
  for (const OpCase& op : large_max_pool2d_cases()) {
    const std::vector<Tensor> one = run(op, DType::float32);
    // Every dy arrives somewhere.
    double sum_dx = 0, sum_dy = 0;
    for (const double v : one[1].to_vector()) sum_dx += v;
    for (const double v : random(one[0].shape(), 99, 0.5, 1.5, DType::float32).to_vector())
      sum_dy += v;
    CHECK(sum_dx == doctest::Approx(sum_dy).epsilon(1e-6));
  }
}

TEST_CASE("max_pool2d: bad arguments") {
  const Var x(random({1, 4, 5, 2}, 3));
  const auto error = [&](const MaxPoolOptions& options) {
    return error_of([&] { max_pool2d(x, options); });
  };
  CHECK(error_of([] {
          max_pool2d(random({4, 5, 2}, 3));
        }) == "max_pool2d: the input has shape [4 5 2], expected [N H W C]");
  CHECK(contains(error_of([] {
                   max_pool2d(Tensor::zeros({1, 2, 2, 1}, DType::int64));
                 }),
                 "max_pool2d: needs floating tensors, got int64"));
  CHECK(error_of([] {
          max_pool2d(Tensor::zeros({1, 0, 2, 1}));
        }) == "max_pool2d: the input [1 0 2 1] has no pixels");
  CHECK(error({.kernel = {2, 0}}) ==
        "max_pool2d: kernel 0, stride 0 and dilation 1 along W must be at least 1");
  CHECK(error({.kernel = 3, .padding = {0, 2, 0, 0}}) ==
        "max_pool2d: padding 0 and 2 along H must be from 0 to half the kernel (3)");
  CHECK(error({.kernel = 3, .padding = {0, 0, -1, 0}}) ==
        "max_pool2d: padding -1 and 0 along W must be from 0 to half the kernel (3)");
  CHECK(error({.kernel = 3, .padding = {1, 0}, .dilation = 3}) ==
        "max_pool2d: a window of 3 taps with dilation 3 does not fit along H into [1 4 5 2] padded "
        "by 1 and 1");
}

TEST_CASE("global_avg_pool2d") {
  const Tensor x = Tensor::from({1.0, 10.0, 3.0, 20.0, 5.0, 60.0}, {1, 1, 3, 2});
  const Tensor y = global_avg_pool2d(x).value();
  CHECK(y.shape() == Shape{1, 2});
  CHECK(y.to_vector() == std::vector<double>{3, 30});
  CHECK(error_of([] {
          global_avg_pool2d(random({2, 3}, 5));
        }) == "global_avg_pool2d: the input has shape [2 3], expected [N H W C]");
  CHECK(error_of([] {
          global_avg_pool2d(random({2, 3, 0, 1}, 5));
        }) == "global_avg_pool2d: the input [2 3 0 1] has no pixels");
}

namespace {

// Mean over rows r0 .. r1-1 and columns s0 .. s1-1 that lie in the map; `count` divides the sum.
double naive_mean(const Tensor& x, std::int64_t n, std::int64_t c, std::int64_t r0, std::int64_t r1,
                  std::int64_t s0, std::int64_t s1, double count) {
  double sum = 0;
  for (std::int64_t i = std::max<std::int64_t>(0, r0); i < std::min(x.dim(1), r1); ++i)
    for (std::int64_t j = std::max<std::int64_t>(0, s0); j < std::min(x.dim(2), s1); ++j)
      sum += x.data<double>()[((n * x.dim(1) + i) * x.dim(2) + j) * x.dim(3) + c];
  return sum / count;
}

double naive_average(const Tensor& x, const AvgPoolOptions& o, std::int64_t n, std::int64_t p,
                     std::int64_t q, std::int64_t c) {
  const Size2 stride = o.stride.value_or(o.kernel);
  const std::int64_t r = p * stride.h - o.padding.top, s = q * stride.w - o.padding.left;
  std::int64_t pixels = 0;
  for (std::int64_t i = r; i < r + o.kernel.h; ++i)
    for (std::int64_t j = s; j < s + o.kernel.w; ++j) {
      const bool inside = i >= 0 && i < x.dim(1) && j >= 0 && j < x.dim(2);
      const bool padded = i < x.dim(1) + o.padding.bottom && j < x.dim(2) + o.padding.right;
      pixels += inside || (o.count_include_pad && padded);
    }
  return naive_mean(x, n, c, r, r + o.kernel.h, s, s + o.kernel.w, static_cast<double>(pixels));
}

// Calls f(n, p, q, c) for every element of a map.
template <class F>
void each_element(const Shape& shape, F f) {
  for (std::int64_t n = 0; n < shape[0]; ++n)
    for (std::int64_t p = 0; p < shape[1]; ++p)
      for (std::int64_t q = 0; q < shape[2]; ++q)
        for (std::int64_t c = 0; c < shape[3]; ++c) f(n, p, q, c);
}

}  // namespace

TEST_CASE("avg_pool2d: values against the definition") {
  for (AvgPoolCase c : avg_pool2d_shapes())
    for (const bool include : {true, false}) {
      c.options.count_include_pad = include;
      const Tensor x = random(c.x, 1), y = avg_pool2d(x, c.options).value();
      REQUIRE(y.shape() == Shape{c.x[0], c.p, c.q, c.x[3]});
      const double* got = y.data<double>();
      each_element(y.shape(), [&](auto n, auto p, auto q, auto j) {
        CHECK(*got++ == doctest::Approx(naive_average(x, c.options, n, p, q, j)).epsilon(1e-13));
      });
    }
}

TEST_CASE("adaptive_avg_pool2d: values against the definition") {
  for (const auto& one_case : adaptive_pool2d_shapes()) {
    const Shape& shape = one_case.first;
    const Size2 size = one_case.second;
    const Tensor x = random(shape, 1), y = adaptive_avg_pool2d(x, size).value();
    REQUIRE(y.shape() == Shape{shape[0], size.h, size.w, shape[3]});
    const double* got = y.data<double>();
    const auto begin = [](std::int64_t p, std::int64_t n, std::int64_t m) { return p * n / m; };
    const auto end = [](std::int64_t p, std::int64_t n, std::int64_t m) {
      return static_cast<std::int64_t>(
          std::ceil(static_cast<double>((p + 1) * n) / static_cast<double>(m)));
    };
    each_element(y.shape(), [&](auto n, auto p, auto q, auto c) {
      const auto r0 = begin(p, shape[1], size.h), r1 = end(p, shape[1], size.h);
      const auto s0 = begin(q, shape[2], size.w), s1 = end(q, shape[2], size.w);
      const double count = static_cast<double>((r1 - r0) * (s1 - s0));
      CHECK(*got++ == doctest::Approx(naive_mean(x, n, c, r0, r1, s0, s1, count)).epsilon(1e-13));
    });
  }
}

TEST_CASE("average pooling: bad arguments") {
  const Var x(random({1, 4, 5, 2}, 3));
  const auto error = [&](const AvgPoolOptions& options) {
    return error_of([&] { avg_pool2d(x, options); });
  };
  CHECK(error_of([] {
          avg_pool2d(random({4, 5, 2}, 3));
        }) == "avg_pool2d: the input has shape [4 5 2], expected [N H W C]");
  CHECK(error_of([] { avg_pool2d(Var()); }) == "avg_pool2d: the input is undefined");
  CHECK(contains(error_of([] {
                   avg_pool2d(Tensor::zeros({1, 2, 2, 1}, DType::int64));
                 }),
                 "avg_pool2d: needs floating tensors, got int64"));
  CHECK(error_of([] {
          avg_pool2d(Tensor::zeros({1, 2, 0, 1}));
        }) == "avg_pool2d: the input [1 2 0 1] has no pixels");
  CHECK(error({.kernel = {2, 3}, .stride = {1, 0}}) ==
        "avg_pool2d: kernel 3, stride 0 and dilation 1 along W must be at least 1");
  CHECK(error({.kernel = 3, .padding = {0, 2, 0, 0}}) ==
        "avg_pool2d: padding 0 and 2 along H must be from 0 to half the kernel (3)");
  CHECK(error({.kernel = 5}) ==
        "avg_pool2d: a window of 5 taps with dilation 1 does not fit along H into [1 4 5 2] padded "
        "by 0 and 0");
  CHECK(error_of([&] {
          adaptive_avg_pool2d(x, {2, 0});
        }) == "adaptive_avg_pool2d: the output size is 2 x 0, expected at least 1 x 1");
  CHECK(error_of([&] {
          adaptive_avg_pool2d(random({2, 3}, 5), 1);
        }) == "adaptive_avg_pool2d: the input has shape [2 3], expected [N H W C]");
  CHECK(error_of([&] {
          adaptive_avg_pool2d(random({2, 0, 3, 1}, 5), 1);
        }) == "adaptive_avg_pool2d: the input [2 0 3 1] has no pixels");
}

TEST_CASE("adaptive_max_pool2d: the largest of each bin, ties, NaN") {
  const Tensor x = random({2, 7, 5, 3}, 1), y = adaptive_max_pool2d(x, {3, 2}).value();
  for (std::int64_t n = 0; n < 2; ++n)
    for (std::int64_t p = 0; p < 3; ++p)
      for (std::int64_t q = 0; q < 2; ++q)
        for (std::int64_t c = 0; c < 3; ++c) {
          double most = -HUGE_VAL;
          for (std::int64_t i = p * 7 / 3; i < ((p + 1) * 7 + 2) / 3; ++i)
            for (std::int64_t j = q * 5 / 2; j < ((q + 1) * 5 + 1) / 2; ++j)
              most = std::max(most, x.data<double>()[((n * 7 + i) * 5 + j) * 3 + c]);
          CHECK(y.data<double>()[((n * 3 + p) * 2 + q) * 3 + c] == most);
        }
  CHECK(same_bits(adaptive_max_pool2d(x, {7, 5}).value(), x));
  const GradcheckResult twice = gradgradcheck(
      [](const Vars& v) { return exp(adaptive_max_pool2d(v[0], 2)); }, {random({1, 3, 4, 2}, 6)});
  CHECK_MESSAGE(twice.passed, twice.message);
  const Tape tape;
  const Var ties = tape.variable(Tensor::full({1, 2, 2, 1}, 4.0));
  CHECK(tape.gradients(sum(adaptive_max_pool2d(ties, 1)))[ties].to_vector() ==
        std::vector<double>{1, 0, 0, 0});
  const Tensor nan = Tensor::from({1.0, std::nan(""), 3.0, 2.0}, {1, 2, 2, 1});
  CHECK(std::isnan(adaptive_max_pool2d(nan, 1).value().item()));
  CHECK(adaptive_max_pool2d(x.to(DType::bfloat16), 1).dtype() == DType::bfloat16);
}

TEST_CASE("adaptive_max_pool2d: bad arguments") {
  CHECK(contains(error_of([] { adaptive_max_pool2d(Var(), 1); }), "the input is undefined"));
  CHECK(error_of([] {
          adaptive_max_pool2d(random({4, 4}, 1), 1);
        }) == "adaptive_max_pool2d: the input has shape [4 4], expected [N H W C]");
  CHECK(contains(error_of([] {
                   adaptive_max_pool2d(random({1, 4, 4, 1}, 1), {0, 1});
                 }),
                 "adaptive_max_pool2d: 0 x 1 bins"));
  CHECK(contains(error_of([] {
                   adaptive_max_pool2d(random({1, 0, 4, 1}, 1), 1);
                 }),
                 "has no pixels"));
}
