#include <pliant/autograd/ops/distribution_losses.h>

#include <cmath>
#include <limits>

#include <pliant/autograd/ops/cosine.h>
#include <pliant/autograd/ops/gather.h>
#include <pliant/autograd/ops/losses.h>
#include <pliant/core/capture.h>
#include <pliant/tests/cases/distribution_losses.h>

using namespace pliant;
using namespace pliant::test;

namespace {

Tensor integers(const std::vector<std::int64_t>& values) {
  return Tensor::from(values, {static_cast<std::int64_t>(values.size())});
}

const double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("nll_loss, kl_div, cross-entropy with probabilities: gradients, first and second") {
  check(distribution_losses_cases());
  check_twice(distribution_losses_cases());
}

TEST_CASE("nll_loss: softmax_cross_entropy of log-probabilities") {
  const Tensor logits = random({6, 4}, 1, -3, 3), labels = integers({3, 0, 7, 2, 2, 7}),
               weights = random({4}, 2, 0.5, 2);
  const Tensor x = log_softmax(logits).value();
  for (const bool weighted : {false, true})
    for (const LossReduction reduction :
         {LossReduction::mean, LossReduction::sum, LossReduction::none}) {
      const Tensor w = weighted ? weights : Tensor();
      const Tensor got =
          nll_loss(x, labels, {.ignore_index = 7, .class_weights = w, .reduction = reduction})
              .value();
      const Tensor want =
          softmax_cross_entropy(logits, labels,
                                {.ignore_index = 7, .class_weights = w, .reduction = reduction})
              .value();
      CHECK(max_difference(got, want) < 1e-14);
    }
}

TEST_CASE("nll_loss: what does not count has no influence, be it infinite") {
  const Tensor x =
      Tensor::from({-1.0, -kInfinity, -kInfinity, -2.0, std::nan(""), -kInfinity}, {3, 2});
  const Tensor labels = integers({0, 1, -100});
  CHECK(nll_loss(x, labels).value().item() == 1.5);
  const Tape tape;
  const Var on_tape = tape.variable(x);
  CHECK(tape.gradients(nll_loss(on_tape, labels))[on_tape].to_vector() ==
        std::vector<double>{-0.5, 0, 0, -0.5, 0, 0});
  CHECK(std::isnan(nll_loss(x, integers({-100, -100, -100})).value().item()));
  CHECK(
      std::isnan(nll_loss(Tensor::zeros({0, 2}), Tensor::zeros({0}, DType::int64)).value().item()));
}

TEST_CASE("softmax_cross_entropy: probabilities of one class alone are its label") {
  const Tensor logits = random({5, 4}, 1, -3, 3), labels = integers({3, 0, 1, 2, 2});
  const Tensor certain = one_hot(labels, 4, DType::float64);
  for (const double smoothing : {0.0, 0.2}) {
    const CrossEntropyOptions options{.label_smoothing = smoothing};
    CHECK(softmax_cross_entropy(logits, certain, options).value().item() ==
          doctest::Approx(softmax_cross_entropy(logits, labels, options).value().item())
              .epsilon(1e-14));
  }
  const Var on_tape_or_not = certain;
  CHECK(softmax_cross_entropy(logits, on_tape_or_not).value().item() ==
        softmax_cross_entropy(logits, certain).value().item());
  const Var as_var = labels;
  CHECK(softmax_cross_entropy(logits, as_var).value().item() ==
        softmax_cross_entropy(logits, labels).value().item());
}

TEST_CASE("softmax_cross_entropy: probabilities, by hand") {
  const Tensor logits = Tensor::from({0.0, 0.0, std::log(3.0), 0.0}, {2, 2}),
               mixed = Tensor::from({0.25, 0.75, 0.5, 0.5}, {2, 2}),
               weights = Tensor::from({2.0, 4.0}, {2});
  const double first = std::log(2.0), second = -(std::log(0.75) + std::log(0.25)) / 2;
  CHECK(softmax_cross_entropy(logits, mixed).value().item() ==
        doctest::Approx((first + second) / 2));
  const Tensor each =
      softmax_cross_entropy(logits, mixed,
                            {.class_weights = weights, .reduction = LossReduction::none})
          .value();
  CHECK(each.to_vector()[0] == doctest::Approx(first * (2 * 0.25 + 4 * 0.75)));
  CHECK(each.to_vector()[1] == doctest::Approx(-std::log(0.75) - 2 * std::log(0.25)));
  CHECK(std::isnan(
      softmax_cross_entropy(Tensor::zeros({0, 3}), Tensor::zeros({0, 3})).value().item()));
}

TEST_CASE("kl_div: the divergence, 0 log 0 = 0") {
  const Tensor log_q = Tensor::from({std::log(0.5), std::log(0.25), std::log(0.25)}, {1, 3}),
               p = Tensor::from({0.5, 0.5, 0.0}, {1, 3}),
               log_p = Tensor::from({std::log(0.5), std::log(0.5), -kInfinity}, {1, 3});
  const double want = 0.5 * std::log(2.0);
  CHECK(kl_div(log_q, p, {.reduction = LossReduction::sum}).value().item() ==
        doctest::Approx(want));
  CHECK(
      kl_div(log_q, log_p, {.log_target = true, .reduction = LossReduction::sum}).value().item() ==
      doctest::Approx(want));
  CHECK(kl_div(log_q, p).value().item() == doctest::Approx(want / 3));
  for (const bool log_target : {false, true}) {
    const Tape tape;
    const Var by_q = tape.variable(log_q), by_p = tape.variable(log_target ? log_p : p);
    const Gradients gradients = tape.gradients(
        kl_div(by_q, by_p, {.log_target = log_target, .reduction = LossReduction::sum}));
    CHECK(gradients[by_q].to_vector()[2] == 0);
    CHECK(std::isfinite(gradients[by_p].to_vector()[2]));
  }
}

// What is looked at on the CPU is no read that a replay forbids.
TEST_CASE("losses with labels and weights take part in captured steps") {
  const Tensor x = random({2, 3}, 1), labels = integers({0, 2}), weights = random({3}, 2, 1, 2),
               pairs = Tensor::from({1.0, -1.0}, {2});
  CapturedStep step = capture(Device::cpu(), [&] {
    softmax_cross_entropy(x, labels, {.class_weights = weights});
    softmax_cross_entropy(x, x, {.class_weights = weights});
    nll_loss(x, labels, {.class_weights = weights});
    binary_cross_entropy_with_logits(x, x, {.positive_weights = weights});
    cosine_embedding_loss(x, x, pairs);
  });
  for (int i = 0; i < 2; ++i) CHECK(error_of([&] { step.replay(); }).empty());
}

TEST_CASE("distribution losses: bad arguments") {
  const Tensor x = random({2, 3}, 1), labels = integers({0, 2});
  CHECK(error_of([&] {
          nll_loss(x, integers({0, 3}));
        }) == "nll_loss: label 3 of row 1 is not in [0, C = 3) nor the ignore_index -100");
  CHECK(error_of([&] { nll_loss(x, integers({0})); }) ==
        "nll_loss: the labels have shape [1], expected [2] (log-probabilities [2 3])");
  CHECK(error_of([&] { nll_loss(Var(), labels); }) ==
        "nll_loss: the log-probabilities are undefined");
  CHECK(error_of([&] { nll_loss(x, Tensor()); }) == "nll_loss: the labels are undefined");
  CHECK(error_of([&] { nll_loss(x, labels, {.class_weights = random({2}, 1)}); }) ==
        "nll_loss: the class weights have shape [2], expected [3] (log-probabilities [2 3])");
  CHECK(error_of([&] {
          kl_div(x, random({3, 2}, 1));
        }) == "kl_div: the log-probabilities have shape [2 3] but the target [3 2]");
  CHECK(error_of([&] { kl_div(x, Var()); }) == "kl_div: the targets are undefined");
  CHECK(contains(error_of([&] {
                   kl_div(x, Tensor::zeros({2, 3}));
                 }),
                 "kl_div: log_predicted is float64 but target is float32"));
  const Var wrong = random({2, 2}, 1);
  CHECK(error_of([&] { softmax_cross_entropy(x, wrong); }) ==
        "softmax_cross_entropy: the targets have shape [2 2], expected that of the logits [2 3]");
  CHECK(error_of([&] { softmax_cross_entropy(x, x, {.ignore_index = 1}); }) ==
        "softmax_cross_entropy: an ignore_index of 1 beside probabilities, which are no labels");
  CHECK(contains(error_of([&] {
                   softmax_cross_entropy(x, Tensor::zeros({2, 3}));
                 }),
                 "is float64 but "));
  CHECK(error_of([&] { softmax_cross_entropy(x, Var()); }) ==
        "softmax_cross_entropy: the targets are undefined");
}
