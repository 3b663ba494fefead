#include <pliant/layers/upsample.h>

#include <algorithm>

#include <pliant/autograd/ops/elementary.h>
#include <pliant/core/kernels/resample.h>
#include <pliant/tests/cases/upsample.h>

using namespace pliant;
using namespace pliant::test;

namespace {

double at(const Tensor& x, std::int64_t n, std::int64_t i, std::int64_t j, std::int64_t c) {
  i = std::clamp<std::int64_t>(i, 0, x.dim(1) - 1);
  j = std::clamp<std::int64_t>(j, 0, x.dim(2) - 1);
  return x.data<double>()[((n * x.dim(1) + i) * x.dim(2) + j) * x.dim(3) + c];
}

// Where row (column) p of m reads n rows, by the definition; step is pixels of x a pixel of y.
double place(const UpsampleOptions& o, std::int64_t p, std::int64_t n, std::int64_t m,
             double step) {
  const auto out = static_cast<double>(p), size = static_cast<double>(n);
  if (o.mode == UpsampleMode::nearest) return std::floor(out * step + 1e-9);
  if (o.align_corners) return m == 1 ? 0 : out * (size - 1) / static_cast<double>(m - 1);
  return std::clamp((out + 0.5) * step - 0.5, 0.0, size - 1);
}

double naive(const Tensor& x, std::int64_t n, double y, double z, std::int64_t c) {
  const double i = std::floor(y), j = std::floor(z), b = y - i, a = z - j;
  const auto r = static_cast<std::int64_t>(i), s = static_cast<std::int64_t>(j);
  return (1 - b) * ((1 - a) * at(x, n, r, s, c) + a * at(x, n, r, s + 1, c)) +
         b * ((1 - a) * at(x, n, r + 1, s, c) + a * at(x, n, r + 1, s + 1, c));
}

std::vector<double> resized_row(const std::vector<double>& row, const UpsampleOptions& options) {
  const Tensor x = Tensor::from(row, {1, 1, static_cast<std::int64_t>(row.size()), 1});
  return upsample2d(x, options).value().to_vector();
}

}  // namespace

TEST_CASE("upsample2d: gradients, threads") { check(upsample_cases()); }

TEST_CASE("upsample2d: values against the definition") {
  for (UpsampleCase c : upsample_shapes())
    for (const bool bilinear : {false, true})
      for (const bool corners : {false, true}) {
        c.options.mode = bilinear ? UpsampleMode::bilinear : UpsampleMode::nearest;
        c.options.align_corners = corners;
        const Tensor x = random(c.x, 1), y = upsample2d(x, c.options).value();
        REQUIRE(y.shape() == Shape{c.x[0], c.p, c.q, c.x[3]});
        const bool scaled = c.options.scale.h != 0;
        const double step_h =
            scaled ? 1 / c.options.scale.h : static_cast<double>(c.x[1]) / static_cast<double>(c.p);
        const double step_w =
            scaled ? 1 / c.options.scale.w : static_cast<double>(c.x[2]) / static_cast<double>(c.q);
        const double* got = y.data<double>();
        for (std::int64_t n = 0; n < c.x[0]; ++n)
          for (std::int64_t p = 0; p < c.p; ++p)
            for (std::int64_t q = 0; q < c.q; ++q)
              for (std::int64_t j = 0; j < c.x[3]; ++j)
                CHECK(*got++ ==
                      doctest::Approx(naive(x, n, place(c.options, p, c.x[1], c.p, step_h),
                                            place(c.options, q, c.x[2], c.q, step_w), j))
                          .epsilon(1e-12));
      }
}

TEST_CASE("upsample2d: nearest of every size reads the pixel of the exact quotient") {
  std::int64_t wrong = 0;
  for (std::int64_t n = 1; n <= 70; ++n)
    for (std::int64_t m = 1; m <= 70; ++m) {
      const ResampleAxis axis{.rule = ResampleRule::nearest,
                              .size = n,
                              .out = m,
                              .step = static_cast<double>(n),
                              .per = static_cast<double>(m)};
      for (std::int64_t p = 0; p < m; ++p) wrong += resample_inputs(axis, p).begin != p * n / m;
    }
  CHECK(wrong == 0);
}

namespace {

// What each of the m outputs of nearest reads of n pixels in a row, by one scale.
std::vector<std::int64_t> read_by_scale(std::int64_t n, double scale) {
  Tensor x = Tensor::empty({1, 1, n, 1}, DType::float64);
  for (std::int64_t i = 0; i < n; ++i) x.mutable_data<double>()[i] = static_cast<double>(i);
  const Tensor y = upsample2d(x, {.scale = {1, scale}}).value();
  std::vector<std::int64_t> read;
  for (const double value : y.to_vector()) read.push_back(static_cast<std::int64_t>(value));
  return read;
}

}  // namespace

