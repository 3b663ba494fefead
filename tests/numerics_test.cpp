// What rounding and range must not take: long sums, large means, squares beyond float32.
#include <cmath>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/batch_norm2d.h>
#include <pliant/autograd/ops/cross_entropy.h>
#include <pliant/autograd/ops/cumsum.h>
#include <pliant/autograd/ops/elementary.h>
#include <pliant/autograd/ops/group_norm.h>
#include <pliant/autograd/ops/layer_norm.h>
#include <pliant/autograd/ops/losses.h>
#include <pliant/autograd/ops/pool2d.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/autograd/ops/upsample.h>
#include <pliant/layers/batch_norm2d.h>
#include <pliant/layers/sequential.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

constexpr DType kAll[] = {DType::float32, DType::float64, DType::bfloat16};

Tensor same(const Shape& shape, double value, DType dtype = DType::float32) {
  return Tensor::full(shape, value, dtype);
}
double last(const Var& x) { return x.value().to_vector().back(); }
// The largest |got - want| of an op's result.
double off(const Var& got, double want) {
  double most = 0;
  for (const double value : got.value().to_vector()) {
    const double d = std::abs(value - want);
    most = d <= most ? most : d;  // NaN stays
  }
  return most;
}

// y and dx of a norm for x = (1, 2, 3, 4) * size in float32, float64 and bfloat16, and dx's size.
using Norm = Var (*)(const Var& x, const Var& weight, const Var& bias);
Var as_layer(const Var& x, const Var& weight, const Var& bias) {
  return reshape(layer_norm(reshape(x, {1, 4}), weight, bias), {4, 1});
}
Var as_group(const Var& x, const Var& weight, const Var& bias) {
  return reshape(group_norm(reshape(x, {1, 4}), 1, weight, bias), {4, 1});
}
Var as_group_of_rows(const Var& x, const Var&, const Var&) {
  const Tensor one = same({1}, 1, x.dtype()), none = same({1}, 0, x.dtype());
  return reshape(group_norm(reshape(x, {1, 4, 1}), 1, one, none), {4, 1});
}
Var as_batch(const Var& x, const Var&, const Var&) {
  const DType wide = wide_of(x.dtype());
  const Tensor one = same({1}, 1, wide), none = same({1}, 0, wide);
  return reshape(batch_norm2d_training(reshape(x, {4, 1, 1, 1}), one, none, none, one).y, {4, 1});
}

void check_norm(Norm norm, double size, DType dtype) {
  CAPTURE(size);
  CAPTURE(name_of(dtype));
  const Tape tape;
  const Tensor exact = Tensor::from({size, 2 * size, 3 * size, 4 * size}, {4, 1});
  const Var x = tape.variable(exact.to(dtype));
  const Var y = norm(x, same({4}, 1, dtype), same({4}, 0, dtype));
  // Of the values that x was rounded to.
  const std::vector<double> v = x.value().to_vector();
  const double mean = v[0] / 4 + v[1] / 4 + v[2] / 4 + v[3] / 4;
  double var = 0;
  for (const double value : v) var += (value - mean) / size * ((value - mean) / size) / 4;
  const double rstd = 1 / std::sqrt(var + 1e-5 / size / size);
  const double tolerance = dtype == DType::bfloat16 ? 1e-2 : 1e-6;
  std::vector<double> n;
  for (const double value : v) n.push_back((value - mean) / size * rstd);
  const std::vector<double> got = y.value().to_vector();
  for (std::size_t i = 0; i < 4; ++i) CHECK(std::abs(got[i] - n[i]) < tolerance);
  // dy = (1, 0, 0, 0); dx in units of 1 / size.
  const Tensor dy = Tensor::from({1.0, 0.0, 0.0, 0.0}, {4, 1}).to(dtype);
  const std::vector<double> dx = tape.gradients(sum(y * dy), {x})[x].to_vector();
  for (std::size_t i = 0; i < 4; ++i) {
    const double want = rstd * ((i == 0 ? 1 : 0) - 0.25 - n[i] * n[0] / 4);
    CHECK(std::abs(dx[i] * size - want) < tolerance * 4);
  }
}

}  // namespace

