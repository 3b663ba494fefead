// Suppression: against the definition, at ties, and at what is no box.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <doctest/doctest.h>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/nms.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/tests/op_case.h>

namespace {

using namespace pliant;
using namespace pliant::test;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
using Numbers = std::vector<double>;

Tensor some_boxes(std::int64_t count, std::uint64_t seed, double field, DType dtype) {
  const Tensor low = random({count, 2}, seed, 0, field);
  const Tensor side = random({count, 2}, seed + 100, 5, 20);
  return concat({low, low + Var(side)}, 1).value().to(dtype);
}

// By the definition, with IoUs of box_iou.
Numbers suppressed_one_by_one(const Tensor& boxes, const Tensor& scores, const NMSOptions& o,
                              const Numbers& labels = {}) {
  const Tensor all = box_iou(boxes, boxes, o.sides).value();
  const Numbers iou = all.to_vector(), score = scores.to_vector();
  std::vector<std::size_t> order(score.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return score[a] > score[b]; });
  Numbers kept;
  for (const std::size_t i : order)
    if (std::none_of(kept.begin(), kept.end(), [&](double k) {
          const auto at = static_cast<std::size_t>(k);
          return (labels.empty() || labels[at] == labels[i]) &&
                 iou[at * score.size() + i] > o.iou_threshold;
        }))
      kept.push_back(static_cast<double>(i));
  return kept;
}

Tensor boxes(std::initializer_list<double> numbers) {
  return Tensor::from(numbers, {static_cast<std::int64_t>(numbers.size()) / 4, 4});
}

}  // namespace

TEST_CASE("nms: what the definition keeps, of few and of many, in both dtypes") {
  for (const std::int64_t count : {0, 1, 7, 200, 1500})
    for (const DType dtype : {DType::float64, DType::float32})
      for (const double threshold : {0.0, 0.3, 0.7}) {
        const Tensor all = some_boxes(count, 1, 60, dtype),
                     scores = random({count}, 2, 0, 1, dtype);
        const NMSOptions options{.iou_threshold = threshold};
        CHECK(nms(all, scores, options).to_vector() == suppressed_one_by_one(all, scores, options));
      }
}

TEST_CASE("nms: a label of its own, sides in pixels, and no more than so many") {
  const std::int64_t count = 300;
  const Tensor all = some_boxes(count, 3, 40, DType::float64), scores = random({count}, 4);
  const Tensor labels = Tensor::randint(0, 4, {count}, Rng(5));
  NMSOptions options{.iou_threshold = 0.4};
  const Numbers by_label = batched_nms(all, scores, labels, options).to_vector();
  CHECK(by_label == suppressed_one_by_one(all, scores, options, labels.to_vector()));
  CHECK(by_label.size() > nms(all, scores, options).to_vector().size());
  options.most = 5;
  CHECK(batched_nms(all, scores, labels, options).to_vector() ==
        Numbers(by_label.begin(), by_label.begin() + 5));
  options = {.iou_threshold = 0.4, .sides = BoxSides::inclusive};
  const Numbers whole = nms(all, scores, options).to_vector();
  CHECK(whole == suppressed_one_by_one(all, scores, options));
  options.most = 3;
  CHECK(nms(all, scores, options).to_vector() == Numbers(whole.begin(), whole.begin() + 3));
  options.most = 0;
  CHECK(nms(all, scores, options).size() == 0);
}

TEST_CASE("nms: the same on any number of threads") {
  const Tensor all = some_boxes(3000, 6, 200, DType::float32), scores = random({3000}, 7);
  const int before = thread_count();
  set_thread_count(1);
  const Numbers one = nms(all, scores.to(DType::float32)).to_vector();
  for (const int threads : {2, 3, 7}) {
    set_thread_count(threads);
    CHECK(nms(all, scores.to(DType::float32)).to_vector() == one);
  }
  set_thread_count(before);
}

