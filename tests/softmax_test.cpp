#include <pliant/autograd/ops/softmax.h>

#include <cmath>
#include <limits>

#include <pliant/tests/cases/softmax.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("softmax, log_softmax, logsumexp: gradients, threads") { check(softmax_cases()); }

TEST_CASE("softmax and log_softmax: values along every axis") {
  for (const Shape& shape : softmax_shapes())
    for (int axis = -shape.rank(); axis < shape.rank(); ++axis) {
      const Tensor x = random(shape, 1, -3, 3);
      const int at = shape.axis(axis, "test");
      std::int64_t inner = 1;
      for (int i = at + 1; i < shape.rank(); ++i) inner *= shape[i];
      const std::vector<double> from = x.to_vector(), y = softmax(x, axis).value().to_vector(),
                                log_y = log_softmax(x, axis).value().to_vector();
      REQUIRE(y.size() == from.size());
      for (std::int64_t i = 0; i < x.size(); ++i) {
        const std::int64_t first = i - i / inner % shape[at] * inner;
        double total = 0;
        for (std::int64_t k = 0; k < shape[at]; ++k)
          total += std::exp(from[static_cast<std::size_t>(first + k * inner)]);
        const auto place = static_cast<std::size_t>(i);
        CHECK(y[place] == doctest::Approx(std::exp(from[place]) / total).epsilon(1e-12));
        CHECK(log_y[place] == doctest::Approx(from[place] - std::log(total)).epsilon(1e-12));
      }
    }
}

TEST_CASE("softmax: logits of any size") {
  for (const DType dtype : {DType::float32, DType::float64}) {
    const Tensor x = Tensor::from({1e4, 1e4 + 1, -1e30, 0.0}, {1, 4}).to(dtype);
    const double p = 1 / (1 + std::exp(1.0));
    CHECK(max_difference(softmax(x).value().to(DType::float64),
                         Tensor::from({p, 1 - p, 0.0, 0.0}, {1, 4})) < 1e-6);
    const std::vector<double> log_p = log_softmax(x).value().to_vector();
    CHECK(log_p[0] == doctest::Approx(std::log(p)).epsilon(1e-6));
    CHECK(log_p[3] == doctest::Approx(-1e4 - 1 + std::log(1 - p)).epsilon(1e-6));
  }
  // A class ruled out: probability 0, not NaN.
  const Tensor x = Tensor::from({0.0, -HUGE_VAL, 0.0}, {3});
  CHECK(softmax(x).value().to_vector() == std::vector<double>{0.5, 0, 0.5});
  CHECK(log_softmax(x).value().to_vector()[1] == -HUGE_VAL);
}

TEST_CASE("softmax: bad arguments") {
  CHECK(error_of([] {
          softmax(random({2, 3}, 1), 2);
        }) == "softmax: axis 2 is out of range for [2 3]");
  CHECK(error_of([] { log_softmax(random({}, 1)); }) ==
        "log_softmax: axis -1 is out of range for []");
  CHECK(error_of([] { softmax(Var()); }) == "softmax: x is undefined");
  CHECK(error_of([] { log_softmax(Tensor::zeros({2}, DType::int64)); }) ==
        "log_softmax: needs floating tensors, got int64");
}

TEST_CASE("logsumexp: stable, over several axes, of infinities") {
  const double kInf = std::numeric_limits<double>::infinity();
  const Tensor x = Tensor::from({1000.0, 1000.0, -1000.0, -kInf, -kInf, -kInf}, {2, 3});
  const std::vector<double> y = logsumexp(x, {1}).value().to_vector();
  CHECK(y[0] == doctest::Approx(1000 + std::log(2.0)));
  CHECK(y[1] == -kInf);
  CHECK(logsumexp(Tensor::full({2}, kInf), {0}).value().item() == kInf);
  CHECK(logsumexp(x, {0, 1}, KeepDim::yes).shape() == Shape{1, 1});
  CHECK(logsumexp(x, {0, 1}).shape() == Shape{});
  CHECK(error_of([] { logsumexp(Var(), {0}); }) == "logsumexp: x is undefined");
}
