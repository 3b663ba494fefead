// Matching, sampling, levels of regions, proposals, detections and their losses.
#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <doctest/doctest.h>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/detection_losses.h>
#include <pliant/autograd/ops/detections.h>
#include <pliant/autograd/ops/multiscale_roi_align.h>
#include <pliant/autograd/ops/rearrange.h>
#include <pliant/tests/op_case.h>

namespace {

using namespace pliant;
using namespace pliant::test;
using Numbers = std::vector<double>;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Tensor int64(const std::vector<std::int64_t>& all) {
  return Tensor::from(all, {static_cast<std::int64_t>(all.size())});
}

Tensor boxes(std::initializer_list<double> numbers) {
  return Tensor::from(numbers, {static_cast<std::int64_t>(numbers.size()) / 4, 4});
}

}  // namespace

TEST_CASE("match_boxes: thresholds, ties and the best of a box") {
  // Two boxes, five candidates.
  const Tensor iou = Tensor::from({0.7, 0.2, 0.5, 0.0, 0.3, 0.1, 0.6, 0.5, 0.0, 0.2}, {2, 5});
  CHECK(match_boxes(iou, {.low_quality = false}).to_vector() == Numbers{0, -2, -2, -1, -2});
  CHECK(match_boxes(iou).to_vector() == Numbers{0, 1, -2, -1, -2});
  // The best candidate of box 1 overlaps box 0 more, and keeps that.
  const Tensor crossed = Tensor::from({0.9, 0.6, 0.2, 0.5}, {2, 2});
  CHECK(match_boxes(crossed).to_vector() == Numbers{0, 0});
  // All that tie for a box are matched; a box that overlaps nothing matches nothing.
  CHECK(match_boxes(Tensor::from({0.4, 0.4, 0.1, 0.0, 0.0, 0.0}, {2, 3})).to_vector() ==
        Numbers{0, 0, -1});
  CHECK(match_boxes(Tensor::from({kNaN, 0.8}, {1, 2})).to_vector() == Numbers{-1, 0});
  CHECK(match_boxes(Tensor::zeros({0, 3})).to_vector() == Numbers{-1, -1, -1});
  CHECK(match_boxes(Tensor::zeros({2, 0})).shape() == Shape{0});
  CHECK(contains(error_of([&] { match_boxes(iou, {.high = 0.1}); }), "low <= high"));
  CHECK(contains(error_of([] { match_boxes(Tensor::zeros({3})); }), "[G A]"));
}

TEST_CASE("classic_anchor_labels: only anchors wholly inside have labels") {
  const Tensor anchors = boxes({0, 0, 9, 9, 10, 10, 19, 19, -1, 0, 9, 9, 10, 0, 20, 9, 1, 0, 9, 9});
  const Tensor truth = boxes({0, 0, 9, 9});
  CHECK(classic_anchor_labels(anchors, truth, {20, 20}).to_vector() == Numbers{1, 0, -1, -1, 1});
  CHECK(
      classic_anchor_labels(anchors, Tensor::zeros({0, 4}, DType::float64), {20, 20}).to_vector() ==
      Numbers{0, 0, -1, -1, 0});
}

TEST_CASE("sample_boxes: shares, and a choice by key that is uniform and repeatable") {
  std::vector<std::int64_t> matches;
  for (std::int64_t i = 0; i < 100; ++i) matches.push_back(i % 5 == 0 ? 3 : i % 5 == 1 ? -2 : -1);
  const BoxSampling options{.size = 40, .positive_fraction = 0.25};
  const BoxSample one = sample_boxes(int64(matches), options, Rng(1));
  CHECK(one.positives.size() == 10);
  CHECK(one.negatives.size() == 30);
  const Numbers positives = one.positives.to_vector(), negatives = one.negatives.to_vector();
  CHECK(std::is_sorted(negatives.begin(), negatives.end()));
  CHECK(std::set<double>(negatives.begin(), negatives.end()).size() == 30);
  for (const double i : positives) CHECK(matches[static_cast<std::size_t>(i)] == 3);
  for (const double i : negatives) CHECK(matches[static_cast<std::size_t>(i)] == -1);
  CHECK(sample_boxes(int64(matches), options, Rng(1)).negatives.to_vector() == negatives);
  CHECK(sample_boxes(int64(matches), options, Rng(2)).negatives.to_vector() != negatives);
  std::vector<int> drawn(100, 0);
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const BoxSample sample = sample_boxes(int64(matches), options, Rng(seed));
    for (const double i : sample.positives.to_vector()) ++drawn[static_cast<std::size_t>(i)];
  }
  // 400 draws of 10 of 20: 200 each, deviation 10.
  for (std::size_t i = 0; i < 100; i += 5) CHECK(std::abs(drawn[i] - 200) < 50);
}

TEST_CASE("sample_boxes: too few of one kind, and a bound to the negatives") {
  const Tensor matches = int64({0, -1, -1, -1, -2});
  CHECK(sample_boxes(matches, {.size = 4}, Rng(1)).negatives.size() == 3);
  CHECK(sample_boxes(matches, {.size = 4, .most_negatives = 1}, Rng(1)).negatives.size() == 1);
  const BoxSample none = sample_boxes(int64({-2, -2}), {}, Rng(1));
  CHECK(none.positives.size() + none.negatives.size() == 0);
  CHECK(contains(error_of([&] { sample_boxes(matches, {.positive_fraction = 2}, Rng(1)); }),
                 "in [0, 1]"));
  CHECK(contains(error_of([] { sample_boxes(Tensor::zeros({3}), {}, Rng(1)); }), "int64 [A]"));
}

