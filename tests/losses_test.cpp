#include <pliant/autograd/ops/losses.h>

#include <algorithm>
#include <cmath>

#include <pliant/tests/cases/losses.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("losses: gradients by both sides, threads") { check(losses_cases()); }

TEST_CASE("losses: values") {
  for (const PairLoss& loss : pair_losses())
    for (const Shape& shape : {Shape{}, Shape{1, 1}, Shape{7}, Shape{3, 5}, Shape{2, 3, 1, 4}}) {
      CAPTURE(loss.name);
      const Tensor x = random(shape, 1, -2, 2), t = random(shape, 2, 0.05, 0.95);
      double want = 0;
      for (std::int64_t i = 0; i < x.size(); ++i)
        want += loss.of_one(x.data<double>()[i], t.data<double>()[i]);
      const Var got = loss.op(x, t);
      CHECK(got.shape() == Shape{});
      CHECK(got.value().item() ==
            doctest::Approx(want / static_cast<double>(x.size())).epsilon(1e-12));
    }
}

TEST_CASE("losses: their sum, and each by itself") {
  for (const PairLoss& loss : pair_losses())
    for (const Shape& shape : {Shape{}, Shape{7}, Shape{2, 3, 1, 4}, Shape{0, 3}}) {
      CAPTURE(loss.name);
      const Tensor x = random(shape, 1, -2, 2), t = random(shape, 2, 0.05, 0.95);
      const Tensor each = loss.reduced(x, t, LossReduction::none).value();
      REQUIRE(each.shape() == shape);
      double want = 0;
      for (std::int64_t i = 0; i < x.size(); ++i) {
        const double of_one = loss.of_one(x.data<double>()[i], t.data<double>()[i]);
        CHECK(each.data<double>()[i] == doctest::Approx(of_one).epsilon(1e-12));
        want += of_one;
      }
      const Tensor total = loss.reduced(x, t, LossReduction::sum).value();
      CHECK(total.shape() == Shape{});
      CHECK(total.item() == doctest::Approx(want).epsilon(1e-12));
    }
}

TEST_CASE("losses: of nothing, a mean of nothing") {
  for (const PairLoss& loss : pair_losses())
    CHECK(std::isnan(loss.op(Tensor::zeros({0, 3}), Tensor::zeros({0, 3})).value().item()));
}

TEST_CASE("binary_cross_entropy_with_logits: logits of any size") {
  const auto loss = [](double x, double t, DType dtype, double weight = 1) {
    return binary_cross_entropy_with_logits(Tensor::full({1}, x, dtype),
                                            Tensor::full({1}, t, dtype),
                                            {.positive_weight = weight})
        .value()
        .item();
  };
  for (const DType dtype : {DType::float32, DType::float64})
    for (const double weight : {1.0, 3.0}) {
      CHECK(loss(1e4, 1, dtype, weight) == 0);
      CHECK(loss(-1e4, 0, dtype, weight) == 0);
      CHECK(loss(1e4, 0, dtype, weight) == 1e4);
      CHECK(loss(-1e4, 1, dtype, weight) == weight * 1e4);
    }
  const Tape tape;
  const Var x = tape.variable(Tensor::from({-1e30, 1e30}, {2}));
  const Tensor t = Tensor::from({1.0, 0.0}, {2});
  CHECK(tape.gradients(binary_cross_entropy_with_logits(x, t))[x].to_vector() ==
        std::vector<double>{-0.5, 0.5});
}

// float32 against float64: what is left of a difference of large numbers would be rounding.
TEST_CASE("binary_cross_entropy_with_logits: small losses are no rounding errors") {
  for (const double weight : {1.0, 2.5})
    for (const double t : {0.0, 1.0})
      for (const double x : {-30.0, -16.0, -10.0, 10.0, 16.0, 30.0}) {
        CAPTURE(weight);
        CAPTURE(t);
        CAPTURE(x);
        const double toward = t == 1 ? -x : x, factor = t == 1 ? weight : 1;
        const double loss = std::max(toward, 0.0) + std::log1p(std::exp(-std::abs(toward)));
        const double slope = (t == 1 ? -1 : 1) / (1 + std::exp(-toward));
        const Tape tape;
        const Var logit = tape.variable(Tensor::full({1}, x, DType::float32));
        const Var got = binary_cross_entropy_with_logits(
            logit, Tensor::full({1}, t, DType::float32), {.positive_weight = weight});
        CHECK(std::abs(got.value().item() / (factor * loss) - 1) < 1e-5);
        CHECK(std::abs(tape.gradients(got)[logit].item() / (factor * slope) - 1) < 1e-5);
      }
}

