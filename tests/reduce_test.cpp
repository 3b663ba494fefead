#include <pliant/autograd/ops/reduce.h>

#include <cmath>

#include <pliant/autograd/ops/elementary.h>
#include <pliant/core/kernels/binary.h>
#include <pliant/core/parallel.h>
#include <pliant/tests/cases/reduce.h>

using namespace pliant;
using namespace pliant::test;

namespace {

using Axes = std::vector<int>;
using Values = std::vector<double>;
const double kNan = std::nan("");

// For each element of the result, all elements of x that it is made of.
std::vector<Values> groups(const Tensor& x, const Axes& axes) {
  Shape kept = x.shape();
  for (const int axis : axes) kept[x.shape().axis(axis, "test")] = 1;
  std::vector<Values> all(static_cast<std::size_t>(kept.size()));
  const Values values = x.to_vector();
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto rest = static_cast<std::int64_t>(i);
    std::int64_t to = 0, stride = 1;
    for (int axis = x.rank() - 1; axis >= 0; --axis) {
      to += (kept[axis] == 1 ? 0 : rest % x.shape()[axis]) * stride;
      stride *= kept[axis];
      rest /= x.shape()[axis];
    }
    all[static_cast<std::size_t>(to)].push_back(values[i]);
  }
  return all;
}

double naive_variance(const Values& values, double correction) {
  double mean = 0, squares = 0;
  const auto n = static_cast<double>(values.size());
  for (const double v : values) mean += v / n;
  for (const double v : values) squares += (v - mean) * (v - mean);
  return squares / (n - correction);
}

}  // namespace

TEST_CASE("reduce: gradients") {
  check(reduce_cases());
  CHECK(sum(random({0, 3}, 9), {0}).value().to_vector() == Values{0, 0, 0});
}

TEST_CASE("reduce: max and min over any axes") {
  const Tensor x = random({2, 3, 5, 7}, 1);
  for (const Axes& axes : axis_sets())
    for (const KeepDim keep : {KeepDim::no, KeepDim::yes}) {
      CAPTURE(axes.size());
      const std::vector<Values> want = groups(x, axes);
      const Tensor largest = max(x, axes, keep).value(), least = min(x, axes, keep).value();
      CHECK(largest.shape() == sum(x, axes, keep).shape());
      CHECK(least.shape() == largest.shape());
      const Values high = largest.to_vector(), low = least.to_vector();
      REQUIRE(high.size() == want.size());
      for (std::size_t i = 0; i < want.size(); ++i) {
        CHECK(high[i] == *std::max_element(want[i].begin(), want[i].end()));
        CHECK(low[i] == *std::min_element(want[i].begin(), want[i].end()));
      }
    }
}

TEST_CASE("reduce: large sums are exact to rounding and the same on any number of threads") {
  const int before = thread_count();
  for (const Shape& shape : {Shape{300007}, Shape{70001, 3}, Shape{3, 50021, 2}}) {
    const Tensor x = random(shape, 10, 0.0, 1.0, DType::float32);
    const int axis = shape.rank() == 3 ? 1 : 0;
    double total = 0;
    for (const double v : x.to_vector()) total += v;
    set_thread_count(1);
    const Tensor one = sum(x, {axis}).value();
    CHECK(sum(one).value().item() == doctest::Approx(total).epsilon(1e-6));
    for (const int threads : {2, 3}) {
      set_thread_count(threads);
      CHECK(max_difference(one, sum(x, {axis}).value()) == 0.0);
    }
  }
  set_thread_count(before);
}

TEST_CASE("reduce: argmax takes the first largest, NaN above all") {
  const Tensor x = Tensor::from({1.0, 3.0, 3.0, -1.0, std::nan(""), 7.0}, {2, 3});
  CHECK(argmax(x, 1).to_vector() == std::vector<double>{1, 1});
  CHECK(argmax(x, 0, KeepDim::yes).shape() == Shape{1, 3});
  CHECK(argmax(x, 0).to_vector() == std::vector<double>{0, 1, 1});
  CHECK(contains(error_of([&] { argmax(Tensor::zeros({2, 0}), 1); }), "is empty"));
}

TEST_CASE("reduce: bad axes") {
  const Tensor x = random({2, 3}, 11);
  CHECK(sum(x, -1, KeepDim::yes).value().to_vector() == sum(x, {1}).value().to_vector());
  CHECK(mean(x, 0).value().to_vector() == mean(x, {0}).value().to_vector());
  CHECK(sum(x, {}).shape() == x.shape());
  CHECK(error_of([&] { sum(x, {2}); }) == "sum: axis 2 is out of range for [2 3]");
  CHECK(error_of([&] { mean(x, {0, -2}); }) == "mean: axis -2 is named twice");
}

