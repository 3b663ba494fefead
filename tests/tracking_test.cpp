// What a tracker learns from, does in a frame, and is judged by.
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include <pliant/autograd/ops/anchors.h>
#include <pliant/autograd/ops/boxes.h>
#include <pliant/autograd/ops/cross_correlation.h>
#include <pliant/layers/nets/siamrpn_targets.h>
#include <pliant/layers/nets/siamrpn_tracking.h>
#include <pliant/layers/train/tracking_metrics.h>
#include <pliant/tests/op_case.h>

namespace {

using namespace pliant;
using namespace pliant::test;
using Numbers = std::vector<double>;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
const Polygon kSquare = {{0, 0}, {2, 0}, {2, 2}, {0, 2}};

Polygon turned(const Polygon& polygon) { return {polygon.rbegin(), polygon.rend()}; }

}  // namespace

TEST_CASE("polygon_iou: by hand, whichever way they turn") {
  const Polygon diamond = {{1, -1}, {3, 1}, {1, 3}, {-1, 1}};  // area 8, holds the square
  const Polygon shifted = {{1, 1}, {3, 1}, {3, 3}, {1, 3}};
  for (const Polygon& a : {kSquare, turned(kSquare)}) {
    CHECK(polygon_iou(a, a) == 1);
    for (const Polygon& b : {diamond, turned(diamond)}) CHECK(polygon_iou(a, b) == 0.5);
    for (const Polygon& b : {shifted, turned(shifted)}) {
      CHECK(polygon_iou(a, b) == doctest::Approx(1.0 / 7));
      CHECK(polygon_iou(b, a) == doctest::Approx(1.0 / 7));
    }
  }
  CHECK(polygon_iou(kSquare, {{5, 5}, {6, 5}, {6, 6}}) == 0);
  CHECK(polygon_iou(kSquare, {{1, 1}, {1, 1}, {1, 1}, {1, 1}}) == 0);
  CHECK(polygon_iou({{1, 1}, {1, 1}, {1, 1}}, kSquare) == 0);
  CHECK(polygon_iou({}, {}) == 0);
  CHECK(polygon_iou(kSquare, {{2, 0}, {4, 0}, {4, 2}, {2, 2}}) == 0);  // an edge in common
}

TEST_CASE("axis_aligned_box: an upright rectangle and a pixel") {
  const CentredBox box = axis_aligned_box({{{1, 2}, {5, 2}, {5, 5}, {1, 5}}});
  CHECK(box.cx == 3);
  CHECK(box.cy == 3.5);
  CHECK(box.w == doctest::Approx(5));
  CHECK(box.h == doctest::Approx(4));
  const CentredBox point = axis_aligned_box({});
  CHECK(point.w == 1);
}

TEST_CASE("success and precision: absent targets are no success, and a hit (as pysot has it)") {
  const std::vector<TrackedBox> truth = {{10, 10, 10, 10}, {10, 10, 10, 10}, {0, 0, 0, 0}};
  const std::vector<TrackedBox> tracked = {{10, 10, 10, 10}, {10, 15, 10, 10}, {5, 5, 5, 5}};
  const Numbers success = success_curve(truth, tracked),
                precision = precision_curve(truth, tracked);
  CHECK(success[0] == doctest::Approx(2.0 / 3));  // 1 and 1/3
  CHECK(success[7] == doctest::Approx(1.0 / 3));
  CHECK(success[20] == 0);  // 1 is not above 1
  CHECK(success_auc(success) == doctest::Approx((20.0 + 7) / 3 / 21));
  CHECK(precision[0] == doctest::Approx(2.0 / 3));
  CHECK(precision[5] == 1);
  CHECK(std::isnan(success_curve({}, {})[0]));
  CHECK(contains(error_of([&] { success_curve(truth, {}); }), "3 true boxes and 0"));
}

TEST_CASE("tracking_accuracy: without the frames after each initialisation") {
  const ResetRun run{
      .overlaps = {1, 0.5, kNaN, kNaN, 1, 0.2, 0.4}, .starts = {0, 4}, .failures = 1};
  CHECK(tracking_accuracy({&run, 1}, 1) == doctest::Approx((0.5 + 0.2 + 0.4) / 3));
  CHECK(tracking_accuracy({&run, 1}, 2) == doctest::Approx(0.4));
  CHECK(std::isnan(tracking_accuracy({&run, 1}, 5)));
  const ResetRun wrong{.overlaps = {1}, .starts = {3}};
  CHECK(contains(error_of([&] { tracking_accuracy({&wrong, 1}); }), "initialisations"));
}

TEST_CASE("expected overlap: a fragment that failed goes on as zeros, the last ends") {
  const std::vector<ResetRun> runs = {{.overlaps = {1, 0.6, kNaN, 1, 0.8}, .starts = {0, 3}},
                                      {.overlaps = {1, 0.4}, .starts = {0}}};
  // Fragments 1 .6 0 1 0, 1 .8, and 1 .4.
  const Numbers curve = expected_overlap_curve(runs);
  REQUIRE(curve.size() == 5);
  CHECK(curve[0] == 1);
  CHECK(curve[1] == doctest::Approx(0.6));
  CHECK(curve[2] == doctest::Approx(0.3));
  CHECK(curve[3] == doctest::Approx(1.6 / 3));
  CHECK(curve[4] == doctest::Approx(0.4));
  CHECK(expected_average_overlap(curve, 2, 3) == doctest::Approx(0.45));
  CHECK(contains(error_of([&] { expected_average_overlap(curve, 2, 6); }), "a curve of 5"));
}