TEST_CASE("upsample2d: nearest by a scale reads the pixel of the scale as it is written") {
  CHECK(read_by_scale(32, 1.1)[33] == 30);
  CHECK(read_by_scale(64, 1.1)[66] == 60);
  CHECK(read_by_scale(32, 1.3)[39] == 30);
  CHECK(read_by_scale(10, 7.4)[37] == 5);
  std::int64_t wrong = 0;
  for (std::int64_t n = 1; n <= 48; ++n)
    for (std::int64_t hundredths = 3; hundredths <= 400; ++hundredths) {
      const double scale = static_cast<double>(hundredths) / 100;
      if (std::floor(static_cast<double>(n) * scale) < 1) continue;
      const std::vector<std::int64_t> read = read_by_scale(n, scale);
      const auto m = static_cast<std::int64_t>(read.size());
      for (std::int64_t p = 0; p < m; ++p) {
        const std::int64_t by_scale = std::min(p * 100 / hundredths, n - 1);
        const std::int64_t want = m == n ? p : m == 2 * n ? p / 2 : by_scale;
        wrong += read[static_cast<std::size_t>(p)] != want;
      }
    }
  CHECK(wrong == 0);
}

TEST_CASE("upsample2d: a scale that leaves the size, or doubles it, counts as the size") {
  const Tensor x = Tensor::from({1.25, 2.25}, {1, 1, 2, 1});
  const auto by = [&](double scale, UpsampleMode mode, bool corners = false) {
    return upsample2d(x, {.scale = {1, scale}, .mode = mode, .align_corners = corners})
        .value()
        .to_vector();
  };
  using Values = std::vector<double>;
  CHECK(by(1.1, UpsampleMode::nearest) == Values{1.25, 2.25});
  CHECK(by(2.3, UpsampleMode::nearest) == Values{1.25, 1.25, 2.25, 2.25});
  CHECK(by(1.1, UpsampleMode::bilinear) == Values{1.25, 2.25});
  CHECK(by(1.4, UpsampleMode::bilinear, true) == Values{1.25, 2.25});
  // Bilinear doubles by the scale given (PyTorch's numbers).
  const Values doubled = by(2.3, UpsampleMode::bilinear);
  REQUIRE(doubled.size() == 4);
  const double places[] = {0, 1.5 / 2.3 - 0.5, 2.5 / 2.3 - 0.5, 1};
  for (std::size_t i = 0; i < 4; ++i)
    CHECK(doubled[i] == doctest::Approx(1.25 + places[i]).epsilon(1e-14));
}

TEST_CASE("resampling: the runs of either direction belong to each other") {
  std::int64_t wrong = 0;
  for (const ResampleRule rule :
       {ResampleRule::average, ResampleRule::average_adaptive, ResampleRule::nearest,
        ResampleRule::linear_corners, ResampleRule::linear_centres})
    for (std::int64_t n = 3; n <= 12; ++n)
      for (std::int64_t m = 1; m <= 15; ++m) {
        ResampleAxis axis{.rule = rule, .size = n, .out = m, .kernel = 2, .stride = 3};
        if (rule == ResampleRule::average) axis.out = (n - 2) / 3 + 1;
        axis.step = static_cast<double>(rule == ResampleRule::linear_corners ? n - 1 : n);
        axis.per = static_cast<double>(m);
        for (std::int64_t i = 0; i < n; ++i)
          for (std::int64_t p = 0; p < axis.out; ++p) {
            const ResampleRun in = resample_inputs(axis, p), out = resample_outputs(axis, i);
            wrong += (in.begin <= i && i < in.end) != (out.begin <= p && p < out.end);
            wrong += in.begin < 0 || in.end > n || in.begin >= in.end;
          }
      }
  CHECK(wrong == 0);
}

TEST_CASE("Upsample: the layer") {
  const Tensor x = random({2, 3, 4, 5}, 1);
  CHECK(max_difference(Upsample({.scale = 2})(x).value(), upsample2d(x, {.scale = 2}).value()) ==
        0);
}

