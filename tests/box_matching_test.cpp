#include <pliant/autograd/ops/box_matching.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <pliant/tests/cases/boxes.h>

namespace {

using namespace pliant;
using namespace pliant::test;
using Numbers = std::vector<double>;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Tensor int64(const std::vector<std::int64_t>& all) {
  return Tensor::from(all, {static_cast<std::int64_t>(all.size())});
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