TEST_CASE("reduce: max and min of large tensors, anywhere, on any number of threads") {
  const int before = thread_count();
  for (const Shape& shape : {Shape{300007}, Shape{70001, 3}, Shape{3, 50021, 2}, Shape{7, 70001}}) {
    const int axis = shape.rank() == 3 ? 1 : shape.rank() == 2 && shape[0] == 7 ? 1 : 0;
    Tensor x = random(shape, 4, -1, 1, DType::float32);
    for (const std::int64_t at : {std::int64_t{0}, x.size() / 2 + 1, x.size() - 1}) {
      Tensor spiked = x.clone();
      spiked.mutable_data<float>()[at] = 5;
      CHECK(max(spiked).value().item() == 5);
      spiked.mutable_data<float>()[at] = -5;
      CHECK(min(spiked).value().item() == -5);
      spiked.mutable_data<float>()[at] = std::nanf("");
      CHECK(std::isnan(max(spiked).value().item()));
      CHECK(std::isnan(min(spiked).value().item()));
    }
    set_thread_count(1);
    const Tensor one = max(x, {axis}).value(), low = min(x, {axis}).value();
    set_thread_count(3);
    CHECK(max_difference(one, max(x, {axis}).value()) == 0);
    CHECK(max_difference(low, min(x, {axis}).value()) == 0);
  }
  set_thread_count(before);
}

TEST_CASE("reduce: equals share the gradient; infinities are elements like any other") {
  const Tensor x = Tensor::from({3.0, 1.0, 3.0, 3.0, 0.0, 0.0}, {2, 3});
  for (const bool of_max : {true, false}) {
    const Tape tape;
    const Var v = tape.variable(x);
    const Var y = of_max ? max(v, {1}) : min(v, {1});
    const Values dx = tape.gradients(sum(y))[v].to_vector();
    CHECK(dx == (of_max ? Values{0.5, 0, 0.5, 1, 0, 0} : Values{0, 1, 0, 0, 0.5, 0.5}));
  }
  const Tensor low = Tensor::full({3}, -HUGE_VAL, DType::float64);
  CHECK(max(low).value().item() == -HUGE_VAL);
  CHECK(min(Tensor::full({3}, HUGE_VAL)).value().item() == HUGE_VAL);
}

TEST_CASE("reduce: variance over any axes") {
  const Tensor x = random({2, 3, 5, 4}, 5);
  for (const Axes& axes : axis_sets()) {
    if (axes.empty()) continue;
    for (const double correction : {0.0, 1.0, 1.5}) {
      const std::vector<Values> want = groups(x, axes);
      const Var y = variance(x, axes, {.correction = correction, .keep = KeepDim::yes});
      CHECK(y.rank() == 4);
      const Values got = y.value().to_vector();
      REQUIRE(got.size() == want.size());
      for (std::size_t i = 0; i < want.size(); ++i)
        CHECK(got[i] == doctest::Approx(naive_variance(want[i], correction)).epsilon(1e-12));
    }
  }
  // Far from zero nothing is lost.
  const Tensor far = Tensor::from({1e8, 1e8 + 1, 1e8 + 2}, {3});
  CHECK(variance(far).value().item() == doctest::Approx(1.0));
  CHECK(variance(far, {0}, {.correction = 0}).value().item() == doctest::Approx(2.0 / 3));
  CHECK(std::isnan(variance(random({1}, 6)).value().item()));
  CHECK(std::isnan(variance(random({0, 3}, 6), {0}).value().to_vector()[0]));
  CHECK(variance(random({1}, 6), {0}, {.correction = 0}).value().item() == 0);
}

TEST_CASE("reduce: argmin, and both over all elements") {
  const Tensor x = Tensor::from({2.0, -1.0, -1.0, 4.0, kNan, -7.0}, {2, 3});
  CHECK(argmin(x, 1).to_vector() == Values{1, 1});
  CHECK(argmin(x, 0).to_vector() == Values{0, 1, 1});
  CHECK(argmin(x, -1, KeepDim::yes).shape() == Shape{2, 1});
  CHECK(argmin(x).item() == 4);
  CHECK(argmax(x).item() == 4);
  CHECK(argmax(random({}, 1)).item() == 0);
  CHECK(argmin(Tensor::from({3.0f, -2.0f, 5.0f}, {3, 1})).item() == 1);
  CHECK(argmax(Tensor::from({3.0f, -2.0f, 5.0f}, {3, 1})).item() == 2);
  CHECK(argmax(x).dtype() == DType::int64);
  CHECK(argmin(x).shape() == Shape{});
}

