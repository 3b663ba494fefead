#include <pliant/layers/group_norm.h>

#include <pliant/tests/cases/group_norm.h>

using namespace pliant;
using namespace pliant::test;

namespace {

// The definition, in float64.
std::vector<double> naive(const Tensor& x, std::int64_t groups, const Tensor& weight,
                          const Tensor& bias, double eps) {
  const std::int64_t n = x.dim(0), c = x.dim(-1), rows = x.size() / n / c, own = c / groups;
  const double* const from = x.data<double>();
  std::vector<double> y(static_cast<std::size_t>(x.size()));
  for (std::int64_t image = 0; image < n; ++image)
    for (std::int64_t group = 0; group < groups; ++group) {
      const auto each = [&](auto f) {
        for (std::int64_t i = 0; i < rows; ++i)
          for (std::int64_t j = group * own; j < (group + 1) * own; ++j)
            f((image * rows + i) * c + j, j);
      };
      const auto count = static_cast<double>(rows * own);
      double mean = 0, var = 0;
      each([&](std::int64_t at, std::int64_t) { mean += from[at] / count; });
      each([&](std::int64_t at, std::int64_t) {
        var += (from[at] - mean) * (from[at] - mean) / count;
      });
      each([&](std::int64_t at, std::int64_t j) {
        y[static_cast<std::size_t>(at)] =
            (from[at] - mean) / std::sqrt(var + eps) * weight.data<double>()[j] +
            bias.data<double>()[j];
      });
    }
  return y;
}

}  // namespace

TEST_CASE("group_norm: gradients, threads") { check(group_norm_cases()); }

TEST_CASE("group_norm: values against the definition") {
  for (const GroupNormCase& c : group_norm_shapes()) {
    CAPTURE(c.x);
    const std::int64_t channels = c.x.back();
    const Tensor x = random(c.x, 1), weight = random({channels}, 2), bias = random({channels}, 3);
    const Tensor want = Tensor::from(naive(x, c.groups, weight, bias, 1e-5), c.x);
    CHECK(max_difference(group_norm(x, c.groups, weight, bias).value(), want) < 1e-12);
  }
  CHECK(
      group_norm(Tensor::zeros({0, 3, 3, 4}), 2, Tensor::zeros({4}), Tensor::zeros({4})).shape() ==
      Shape{0, 3, 3, 4});
  const OpCase empty = group_norm_case({{0, 3, 3, 4}, 2}, -1, 1);
  CHECK(max_difference(run(empty, DType::float64)[2], random({4}, 1, 0, 0)) == 0);
}

TEST_CASE("group_norm: large maps and means far from 0") {
  for (const GroupNormCase& of : large_group_norm_shapes()) {
    const Shape& shape = of.x;
    const std::int64_t c = shape.back(), groups = of.groups;
    const Tensor x = random(shape, 1, 99, 101), weight = random({c}, 2), bias = random({c}, 3);
    const Tensor want = Tensor::from(naive(x, groups, weight, bias, 1e-5), shape);
    const auto f = [&](const Vars& v) { return group_norm(v[0], groups, v[1], v[2]); };
    CHECK(max_difference(f({x, weight, bias}).value(), want) < 1e-9);
    const Vars narrow = {x.to(DType::float32), weight.to(DType::float32), bias.to(DType::float32)};
    CHECK(max_difference(f(narrow).value(), want) < 1e-4);
  }
}

TEST_CASE("GroupNorm: starts as the bare normalisation, and learns") {
  GroupNorm layer(2, 4, {.eps = 1e-3});
  layer.initialise(Rng(1));
  const Tensor x = random({2, 3, 3, 4}, 1, -1, 1, DType::float32);
  const Tensor one = Tensor::full({4}, 1), none = Tensor::zeros({4});
  CHECK(max_difference(layer(x).value(), group_norm(x, 2, one, none, {.eps = 1e-3}).value()) == 0);
  const Tape tape;
  const Var y = layer(tape.input(x));
  const Gradients gradients =
      tape.gradients(y, {}, {.cotangent = random(y.shape(), 2, -1, 1, DType::float32)});
  for (const Parameter& parameter : layer.parameters())
    CHECK(max_difference(gradients[parameter], none) > 0.1);
}

TEST_CASE("group_norm: bad arguments") {
  const Tensor x = random({2, 3, 3, 4}, 1), w = random({4}, 2);
  CHECK(error_of([&] { group_norm(Var(), 2, w, w); }) == "group_norm: the input is undefined");
  CHECK(error_of([&] { group_norm(w, 2, w, w); }) ==
        "group_norm: the input has shape [4], expected [N ... C]");
  CHECK(error_of([&] { group_norm(x, 3, w, w); }) ==
        "group_norm: the 4 channels of [2 3 3 4] do not divide into 3 groups");
  CHECK(error_of([&] { group_norm(x, 0, w, w); }) ==
        "group_norm: the 4 channels of [2 3 3 4] do not divide into 0 groups");
  CHECK(error_of([&] { group_norm(x, 2, w, random({3}, 2)); }) ==
        "group_norm: weight [4] and bias [3] for 4 channels");
  CHECK(error_of([&] { group_norm(x, 2, x, w); }) ==
        "group_norm: the weight has shape [2 3 3 4], expected [C]");
  CHECK(error_of([&] { group_norm(x, 2, w, Var()); }) == "group_norm: the bias is undefined");
  CHECK(error_of([&] { group_norm(x, 2, w, Tensor::zeros({4})); }) ==
        "group_norm: x is float64 but bias is float32; convert one with to(DType)");
  CHECK(error_of([&] { group_norm(x, 2, w, w, {.eps = -1}); }) ==
        "group_norm: eps is -1, expected at least 0");
  CHECK(error_of([] { GroupNorm(3, 4); }) == "GroupNorm: 4 channels do not divide into 3 groups");
}
