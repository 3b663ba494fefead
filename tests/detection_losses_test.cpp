#include <pliant/autograd/ops/detection_losses.h>

#include <cmath>

#include <pliant/tests/cases/detection_losses.h>

using namespace pliant;
using namespace pliant::test;

namespace {

using Numbers = std::vector<double>;

Tensor int64(const std::vector<std::int64_t>& all) {
  return Tensor::from(all, {static_cast<std::int64_t>(all.size())});
}

}  // namespace

TEST_CASE("detection losses: gradients, threads") { check(detection_losses_cases()); }

TEST_CASE("detection losses: by hand, and with nothing to learn") {
  const Tensor logits = Tensor::from({0.0, 0.0, 5.0}, {3});
  const Tensor deltas = Tensor::from(Numbers{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, {3, 4});
  const BoxSample sample{int64({0}), int64({1})};
  const DetectionLoss loss =
      rpn_loss(logits, deltas, Tensor::zeros({1, 4}, DType::float64), sample);
  CHECK(loss.classes.value().item() == doctest::Approx(std::log(2)));
  CHECK(loss.boxes.value().item() == doctest::Approx((1 - 0.5 / 9) / 2));

  const Tensor labels = int64({0, 2});
  const Tensor two = Tensor::zeros({2, 3}, DType::float64);
  Tensor regression = Tensor::zeros({2, 12}, DType::float64);
  regression.mutable_span<double>()[12 + 8] = 1;  // of region 1, class 2
  regression.mutable_span<double>()[8] = 100;     // of the background's region: not read
  const DetectionLoss second =
      fast_rcnn_loss(two, regression, labels, Tensor::zeros({2, 4}, DType::float64));
  CHECK(second.classes.value().item() == doctest::Approx(std::log(3)));
  CHECK(second.boxes.value().item() == doctest::Approx((1 - 0.5 / 9) / 2));

  // Without positives only the negatives count, and the boxes' loss is 0.
  const Tensor map = Tensor::zeros({1, 2, 1, 2}, DType::float64);
  const Tensor steps = random({1, 2, 1, 4}, 1);
  const DetectionLoss tracker = siamrpn_loss(
      map, steps, Tensor::from({std::int64_t{0}, std::int64_t{-1}}, {1, 2, 1, 1}),
      Tensor::zeros({1, 2, 1, 4}, DType::float64), Tensor::zeros({1, 2, 1, 1}, DType::float64));
  CHECK(tracker.classes.value().item() == doctest::Approx(0.5 * std::log(2)));
  CHECK(tracker.boxes.value().item() == 0);
  CHECK(contains(error_of([&] { rpn_loss(logits, deltas, deltas, sample); }), "[1 4]"));
  CHECK(contains(error_of([&] {
                   fast_rcnn_loss(two, regression, int64({0, 9}), two);
                 }),
                 "the targets"));
}
