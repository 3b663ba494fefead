#include <pliant/autograd/ops/detections.h>

#include <pliant/tests/cases/boxes.h>

using namespace pliant;
using namespace pliant::test;

namespace {

using Numbers = std::vector<double>;

}  // namespace

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