TEST_CASE("binary_cross_entropy_with_logits: weights of classes and of elements") {
  const Tensor x = random({2, 3, 4}, 1, -2, 2), t = random({2, 3, 4}, 2),
               of_class = random({4}, 3, 0.2, 3), of_row = random({2, 1, 1}, 4, 0, 2);
  double want = 0;
  for (std::int64_t i = 0; i < x.size(); ++i)
    want += of_row.data<double>()[i / 12] *
            naive_bce(x.data<double>()[i], t.data<double>()[i], 2 * of_class.data<double>()[i % 4]);
  const auto loss = weighted_cross_entropy;
  CHECK(loss(x, LossReduction::sum).value().item() == doctest::Approx(want).epsilon(1e-12));
  CHECK(loss(x, LossReduction::mean).value().item() == doctest::Approx(want / 24).epsilon(1e-12));
  const double coarse = loss(x.to(DType::bfloat16), LossReduction::mean).value().item();
  CHECK(coarse == doctest::Approx(want / 24).epsilon(0.02));

  const auto error = [&](const BinaryCrossEntropyOptions& options) {
    return error_of([&] { binary_cross_entropy_with_logits(x, t, options); });
  };
  CHECK(
      error({.positive_weights = random({3}, 1)}).starts_with("binary_cross_entropy_with_logits:"));
  CHECK(error({.element_weights = random({5, 2, 3, 4}, 1)}) ==
        "binary_cross_entropy_with_logits: element_weights of shape [5 2 3 4] do not stretch to "
        "the logits [2 3 4]");
  CHECK(error({.positive_weights = Tensor::zeros({4}, DType::float64)}) ==
        "binary_cross_entropy_with_logits: one of the positive_weights is 0, expected above 0");
  CHECK(error({.element_weights = Tensor::full({4}, -1, DType::float64)}) ==
        "binary_cross_entropy_with_logits: one of the element_weights is -1, expected none "
        "negative");
  CHECK(contains(error({.positive_weights = Tensor::full({4}, 1)}),
                 "logits is float64 but positive_weights is float32"));
}

TEST_CASE("losses: bad arguments") {
  const Tensor x = random({2, 3}, 1);
  for (const PairLoss& loss : pair_losses()) {
    const std::string who = loss.name;
    CHECK(error_of([&] { loss.op(x, random({3}, 1)); }) ==
          who + ": the prediction has shape [2 3] but the target [3]");
    CHECK(error_of([&] { loss.op(x, Var()); }) == who + ": the target is undefined");
    CHECK(error_of([&] { loss.op(Var(), x); }) == who + ": the prediction is undefined");
    CHECK(error_of([&] {
            loss.op(x, Tensor::zeros({2, 3}));
          }) == who + ": prediction is float64 but target is float32; convert one with to(DType)");
  }
  CHECK(error_of([&] { smooth_l1_loss(x, x, -1); }) ==
        "smooth_l1_loss: beta is -1, expected at least 0");
  CHECK(error_of([&] { huber_loss(x, x, 0); }) == "huber_loss: delta is 0, expected above 0");
  CHECK(error_of([&] { binary_cross_entropy_with_logits(x, x, {.positive_weight = 0}); }) ==
        "binary_cross_entropy_with_logits: the positive weight is 0, expected above 0");
  const Tensor single = x.to(DType::float32);
  CHECK(contains(error_of([&] {
                   binary_cross_entropy_with_logits(single, single, {.positive_weight = 1e300});
                 }),
                 "the positive weight is 1e+300, which float32 cannot hold"));
}
