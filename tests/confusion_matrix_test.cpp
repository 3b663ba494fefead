#include <pliant/layers/train/confusion_matrix.h>

#include <cmath>

#include <pliant/autograd/ops/reduce.h>
#include <pliant/core/capture.h>
#include <pliant/tests/gpu_under_test.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

Tensor integers(const std::vector<std::int64_t>& values) {
  return Tensor::from(values, {static_cast<std::int64_t>(values.size())});
}

// Two batches of different sizes; class 3 is never a label, class 4 neither label nor guess.
ConfusionMatrix counted(Device device) {
  ConfusionMatrix seen(5, {.ignore_label = 255, .device = device});
  seen.add_guesses(integers({0, 0, 1, 2, 0}).to(device), integers({0, 0, 0, 2, 255}).to(device));
  seen.add_guesses(integers({3, 2, 1}).to(device), integers({2, 2, 1}).to(device));
  return seen;
}

void check_counts(Device device) {
  const ConfusionMatrix seen = counted(device);
  CHECK(seen.counts().shape() == Shape{5, 5});
  CHECK(seen.counts().to_vector() == std::vector<double>{2, 1, 0, 0, 0,  //
                                                         0, 1, 0, 0, 0,  //
                                                         0, 0, 2, 1, 0,  //
                                                         0, 0, 0, 0, 0,  //
                                                         0, 0, 0, 0, 0});
  CHECK(seen.total() == 7);
  CHECK(seen.accuracy() == doctest::Approx(5.0 / 7));
}

void check_logits(Device device) {
  const Tensor logits = random({2, 3, 3, 4}, 1, -1, 1, DType::float32),
               guesses = argmax(logits, -1);
  ConfusionMatrix by_logits(4, {.device = device}), by_guesses(4);
  by_logits.add(logits.to(device), guesses.to(device));
  by_guesses.add_guesses(guesses, guesses);
  CHECK(same_bits(by_logits.counts(), by_guesses.counts()));
  CHECK(by_logits.accuracy() == 1);
  by_logits.reset();
  CHECK(by_logits.total() == 0);
  CHECK(std::isnan(by_logits.accuracy()));
  CHECK(std::isnan(by_logits.mean_iou()));
}

// As part of a step that is captured and replayed.
void check_captured(Device device) {
  ConfusionMatrix seen(3, {.device = device});
  const Tensor logits = random({50, 3}, 2, -1, 1, DType::float32).to(device);
  const Tensor labels = argmax(logits, -1);
  CapturedStep step = capture(device, [&] { seen.add(logits, labels); });
  for (int i = 0; i < 4; ++i) step.replay();
  CHECK(seen.total() == 200);
  CHECK(seen.accuracy() == 1);
}

}  // namespace

TEST_CASE("ConfusionMatrix: counts batches of any size") {
  check_counts(Device::cpu());
  check_logits(Device::cpu());
  check_captured(Device::cpu());
}

TEST_CASE("cuda: ConfusionMatrix counts where the results are" * doctest::skip(no_device())) {
  check_counts(gpu());
  check_logits(gpu());
  check_captured(gpu());
  ConfusionMatrix seen(3, {.device = gpu()});
  seen.add_guesses(integers({0, 3}).to(gpu()), integers({-1, 0}).to(gpu()));
  CHECK(error_of([&] { seen.counts(); }) ==
        "ConfusionMatrix: 2 labels or guesses were not in [0, 3)");
}

TEST_CASE("ConfusionMatrix: what follows from the counts") {
  const ConfusionMatrix seen = counted(Device::cpu());
  const auto check = [](const std::vector<double>& got, const std::vector<double>& want) {
    REQUIRE(got.size() == want.size());
    for (std::size_t c = 0; c < got.size(); ++c) {
      CAPTURE(c);
      if (std::isnan(want[c]))
        CHECK(std::isnan(got[c]));
      else
        CHECK(got[c] == doctest::Approx(want[c]));
    }
  };
  const double none = std::nan("");
  check(seen.precision(), {1, 0.5, 1, 0, none});
  check(seen.recall(), {2.0 / 3, 1, 2.0 / 3, none, none});
  check(seen.f1(), {0.8, 2.0 / 3, 0.8, 0, none});
  check(seen.iou(), {2.0 / 3, 0.5, 2.0 / 3, 0, none});
  CHECK(seen.mean_iou() == doctest::Approx((2.0 / 3 + 0.5 + 2.0 / 3 + 0) / 4));
}

TEST_CASE("ConfusionMatrix: misuse is an Error") {
  ConfusionMatrix seen(3);
  const auto error = [&](const Tensor& guesses, const Tensor& labels) {
    return error_of([&] { seen.add_guesses(guesses, labels); });
  };
  CHECK(error(integers({0, 1}), integers({0, 3})) ==
        "ConfusionMatrix: label 3 or guess 1 of element 1 is not in [0, 3)");
  CHECK(contains(error(integers({-1}), integers({0})), "guess -1 of element 0"));
  CHECK(error(integers({0, 1}), integers({0})) ==
        "ConfusionMatrix: guesses of shape [2] and labels of [1]");
  CHECK(error(Tensor::zeros({1}), integers({0})) ==
        "ConfusionMatrix: guesses and labels are float32 and int64, expected integers");
  CHECK(error(integers({0}), Tensor()) == "ConfusionMatrix: the labels are undefined");
  CHECK(seen.total() == 0);
  CHECK(contains(error_of([&] {
                   seen.add(Tensor::zeros({2, 4}), integers({0, 0}));
                 }),
                 "ConfusionMatrix: expected logits [... 3], got float32 [2 4]"));
  CHECK(contains(error_of([] { ConfusionMatrix(0); }), "0 classes, expected 1 to 32768"));
  CHECK(contains(error_of([] { ConfusionMatrix(1 << 16); }), "65536 classes"));
}