TEST_CASE("cumsum: long float32 lines are exact, from both ends, gradients too") {
  const std::int64_t n = (1 << 24) + 2;
  const Tensor ones = same({n}, 1);
  CHECK(last(cumsum(ones, 0)) == 16777218);
  CHECK(cumsum(ones, 0, CumsumFrom::end).value().to_vector()[0] == 16777218);
  const Tape tape;
  const Var x = tape.variable(same({1000000}, 0.1));
  const Var y = cumsum(x, 0);
  CHECK(last(y) == doctest::Approx(100000.0015).epsilon(6e-8));
  const Tensor dx = tape.gradients(sum(y * same({1000000}, 0.1)), {x})[x];
  CHECK(dx.data<float>()[0] == doctest::Approx(100000.0015).epsilon(6e-8));
}

TEST_CASE("sum, mean: rounded once, over axes that are not neighbours, where the sum overflows") {
  const Tensor tenths = same({10, 1000, 100}, 0.1);
  const double tenth = 0.1F;
  CHECK(sum(tenths).value().item() == static_cast<float>(tenth * 1000000));
  CHECK(off(sum(tenths, {0, 2}), static_cast<float>(tenth * 1000)) == 0);
  CHECK(off(mean(tenths, {0, 2}), tenth) == 0);
  CHECK(mean(same({10}, 3e38)).value().item() == static_cast<float>(3e38));
}

TEST_CASE("variance, mean square: of large means and large values") {
  std::vector<double> far;
  for (int i = 0; i < 768; ++i) far.push_back(1e6 + (i % 2 == 0 ? 0.5 : -0.5));
  const Tape tape;
  const Var x = tape.variable(Tensor::from(far, {768}).to(DType::float32));
  const Var v = variance(x, {0}, {.correction = 0});
  CHECK(v.value().item() == 0.25);
  const Tensor dx = tape.gradients(v, {x})[x];
  CHECK(dx.data<float>()[0] == doctest::Approx(1.0 / 768).epsilon(1e-6));
  CHECK(variance(same({768}, 1000.1)).value().item() == 0);
  CHECK(off(centred(same({3, 768}, 1000.1), {1}), 0) == 0);
  const Tensor large = Tensor::from({1e19, 2e19, 3e19, 4e19}, {4}).to(DType::float32);
  CHECK(variance(large, {0}, {.correction = 0}).value().item() ==
        doctest::Approx(1.25e38).epsilon(1e-6));
  CHECK(std::isinf(mse_loss(large, same({4}, 0)).value().item()));  // 7.5e38 is none of float32
  CHECK(mse_loss(same({100}, 1e19), same({100}, 0)).value().item() ==
        doctest::Approx(1e38).epsilon(1e-6));
}

TEST_CASE("layer_norm: equal values give the bias, their mean leaves no rounding behind") {
  for (const double value : {1.1, 1000.1, 12345678.0, -3.3e30})
    for (const std::int64_t c : {3, 768}) {
      const Tensor x = same({2, c}, value), one = same({c}, 1), bias = same({c}, 0.25);
      CHECK(off(layer_norm(x, one, bias), 0.25) == 0);
      CHECK(off(group_norm(x, 1, one, bias), 0.25) == 0);
    }
  const Tensor near = random({4, 768}, 1, -1, 1).to(DType::float32);
  const Tensor x = (near + same({4, 768}, 1e4)).value();
  const Tensor one = same({768}, 1, DType::float64), none = same({768}, 0, DType::float64);
  const auto run = [&](DType dtype) {
    const Tape tape;
    const Var from = tape.variable(x.to(dtype)), weight = tape.variable(one.to(dtype));
    const Var y = layer_norm(from, weight, none.to(dtype));
    const Gradients g = tape.gradients(sum(y * near.to(dtype)), {from, weight});
    return std::vector<Tensor>{y.value(), g[from], g[weight]};
  };
  const std::vector<Tensor> want = run(DType::float64), got = run(DType::float32);
  for (std::size_t i = 0; i < 3; ++i) CHECK(max_difference(want[i], got[i]) < 1e-6);
}