TEST_CASE("roi_levels: a side twice as long is a level further, within the pyramid") {
  const auto roi = [](double side) { return std::vector<double>{0, 0, 0, side, side}; };
  Numbers all;
  for (const double side : {0.0, 56.0, 111.0, 112.0, 224.0, 448.0, 9000.0})
    for (const double number : roi(side)) all.push_back(number);
  all.insert(all.end(), {0, 5, 5, 1, 9});  // ends before it begins: NaN
  const Tensor rois = Tensor::from(all, {8, 5});
  CHECK(roi_levels(rois, {}).to_vector() == Numbers{0, 0, 0, 1, 2, 3, 3, 0});
}

TEST_CASE("multiscale_roi_align: each region as by roi_align from its own map") {
  const Tensor fine = random({2, 16, 16, 3}, 1), coarse = random({2, 8, 8, 3}, 2);
  const Tensor rois = Tensor::from(
      {1.0, 0.0, 0.0, 200.0, 220.0, 0.0, 3.0, 4.0, 20.0, 21.0, 1.0, 30.0, 30.0, 180.0, 200.0},
      {3, 5});
  const MultiScaleRoIAlignOptions options{.output_size = 2,
                                          .spatial_scales = {1.0 / 4, 1.0 / 8},
                                          .canonical_size = 112,
                                          .canonical_level = 3};
  CHECK(roi_levels(rois, {2, 3, 112, 3}).to_vector() == Numbers{1, 0, 1});
  const Var all = multiscale_roi_align({fine, coarse}, rois, options);
  const auto one = [&](const Tensor& map, double scale, std::int64_t r) {
    return roi_align(
               map, rois.slice(r, r + 1).clone(),
               {.output_size = 2, .spatial_scale = scale, .sampling_ratio = 2, .aligned = false})
        .value();
  };
  CHECK(max_difference(all.value().slice(0, 1), one(coarse, 0.125, 0)) == 0);
  CHECK(max_difference(all.value().slice(1, 2), one(fine, 0.25, 1)) == 0);
  CHECK(max_difference(all.value().slice(2, 3), one(coarse, 0.125, 2)) == 0);
  check({"multiscale_roi_align",
         [&](const Vars& v) { return multiscale_roi_align(v, rois.to(v[0].dtype()), options); },
         {fine, coarse}});
  CHECK(multiscale_roi_align({fine, coarse}, Tensor::zeros({0, 5}, DType::float64), options)
            .shape() == Shape{0, 2, 2, 3});
  CHECK(contains(error_of([&] { multiscale_roi_align({fine}, rois, options); }), "1 maps and 2"));
  CHECK(contains(error_of([&] {
                   multiscale_roi_align({fine, coarse}, rois, {.spatial_scales = {0.25, 0.2}});
                 }),
                 "expected its half"));
  CHECK(contains(error_of([&] { multiscale_roi_align({fine}, rois, {.spatial_scales = {0.3}}); }),
                 "a power of 2"));
}

TEST_CASE("region_proposals: best first, nothing small, suppressed, and few enough") {
  // Two anchors on one place, one elsewhere, one that is only a line within the image.
  const Tensor anchors = boxes({0, 0, 10, 10, 1, 0, 11, 10, 30, 30, 50, 50, -20, 0, 0, 10});
  const Tensor logits = Tensor::from({1.0, 2.0, 0.0, 9.0}, {4});
  const Tensor still = Tensor::zeros({4, 4}, DType::float64);
  const ScoredBoxes found = region_proposals(logits, still, anchors, {40, 40});
  CHECK(max_difference(found.boxes, boxes({1, 0, 11, 10, 30, 30, 40, 40})) < 1e-12);
  CHECK(found.scores.to_vector()[1] == doctest::Approx(0.5));
  CHECK(region_proposals(logits, still, anchors, {40, 40}, {.after_nms = 1}).boxes.dim(0) == 1);
  CHECK(region_proposals(logits, still, anchors, {40, 40}, {.before_nms = 1}).boxes.dim(0) == 0);
  CHECK(region_proposals(logits, still, anchors, {40, 40}, {.min_score = 0.6}).boxes.dim(0) == 1);
  const Tensor none = Tensor::zeros({0, 4});
  CHECK(region_proposals(Tensor::zeros({0}), none, none, {40, 40}).boxes.shape() == Shape{0, 4});
}

TEST_CASE("detections: a label of each region's classes, none of the background") {
  const Tensor proposals = boxes({0, 0, 10, 10, 20, 20, 30, 30});
  const Tensor logits = Tensor::from({0.0, 3.0, 2.0, 9.0, 0.0, 0.0}, {2, 3});
  const Tensor still = Tensor::zeros({2, 12}, DType::float64);
  const ScoredBoxes found = detections(logits, still, proposals, {40, 40});
  CHECK(found.labels.to_vector() == Numbers{1, 2});  // one box, two classes
  CHECK(max_difference(found.boxes, boxes({0, 0, 10, 10, 0, 0, 10, 10})) < 1e-12);
  CHECK(detections(logits, still, proposals, {40, 40}, {.most = 1}).labels.to_vector() ==
        Numbers{1});
  const ScoredBoxes none = detections(logits, still, proposals, {40, 40}, {.min_score = 1});
  CHECK(none.boxes.shape() == Shape{0, 4});
  CHECK(none.labels.shape() == Shape{0});
  CHECK(contains(error_of([&] { detections(logits, proposals, proposals, {40, 40}); }), "[2 12]"));
}

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