TEST_CASE("upsample2d: bad arguments") {
  const Tensor x = random({1, 3, 4, 2}, 1);
  const auto error = [&](const UpsampleOptions& o) { return error_of([&] { upsample2d(x, o); }); };
  CHECK(error_of([&] {
          upsample2d(random({3, 4, 2}, 1), {.scale = 2});
        }) == "upsample2d: the input has shape [3 4 2], expected [N H W C]");
  CHECK(error_of([&] { upsample2d(Var(), {.scale = 2}); }) == "upsample2d: the input is undefined");
  CHECK(error_of([&] {
          upsample2d(random({1, 0, 4, 2}, 1), {.scale = 2});
        }) == "upsample2d: the input [1 0 4 2] has no pixels");
  CHECK(error_of([&] {
          upsample2d(Tensor::zeros({1, 2, 2, 1}, DType::int64), {.scale = 2});
        }) == "upsample2d: needs floating tensors, got int64");
  CHECK(error({}) == "upsample2d: expected a size or a scale, got neither");
  CHECK(error({.size = 3, .scale = 2}) == "upsample2d: expected a size or a scale, got both");
  CHECK(error({.size = {3, 0}}) == "upsample2d: the size is 3 x 0, expected at least 1 x 1");
  CHECK(error({.scale = {2, -1}}) == "upsample2d: the scale is 2 x -1, expected above 0");
  CHECK(error({.scale = {0.3, 1}}) ==
        "upsample2d: a scale of 0.3 along H makes 3 pixels 0, expected at least 1");
  CHECK(contains(error({.size = 100000}), "a map of 100000 x 100000 pixels is too large"));
}

TEST_CASE("upsample2d: bicubic and antialiased results keep a constant, and the size as it is") {
  for (UpsampleOptions o : wide_upsample_rules())
    for (const std::int64_t size : {1, 2, 3, 5, 8, 17}) {
      o.size = {size, 4};
      const Tensor y = upsample2d(Tensor::full({1, 6, 5, 2}, 1.5, DType::float64), o).value();
      CHECK(max_difference(y, Tensor::full({1, size, 4, 2}, 1.5, DType::float64)) < 1e-12);
      o.size = {6, 5};
      const Tensor x = random({1, 6, 5, 2}, 1);
      CHECK(max_difference(upsample2d(x, o).value(), x) < 1e-12);
    }
}

TEST_CASE("upsample2d: bicubic, nearest_exact and antialiased, by hand") {
  CHECK(resized_row({1, 2, 3, 4, 5}, {.size = {1, 3}, .mode = UpsampleMode::nearest_exact}) ==
        std::vector<double>{1, 3, 5});
  CHECK(resized_row({1, 2, 3, 4, 5}, {.size = {1, 3}}) == std::vector<double>{1, 2, 4});
  // Half way between two pixels the weights are a/8, 1/2 - a/8, 1/2 - a/8, a/8, a = -0.75.
  const std::vector<double> cubic =
      resized_row({0, 0, 1, 0, 0, 0, 0},
                  {.size = {1, 13}, .mode = UpsampleMode::bicubic, .align_corners = true});
  const std::vector<double> want = {0, -0.09375, 0, 0.59375, 1, 0.59375, 0, -0.09375, 0};
  for (std::size_t i = 0; i < want.size(); ++i) CHECK(cubic[i] == doctest::Approx(want[i]));
  // Twice as small: a triangle over four pixels, weights 1, 3, 3, 1, cut at the borders.
  const std::vector<double> triangle = resized_row(
      {8, 0, 0, 0, 0, 8}, {.size = {1, 3}, .mode = UpsampleMode::bilinear, .antialias = true});
  CHECK(triangle[0] == doctest::Approx(8.0 * 3 / 7));
  CHECK(triangle[1] == doctest::Approx(0));
  CHECK(triangle[2] == doctest::Approx(8.0 * 3 / 7));
}

TEST_CASE("upsample2d: second derivatives of wider kernels") {
  for (const UpsampleOptions& rule : wide_upsample_rules())
    check_twice({"upsample2d",
                 [o = resized(rule, {2, 5})](const Vars& v) { return exp(upsample2d(v[0], o)); },
                 {random({1, 3, 4, 1}, 1)}});
}

TEST_CASE("upsample2d: a long filter is made at once") {
  const Tensor x = Tensor::full({1, 1, 1 << 20, 1}, 2.0F);
  const Var y = upsample2d(x, {.size = 1, .mode = UpsampleMode::bicubic, .antialias = true});
  CHECK(y.value().item() == doctest::Approx(2));
}

TEST_CASE("upsample2d: bad options of antialias") {
  const Tensor x = random({1, 4, 4, 1}, 1);
  const std::string message =
      "upsample2d: antialias is of bilinear and bicubic without align_corners";
  CHECK(error_of([&] { upsample2d(x, {.size = 2, .antialias = true}); }) == message);
  CHECK(
      error_of([&] {
        upsample2d(
            x,
            {.size = 2, .mode = UpsampleMode::bilinear, .align_corners = true, .antialias = true});
      }) == message);
}