TEST_CASE("batch_norm2d, group_norm: a large mean costs their gradients nothing") {
  const Tensor near = random({64, 8}, 2, -1, 1).to(DType::float32);
  const Tensor x = (near + same({64, 8}, 1e4)).value();
  const auto run = [&](bool is_batch, DType dtype) {
    const Tape tape;
    const Var from = tape.variable(x.to(dtype)), weight = tape.variable(same({8}, 1, dtype));
    const Tensor none = same({8}, 0, dtype), one = same({8}, 1, dtype);
    const Var y =
        is_batch ? batch_norm2d_training(reshape(from, {64, 1, 1, 8}), weight, none, none, one).y
                 : group_norm(reshape(from, {4, 16, 8}), 2, weight, none);
    const Var loss = sum(y * near.reshape(y.shape()).to(dtype));
    const Gradients g = tape.gradients(loss, {from, weight});
    return std::vector<Tensor>{y.value(), g[from], g[weight]};
  };
  for (const bool is_batch : {true, false}) {
    const auto want = run(is_batch, DType::float64), got = run(is_batch, DType::float32);
    for (std::size_t i = 0; i < 3; ++i) CHECK(max_difference(want[i], got[i]) < 4e-6);
  }
}

TEST_CASE("norms: right for all finite values, forward and backward") {
  for (const Norm norm : {as_layer, as_group, as_group_of_rows, as_batch}) {
    for (const double size : {1e-3, 1.0, 1e10, 1e18, 1e19, 1e20, 1e30, 8e37})
      for (const DType dtype : kAll) check_norm(norm, size, dtype);
    for (const double size : {1e150, 1e200, 4e307}) check_norm(norm, size, DType::float64);
  }
  // Further from the mean than float32 reaches.
  const Tensor x = Tensor::from({-3e38, 3e38, 3e38, -3e38}, {1, 4}).to(DType::float32);
  const Tensor y = layer_norm(x, same({4}, 1), same({4}, 0)).value();
  CHECK(y.to_vector() == std::vector<double>{-1, 1, 1, -1});
  const Tensor lost = Tensor::from({-3e38, -3e38, -3e38, -3e38, -3e38, -3e38, -3e38, 3e38}, {1, 8})
                          .to(DType::float32);
  CHECK(last(layer_norm(lost, same({8}, 1), same({8}, 0))) ==
        doctest::Approx(7 / std::sqrt(7.0)).epsilon(1e-6));
}

TEST_CASE("norms: small values without eps, and the running statistics") {
  for (const double size : {1e-20, 1e-30, 1e-37}) {
    const Tensor x = Tensor::from({size, 2 * size, 3 * size, 4 * size}, {1, 4}).to(DType::float32);
    const std::vector<double> y =
        layer_norm(x, same({4}, 1), same({4}, 0), {.eps = 0}).value().to_vector();
    CHECK(y[3] == doctest::Approx(1.3416407865).epsilon(1e-5));
  }
  const Tensor x = Tensor::from({1e-200, 2e-200}, {1, 2});
  const Tensor one = same({2}, 1, DType::float64), none = same({2}, 0, DType::float64);
  CHECK(last(layer_norm(x, one, none, {.eps = 0})) == doctest::Approx(1));
  const Tensor large = Tensor::from({-1e19, 1e19}, {2, 1, 1, 1}).to(DType::float32);
  const BatchStatistics s =
      batch_norm2d_training(large, same({1}, 1), same({1}, 0), same({1}, 0), same({1}, 1));
  CHECK(s.running_var.item() == doctest::Approx(2e37).epsilon(1e-6));
  const Var given =
      batch_norm2d(large, same({1}, 1), same({1}, 0), same({1}, 1e19), same({1}, 1e38));
  CHECK(given.value().to_vector()[0] == doctest::Approx(-2).epsilon(1e-6));
}

