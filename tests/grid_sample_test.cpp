#include <pliant/autograd/ops/grid_sample.h>

#include <algorithm>
#include <limits>

#include <pliant/tests/cases/grid_sample.h>

using namespace pliant;
using namespace pliant::test;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A place on one axis, mirrored one border at a time.
double mirrored(double at, double low, double high) {
  if (high <= low) return 0;
  while (at < low || at > high) at = at < low ? 2 * low - at : 2 * high - at;
  return at;
}

double place(const GridSampleOptions& o, double coordinate, std::int64_t size) {
  const auto n = static_cast<double>(size);
  const bool centres = o.span == GridSpan::centres;
  double at = centres ? (coordinate + 1) / 2 * (n - 1) : ((coordinate + 1) * n - 1) / 2;
  if (o.border == Border::reflection)
    at = centres ? mirrored(at, 0, n - 1) : mirrored(at, -0.5, n - 0.5);
  return o.border == Border::zeros ? at : std::clamp(at, 0.0, n - 1);
}

double pixel(const Tensor& x, std::int64_t n, double i, double j, std::int64_t c) {
  if (i < 0 || j < 0 || i >= static_cast<double>(x.dim(1)) || j >= static_cast<double>(x.dim(2)))
    return 0;
  const auto r = static_cast<std::int64_t>(i), s = static_cast<std::int64_t>(j);
  return x.data<double>()[((n * x.dim(1) + r) * x.dim(2) + s) * x.dim(3) + c];
}

double naive(const Tensor& x, const GridSampleOptions& o, std::int64_t n, double along_w,
             double along_h, std::int64_t c) {
  const double y = place(o, along_h, x.dim(1)), z = place(o, along_w, x.dim(2));
  if (o.rule == GridRule::nearest) return pixel(x, n, std::nearbyint(y), std::nearbyint(z), c);
  const double i = std::floor(y), j = std::floor(z), b = y - i, a = z - j;
  return (1 - b) * ((1 - a) * pixel(x, n, i, j, c) + a * pixel(x, n, i, j + 1, c)) +
         b * ((1 - a) * pixel(x, n, i + 1, j, c) + a * pixel(x, n, i + 1, j + 1, c));
}

}  // namespace

TEST_CASE("grid_sample: gradients, threads") { check(grid_sample_cases()); }

TEST_CASE("grid_sample: values against the definition") {
  for (const GridCase& c : grid_sample_shapes())
    for (const GridSampleOptions& options : grid_sample_options()) {
      const Tensor x = c.inputs()[0], grid = c.inputs()[1];
      const Tensor y = grid_sample(x, grid, options).value();
      REQUIRE(y.shape() == Shape{c.x[0], c.p, c.q, c.x[3]});
      const double* got = y.data<double>();
      const double* pair = grid.data<double>();
      for (std::int64_t n = 0; n < c.x[0]; ++n)
        for (std::int64_t i = 0; i < c.p * c.q; ++i, pair += 2)
          for (std::int64_t j = 0; j < c.x[3]; ++j)
            CHECK(*got++ ==
                  doctest::Approx(naive(x, options, n, pair[0], pair[1], j)).epsilon(1e-9));
    }
}

TEST_CASE("grid_sample: the grid that names every pixel gives the map") {
  const Tensor x = random({1, 3, 4, 2}, 1);
  std::vector<double> centres, edges;
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 4; ++j) {
      centres.insert(centres.end(), {2 * j / 3.0 - 1, 2 * i / 2.0 - 1});
      edges.insert(edges.end(), {(2 * j + 1) / 4.0 - 1, (2 * i + 1) / 3.0 - 1});
    }
  for (const Border border : {Border::zeros, Border::clamp, Border::reflection})
    for (const GridRule rule : {GridRule::bilinear, GridRule::nearest}) {
      const Tensor by_centres = Tensor::from(centres, {1, 3, 4, 2});
      const Tensor by_edges = Tensor::from(edges, {1, 3, 4, 2});
      CHECK(max_difference(grid_sample(x, by_centres, {rule, border, GridSpan::centres}).value(),
                           x) < 1e-12);
      CHECK(max_difference(grid_sample(x, by_edges, {rule, border, GridSpan::edges}).value(), x) <
            1e-12);
    }
}

