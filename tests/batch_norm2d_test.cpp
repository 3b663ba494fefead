#include <pliant/autograd/ops/batch_norm2d.h>

#include <cmath>

#include <pliant/layers/batch_norm2d.h>
#include <pliant/tests/cases/batch_norm2d.h>

using namespace pliant;
using namespace pliant::test;

namespace {

BatchStatistics train(const Var& x, const Var& weight, const Var& bias) {
  const Tensor zeros = Tensor::zeros(weight.shape(), x.dtype());
  return batch_norm2d_training(x, weight, bias, zeros, zeros);
}

}  // namespace

TEST_CASE("batch_norm2d: gradients, threads, by either statistics") { check(batch_norm2d_cases()); }

TEST_CASE("batch_norm2d: values and new statistics against the formula") {
  for (const Shape& shape : {Shape{3, 5, 7, 3}, Shape{2, 31, 17, 24}, Shape{2, 1, 1, 700}}) {
    const std::int64_t c = shape.back(), rows = shape.size() / c;
    const std::vector<Tensor> in = batch_norm2d_inputs(shape);
    const Tensor old_mean = random({c}, 6), old_var = random({c}, 7, 0.5, 2.0);
    const BatchStatistics got = batch_norm2d_training(in[0], in[1], in[2], old_mean, old_var,
                                                      {.eps = 1e-3, .momentum = 0.25});
    const double* const x = in[0].data<double>();
    for (std::int64_t j = 0; j < c; ++j) {
      double mean = 0, m2 = 0;
      for (std::int64_t i = 0; i < rows; ++i) mean += x[i * c + j] / static_cast<double>(rows);
      for (std::int64_t i = 0; i < rows; ++i) m2 += std::pow(x[i * c + j] - mean, 2);
      const double rstd = 1 / std::sqrt(m2 / static_cast<double>(rows) + 1e-3);
      CHECK(got.running_mean.data<double>()[j] ==
            doctest::Approx(0.75 * old_mean.data<double>()[j] + 0.25 * mean).epsilon(1e-12));
      CHECK(got.running_var.data<double>()[j] ==
            doctest::Approx(0.75 * old_var.data<double>()[j] +
                            0.25 * m2 / static_cast<double>(rows - 1))
                .epsilon(1e-12));
      double worst = 0;
      for (std::int64_t i = 0; i < rows; ++i)
        worst = std::max(worst, std::abs(got.y.value().data<double>()[i * c + j] -
                                         (x[i * c + j] - mean) * rstd * in[1].data<double>()[j] -
                                         in[2].data<double>()[j]));
      CHECK(worst < 1e-12);
    }
  }
}

TEST_CASE("batch_norm2d: a mean far larger than the deviation, in float32") {
  const Shape shape{8, 40, 40, 3};
  Tensor x = random(shape, 8, 9999.0, 10001.0, DType::float32);
  for (const std::int64_t outlier : {0, 5}) {  // a first row unlike the others
    x.mutable_data<float>()[outlier] = 9000.0f;
    const Tensor ones = Tensor::full({3}, 1.0), zeros = Tensor::zeros({3});
    const BatchStatistics in_float = train(x, ones, zeros);
    const BatchStatistics in_double =
        train(x.to(DType::float64), ones.to(DType::float64), zeros.to(DType::float64));
    CHECK(max_difference(in_float.y.value(), in_double.y.value()) < 1e-4);
    CHECK(max_difference(in_float.running_var, in_double.running_var) < 1e-4);
  }
}