TEST_CASE("nms: equal scores keep the order, an IoU at the threshold stays") {
  // IoU of neighbours 1/3, exactly.
  const Tensor row = boxes({0, 0, 2, 1, 1, 0, 3, 1, 2, 0, 4, 1});
  const Tensor same = Tensor::from({0.5, 0.5, 0.5}, {3});
  CHECK(nms(row, same, {.iou_threshold = 1.0 / 3}).to_vector() == Numbers{0, 1, 2});
  CHECK(nms(row, same, {.iou_threshold = 0.333}).to_vector() == Numbers{0, 2});
  CHECK(nms(row.to(DType::float32), same.to(DType::float32), {.iou_threshold = 0.3}).to_vector() ==
        Numbers{0, 2});
  CHECK(nms(row, Tensor::from({0.1, 0.9, 0.2}, {3}), {.iou_threshold = 0.3}).to_vector() ==
        Numbers{1});
}

TEST_CASE("nms: no area, the wrong order, NaN and infinity") {
  const Tensor odd = boxes({1, 1, 1, 1, 1, 1, 1, 1, 5, 5, 2, 2, 0, 0, kNaN, 2, 0, 0, 4, 4});
  const Tensor scores = Tensor::from({0.1, 0.2, 0.3, 0.9, kNaN}, {5});
  CHECK(nms(odd, scores).to_vector() == Numbers{2, 1, 0});
  const Tensor endless = boxes({0, 0, HUGE_VAL, 4, 0, 0, HUGE_VAL, 4});
  CHECK(nms(endless, Tensor::from({1.0, HUGE_VAL}, {2})).to_vector() == Numbers{1, 0});
  CHECK(nms(Tensor::zeros({0, 4}), Tensor::zeros({0})).shape() == Shape{0});
}

TEST_CASE("soft_nms: decay by hand, and where scores fall too low") {
  const Tensor row = boxes({0, 0, 2, 1, 1, 0, 3, 1, 9, 0, 11, 1});
  const Tensor scores = Tensor::from({0.9, 0.6, 0.3}, {3});
  const SoftNMSResult linear = soft_nms(row, scores, {.decay = SoftNMSDecay::linear});
  CHECK(linear.kept.to_vector() == Numbers{0, 1, 2});
  CHECK(max_difference(linear.scores, Tensor::from({0.9, 0.6 * 2 / 3, 0.3}, {3})) < 1e-15);
  const SoftNMSResult gaussian = soft_nms(row, scores);
  CHECK(max_difference(gaussian.scores, Tensor::from({0.9, 0.6 * std::exp(-2.0 / 9), 0.3}, {3})) <
        1e-15);
  CHECK(soft_nms(row, scores, {.decay = SoftNMSDecay::linear, .min_score = 0.5}).kept.to_vector() ==
        Numbers{0});
  // Below the threshold nothing decays; a decayed box comes after one that was worse.
  CHECK(soft_nms(row, Tensor::from({0.9, 0.4, 0.3}, {3}), {.decay = SoftNMSDecay::linear})
            .kept.to_vector() == Numbers{0, 2, 1});
  CHECK(soft_nms(Tensor::zeros({0, 4}), Tensor::zeros({0})).kept.size() == 0);
}

TEST_CASE("nms: what is refused, in one line that names it") {
  const Tensor two = Tensor::zeros({2, 4}), scores = Tensor::zeros({2});
  CHECK(contains(error_of([&] { nms(two, Tensor::zeros({3})); }), "nms: the boxes have shape"));
  CHECK(contains(error_of([&] { nms(scores, scores); }), "[N 4]"));
  CHECK(contains(error_of([&] { nms(two, scores, {.iou_threshold = 1.5}); }), "in [0, 1]"));
  CHECK(contains(error_of([&] { nms(two, scores, {.iou_threshold = kNaN}); }), "in [0, 1]"));
  CHECK(contains(error_of([&] { nms(two, scores, {.most = -1}); }), "at least 0"));
  CHECK(contains(error_of([&] { nms(two, scores.to(DType::float64)); }), "convert one"));
  CHECK(contains(error_of([&] { batched_nms(two, scores, scores); }), "labels int64 [2]"));
  CHECK(contains(error_of([&] { soft_nms(two, scores, {.sigma = 0}); }), "sigma is 0"));
}