TEST_CASE("grid_sample: places that are not finite, or very far away") {
  const Tensor x = random({1, 3, 4, 1}, 1, 1, 2);
  const double nan = std::nan("");
  for (const DType dtype : {DType::float32, DType::float64})
    for (const GridSampleOptions& options : grid_sample_options())
      for (const double far : {nan, kInfinity, -kInfinity, 1e30, -1e30}) {
        const Tape tape;
        const Var grid = tape.variable(Tensor::from({0.1, far}, {1, 1, 1, 2}).to(dtype));
        const Var y = grid_sample(tape.input(x.to(dtype)), grid, options);
        const double value = y.value().item();
        if (std::isnan(far) || options.border == Border::zeros ||
            (std::isinf(far) && options.border == Border::reflection))
          CHECK(value == 0);
        else
          CHECK(value >= 1);
        if (std::isfinite(far) && options.border == Border::reflection) continue;
        const Tensor gradient =
            tape.gradients(y, {}, {.cotangent = Tensor::full({1, 1, 1, 1}, 1, dtype)})[grid];
        CHECK(gradient.to_vector()[1] == 0);
        if (value == 0) CHECK(gradient.to_vector()[0] == 0);
      }
}

TEST_CASE("grid_sample: the end of a map whose side float32 does not hold") {
  constexpr std::int64_t kSide = (1 << 24) + 4;  // kSide - 1 is rounded up to kSide
  Tensor x = Tensor::zeros({1, 1, kSide, 1});
  x.mutable_data<float>()[kSide - 1] = 3;
  const Tensor end = Tensor::from<float>({1, 0}, {1, 1, 1, 2});
  for (const GridRule rule : {GridRule::bilinear, GridRule::nearest})
    for (const Border border : {Border::zeros, Border::clamp, Border::reflection}) {
      const Tape tape;
      const Var map = tape.variable(x);
      const Var y = grid_sample(map, end, {rule, border, GridSpan::centres});
      const Tensor dx = tape.gradients(y, {}, {.cotangent = Tensor::full({1, 1, 1, 1}, 2)})[map];
      const bool read = border != Border::zeros;  // there, what was rounded up is outside
      CHECK(y.value().item() == (read ? 3 : 0));
      CHECK(dx.data<float>()[kSide - 1] == (read ? 2 : 0));
    }
}

TEST_CASE("grid_sample: bad arguments") {
  const Tensor x = random({2, 3, 4, 2}, 1), grid = random({2, 5, 6, 2}, 2);
  CHECK(error_of([&] { grid_sample(Var(), grid); }) == "grid_sample: the input is undefined");
  CHECK(error_of([&] { grid_sample(x, Var()); }) == "grid_sample: the grid is undefined");
  CHECK(error_of([&] {
          grid_sample(random({3, 4, 2}, 1), grid);
        }) == "grid_sample: the input has shape [3 4 2], expected [N H W C]");
  CHECK(error_of([&] {
          grid_sample(x, random({5, 6, 2}, 1));
        }) == "grid_sample: the grid has shape [5 6 2], expected [N P Q 2]");
  CHECK(error_of([&] {
          grid_sample(x, random({1, 5, 6, 2}, 1));
        }) == "grid_sample: the grid has shape [1 5 6 2], expected [2 P Q 2] (input [2 3 4 2])");
  CHECK(error_of([&] {
          grid_sample(x, random({2, 5, 6, 3}, 1));
        }) == "grid_sample: the grid has shape [2 5 6 3], expected [2 P Q 2] (input [2 3 4 2])");
  CHECK(error_of([&] {
          grid_sample(random({2, 0, 4, 2}, 1), grid);
        }) == "grid_sample: the input [2 0 4 2] has no pixels");
  CHECK(error_of([&] { grid_sample(x, grid.to(DType::float32)); }) ==
        "grid_sample: x is float64 but grid is float32; convert one with to(DType)");
}