TEST_CASE("BatchNorm2d: a running variance beyond float32 is an Error, and nothing has changed") {
  Sequential net;
  net.add("norm", BatchNorm2d(2));
  net.initialise(Rng(1));
  const Tape tape;
  const Tensor x =
      Tensor::from({1.0, -3e38, 2.0, 3e38, 3.0, 3e38, 4.0, 3e38}, {4, 1, 1, 2}).to(DType::float32);
  const std::string error = error_of([&] { net(tape.input(x)); });
  CHECK(contains(error, "norm.running_var of channel 1 does not fit float32"));
  for (const Buffer& buffer : net.buffers())
    CHECK(off(buffer.value(), contains(buffer.name(), "var") ? 1 : 0) == 0);
}

TEST_CASE("BatchNorm2d: a running variance below 0 is an Error") {
  Sequential net;
  net.add("norm", BatchNorm2d(2));
  net.initialise(Rng(1));
  for (const Buffer& buffer : net.buffers())
    if (contains(buffer.name(), "var"))
      Tensor(buffer.value()).copy_from(Tensor::from({1.0, -0.5}, {2}).to(DType::float32));
  CHECK(error_of([&] {
          net(Tensor::zeros({1, 2, 2, 2}));
        }) ==
        "BatchNorm2d: norm.running_var of channel 1 is -0.5, expected a variance of at least 0");
}

TEST_CASE("averages: of ones 1, whatever the window") {
  for (const std::int64_t n : {7, 49, 224, 1000})
    for (const std::int64_t c : {1, 3}) {
      const Tensor ones = same({1, n, n, c}, 1);
      CHECK(off(adaptive_avg_pool2d(ones, 1), 1) == 0);
      CHECK(off(adaptive_avg_pool2d(ones, 3), 1) == 0);
      CHECK(off(global_avg_pool2d(ones), 1) == 0);
      CHECK(off(avg_pool2d(ones, {.kernel = n, .stride = n}), 1) == 0);
      CHECK(off(avg_pool2d(ones,
                           {.kernel = 5, .stride = 2, .padding = 2, .count_include_pad = false}),
                1) == 0);
    }
  CHECK(off(avg_pool2d(same({1, 300, 300, 1}, 0.1), {.kernel = 299, .stride = 1}), 0.1F) == 0);
  const Tape tape;
  const Var x = tape.variable(same({1, 1, 1, 2}, 1));
  const Var y = upsample2d(x, {.size = 700, .mode = UpsampleMode::nearest});
  const Tensor dx = tape.gradients(sum(y * same(y.shape(), 0.1)), {x})[x];
  CHECK(dx.data<float>()[0] == static_cast<float>(490000 * static_cast<double>(0.1F)));
}

TEST_CASE("cross entropy: a hundred thousand equal classes") {
  const std::int64_t classes = 100000;
  const Tensor logits = same({1, classes}, 3);
  const Tensor label = Tensor::from(std::vector<std::int64_t>{5}, {1});
  CHECK(softmax_cross_entropy(logits, label).value().item() ==
        doctest::Approx(std::log(1e5)).epsilon(6e-8));
}

TEST_CASE("gradients: their norm, beyond what squares reach") {
  for (const double size : {1e-200, 1e-160, 1.0, 1e160, 1e300}) {
    const Parameter p(Tensor::from({3 * size, 4 * size}, {2}), "p");
    const Tape tape;
    Gradients g = tape.gradients(sum(tape(p) * Tensor::from({3 * size, 4 * size}, {2})));
    CHECK(g.norm() / size == doctest::Approx(5));
    g.clip(size / 2);
    CHECK(g.norm() / size == doctest::Approx(0.5));
  }
}