TEST_CASE("batch_norm2d: only what is wanted is computed and kept") {
  const Shape shape{4, 3, 3, 6};
  const std::vector<Tensor> in = batch_norm2d_inputs(shape);
  const Tensor mean = random({6}, 4), var = random({6}, 5, 0.5, 2.0);
  const auto run = [&](bool batch, bool wants_x, bool wants_weight, bool wants_bias) {
    const Tape tape;
    const auto on = [&](bool wanted, const Tensor& t) {
      return wanted ? tape.variable(t) : tape.input(t);
    };
    const Var x = on(wants_x, in[0]), weight = on(wants_weight, in[1]),
              bias = on(wants_bias, in[2]);
    const Var y = batch ? train(x, weight, bias).y : batch_norm2d(x, weight, bias, mean, var);
    const std::int64_t saved = tape.saved_bytes();
    const Gradients got = tape.gradients(y, {}, {.cotangent = random(shape, 9)});
    std::vector<Tensor> gradients;
    for (const Var& v : {x, weight, bias}) gradients.push_back(got.contains(v) ? got[v] : Tensor());
    return std::pair(gradients, saved);
  };
  const std::int64_t channels = 48, map = shape.size() * 8;
  for (const bool batch : {false, true}) {
    const auto [all, saved] = run(batch, true, true, true);
    CHECK(saved == map + 3 * channels);
    const auto [of_x, saved_x] = run(batch, true, false, false);
    CHECK(max_difference(of_x[0], all[0]) == 0.0);
    CHECK(!of_x[1].defined());
    CHECK(saved_x == (batch ? map + 3 * channels : 2 * channels));
    const auto [of_weight, saved_weight] = run(batch, false, true, false);
    CHECK(max_difference(of_weight[1], all[1]) == 0.0);
    CHECK(saved_weight == map + 2 * channels);
    const auto [of_bias, saved_bias] = run(batch, false, false, true);
    CHECK(max_difference(of_bias[2], all[2]) == 0.0);
    CHECK(saved_bias == channels);
  }
}

TEST_CASE("batch_norm2d: any rank with the channels last, to the bits of [N H W C]") {
  const Tensor x = random({6, 5}, 1), weight = random({5}, 2), bias = random({5}, 3);
  const BatchStatistics flat = train(x, weight, bias);
  const BatchStatistics map = train(x.reshape({2, 3, 1, 5}), weight, bias);
  CHECK(flat.y.shape() == x.shape());
  CHECK(max_difference(flat.y.value(), map.y.value().reshape({6, 5})) == 0);
  CHECK(max_difference(flat.running_var, map.running_var) == 0);
  BatchNorm2d layer(5);
  layer.initialise(Rng(1));
  Tape tape;
  CHECK(layer(tape.input(x.to(DType::float32))).shape() == x.shape());
  CHECK(max_difference(layer.running_mean.value(), Tensor::zeros({5})) > 0);
}

TEST_CASE("batch_norm2d: bad arguments") {
  const Var x(random({2, 2, 2, 3}, 1)), ones(Tensor::full({3}, 1.0, DType::float64));
  const Tensor zeros = Tensor::zeros({3}, DType::float64);
  const auto error = [&](const Var& map, const Var& weight, const Var& bias) {
    return error_of([&] { batch_norm2d(map, weight, bias, zeros, zeros); });
  };
  CHECK(error(random({3}, 1), ones, ones) ==
        "batch_norm2d: the input has shape [3], expected [N H W C] or [N C]");
  CHECK(error_of([&] {
          train(random({1, 3}, 1), ones, ones);
        }) == "batch_norm2d: training needs at least two values per channel, got 1 (input [1 3])");
  CHECK(error(Var(), ones, ones) == "batch_norm2d: the input is undefined");
  CHECK(error(x, random({4}, 1), ones) ==
        "batch_norm2d: the weight has shape [4], expected [3] (input [2 2 2 3])");
  CHECK(error(x, ones, Var()) == "batch_norm2d: the bias is undefined");
  CHECK(error(x, Tensor::zeros({3}), ones) ==
        "batch_norm2d: x is float64 but weight is float32, expected float64; convert it with "
        "to(DType)");
  CHECK(
      error_of([&] { batch_norm2d(x, ones, ones, zeros, Tensor::zeros({2})); }) ==
      "batch_norm2d: the running variance has shape [2], expected [3] (input [2 2 2 3]); [2 2 2 3] "
      "looks like NCHW, maps are NHWC: permute(x, {0, 2, 3, 1})");
  CHECK(error_of([&] { batch_norm2d(x, ones, ones, zeros, zeros, {.eps = -1}); }) ==
        "batch_norm2d: eps is -1, expected at least 0");
  CHECK(error_of([&] { batch_norm2d_training(x, ones, ones, zeros, zeros, {.momentum = 1.5}); }) ==
        "batch_norm2d: momentum is 1.5, expected 0 to 1");
  for (const std::int64_t n : {0, 1})
    CHECK(contains(error_of([&] {
                     train(random({n, 1, 1, 3}, 1), ones, ones);
                   }),
                   "training needs at least two values per channel, got " + std::to_string(n)));
}