TEST_CASE("siamrpn_targets: the anchor itself is the best, deltas 0") {
  const Tensor anchors = siamrpn_anchors({}, DType::float64);
  const Tensor own = anchors.reshape({-1, 4}).slice(700, 701).clone();
  const Tensor box = convert_boxes(own, BoxForm::cxcywh, BoxForm::xyxy).value().reshape({4});
  const SiamRPNTargets targets = siamrpn_targets(box, anchors);
  CHECK(targets.iou.to_vector()[700] == doctest::Approx(1));
  CHECK(targets.labels.to_vector()[700] == 1);
  CHECK(targets.labels.to_vector()[0] == 0);
  CHECK(max_difference(targets.deltas.slice(700, 701), Tensor::zeros({1, 4})) < 1e-12);
  CHECK(contains(error_of([&] { siamrpn_targets(own, anchors); }), "a box [4]"));
  const SiamRPNClassicTargets classic =
      siamrpn_classic_targets(own.reshape({4}), siamrpn_classic_anchors({}, DType::float64));
  CHECK(classic.best.size() == 30);
  CHECK(classic.has_positives ==
        (classic.iou.to_vector()[static_cast<std::size_t>(classic.best.to_vector()[0])] > 0.5));
}

TEST_CASE(
    "tracking_step: a sure prediction is followed, in place at once and in size by its rate") {
  const Tensor anchors = siamrpn_anchors({.size = 3, .centre = 0}, DType::float64).reshape({-1, 4});
  const std::int64_t count = anchors.dim(0), middle = 2 * 9 + 4;  // the square about the centre
  Tensor scores = Tensor::zeros({count}, DType::float64);
  scores.mutable_span<double>()[static_cast<std::size_t>(middle)] = 1;
  const Tensor still = Tensor::zeros({count, 4}, DType::float64);
  const TrackedTarget last{50, 60, 32, 32};  // 64 x 64 of 127 pixels of the template
  const double scale = 127 / context_side(32, 32);
  CHECK(scale == doctest::Approx(127.0 / 64));
  const TrackingStep step = tracking_step(last, scores, still, anchors, 3, 100, 100, {.rate = 0.5});
  CHECK(step.best == middle);
  CHECK(step.target.cx == 50);
  CHECK(step.target.w == doctest::Approx(32 + (64 / scale - 32) * 0.5 * step.penalty));
  // Kept in the frame, and not below the least side.
  const TrackingStep corner = tracking_step({-5, 500, 5, 5}, scores, still, anchors, 3, 100, 100);
  CHECK(corner.target.cx == 0);
  CHECK(corner.target.cy == 100);
  CHECK(corner.target.w >= 10);
  scores.fill(kNaN);
  CHECK(contains(error_of([&] { tracking_step(last, scores, still, anchors, 3, 9, 9); }),
                 "no score is a finite number"));
  CHECK(contains(error_of([&] { tracking_step({}, scores, still, anchors, 3, 9, 9); }),
                 "sides above 0"));
  CHECK(contains(error_of([&] { tracking_step(last, scores, still, anchors, 4, 9, 9); }),
                 "no multiple of 4 x 4"));
}

TEST_CASE("hann_window: 0 at the border, 1 in the middle") {
  const Numbers window = hann_window(3);
  CHECK(window[0] == 0);
  CHECK(window[4] == doctest::Approx(1));
  CHECK(hann_window(1) == Numbers{1});
}

TEST_CASE("cross_correlation: pattern by pattern, and its gradients") {
  const Tensor search = random({2, 4, 5, 3}, 1), patterns = random({2, 2, 2, 6}, 2);
  const Var both = cross_correlation(search, patterns);
  CHECK(both.shape() == Shape{2, 3, 4, 2});
  double by_hand = 0;  // image 1, place (1, 2), pattern 1
  const Numbers x = search.to_vector(), z = patterns.to_vector();
  for (std::size_t r = 0; r < 2; ++r)
    for (std::size_t s = 0; s < 2; ++s)
      for (std::size_t c = 0; c < 3; ++c)
        by_hand += x[((1 * 4 + 1 + r) * 5 + 2 + s) * 3 + c] * z[((1 * 2 + r) * 2 + s) * 6 + 3 + c];
  CHECK(both.value().to_vector()[((1 * 3 + 1) * 4 + 2) * 2 + 1] == doctest::Approx(by_hand));
  check({"cross_correlation",
         [](const Vars& v) { return cross_correlation(v[0], v[1]); },
         {search, patterns}});
  CHECK(contains(error_of([&] {
                   cross_correlation(search, random({2, 2, 2, 5}, 1));
                 }),
                 "[N R S K*C]"));
}