TEST_CASE("reduce: bad arguments") {
  const Tensor x = random({2, 3}, 7);
  CHECK(error_of([&] { max(x, {2}); }) == "max: axis 2 is out of range for [2 3]");
  CHECK(error_of([&] { min(x, {0, -2}); }) == "min: axis -2 is named twice");
  CHECK(error_of([&] { variance(x, {5}); }) == "variance: axis 5 is out of range for [2 3]");
  CHECK(error_of([&] { argmin(x, 2); }) == "argmin: axis 2 is out of range for [2 3]");
  CHECK(error_of([&] {
          max(Tensor::zeros({0, 3}), {0});
        }) == "max: an axis that is reduced is empty ([0 3])");
  CHECK(error_of([&] { min(Tensor::zeros({0})); }) ==
        "min: an axis that is reduced is empty ([0])");
  CHECK(max(Tensor::zeros({0, 3}), {1}).shape() == Shape{0});
  CHECK(error_of([&] { max(Var()); }) == "max: x is undefined");
  CHECK(error_of([&] { variance(Var()); }) == "variance: x is undefined");
  CHECK(error_of([&] { argmin(Var()); }) == "argmin: x is undefined");
  CHECK(error_of([&] { argmax(Var()); }) == "argmax: x is undefined");
  CHECK(error_of([&] { argmin(Tensor::zeros({2, 0}), 1); }) == "argmin: axis 1 of [2 0] is empty");
  CHECK(error_of([&] { argmax(Tensor::zeros({2, 0}), 1); }) == "argmax: axis 1 of [2 0] is empty");
  CHECK(error_of([&] { argmin(Var(), 0); }) == "argmin: x is undefined");
  CHECK(error_of([&] { argmax(Var(), 0); }) == "argmax: x is undefined");
  const Tensor whole = Tensor::zeros({3}, DType::int64);
  CHECK(error_of([&] { mean(whole); }) == "mean: needs floating tensors, got int64");
  CHECK(error_of([&] { variance(whole); }) == "variance: needs floating tensors, got int64");
  CHECK(error_of([&] { sum(Var(), {0}); }) == "sum: x is undefined");
  CHECK(error_of([&] { mean(Var(), {0}); }) == "mean: x is undefined");
}

TEST_CASE("reductions over no axis have storage of their own") {
  const Tensor x = Tensor::from<float>({1, 2, 3}, {3});
  const std::vector<int> none;
  for (const Var& y : {sum(x, none), mean(x, none), max(x, none), min(x, none)}) {
    CHECK_FALSE(y.value().shares_storage_with(x));
    CHECK(y.value().to_vector() == x.to_vector());
  }
  CHECK(error_of([&] { variance(x, {0}, {.correction = std::nan("")}); }) ==
        "variance: the correction is NaN");
}

TEST_CASE("prod: every length, and the gradient beside zeros") {
  for (std::int64_t n = 0; n < 10; ++n) {
    const Tensor x = random({2, n, 3}, 1, 0.5, 2);
    const Tensor y = prod(x, 1).value();
    REQUIRE(y.shape() == Shape{2, 3});
    for (std::int64_t i = 0; i < 6; ++i) {
      double product = 1;
      for (std::int64_t k = 0; k < n; ++k) product *= x.data<double>()[(i / 3 * n + k) * 3 + i % 3];
      CHECK(y.data<double>()[i] == doctest::Approx(product).epsilon(1e-14));
    }
  }
  const Tape tape;
  const Var x = tape.variable(Tensor::from({2.0, 0.0, 5.0}, {3}));
  CHECK(tape.gradients(prod(x, 0))[x].to_vector() == std::vector<double>{0, 10, 0});
  CHECK(prod(Tensor::zeros({2, 3}), 0, KeepDim::yes).shape() == Shape{1, 3});
  CHECK(contains(error_of([] { prod(Tensor::zeros({2}), 1); }), "prod: axis 1 is out of range"));
}

TEST_CASE("stddev is the root of the variance") {
  const Tensor x = random({4, 5}, 1);
  CHECK(max_difference(square(stddev(x, {1})).value(), variance(x, {1}).value()) < 1e-15);
  CHECK(error_of([] { stddev(Var(), {0}); }) == "stddev: x is undefined");
}
