#include <pliant/autograd/ops/boxes.h>

#include <cmath>
#include <limits>

#include <pliant/tests/cases/boxes.h>

using namespace pliant;
using namespace pliant::test;

namespace {

using Numbers = std::vector<double>;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("boxes: gradients, threads") {
  check(boxes_cases());
  CHECK(contains(error_of([] { box_iou(random({3}, 1), random({3, 4}, 1)); }), "[N 4]"));
}

TEST_CASE("boxes: the three forms, and back") {
  const Tensor corners = boxes({1, 2, 5, 10, 0, 0, 3, 1});
  const Var size = convert_boxes(corners, BoxForm::xyxy, BoxForm::xywh);
  const Var centre = convert_boxes(corners, BoxForm::xyxy, BoxForm::cxcywh);
  CHECK(size.value().to_vector() == Numbers{1, 2, 4, 8, 0, 0, 3, 1});
  CHECK(centre.value().to_vector() == Numbers{3, 6, 4, 8, 1.5, 0.5, 3, 1});
  const std::vector<std::pair<BoxForm, Var>> forms = {
      {BoxForm::xyxy, corners}, {BoxForm::xywh, size}, {BoxForm::cxcywh, centre}};
  for (const auto& [from, given] : forms)
    for (const auto& [to, want] : forms)
      CHECK(convert_boxes(given, from, to).value().to_vector() == want.value().to_vector());
}

TEST_CASE("boxes: overlaps by hand, by both measures of a side") {
  const Tensor a = boxes({0, 0, 4, 4}), b = boxes({2, 2, 6, 6, 4, 0, 8, 4, 0, 0, 4, 4});
  CHECK(max_difference(box_iou(a, b).value(), Tensor::from({4.0 / 28, 0.0, 1.0}, {1, 3})) < 1e-15);
  CHECK(max_difference(box_iou(a, b, BoxSides::inclusive).value(),
                       Tensor::from({9.0 / 41, 5.0 / 45, 1.0}, {1, 3})) < 1e-15);
  CHECK(max_difference(generalized_box_iou(a, b).value(),
                       Tensor::from({4.0 / 28 - 8.0 / 36, 0.0, 1.0}, {1, 3})) < 1e-15);
  CHECK(max_difference(distance_box_iou(a, b).value(),
                       Tensor::from({4.0 / 28 - 8.0 / 72, -16.0 / 80, 1.0}, {1, 3})) < 1e-15);
  CHECK(box_area(a).value().to_vector() == Numbers{16});
  CHECK(box_area(a, BoxSides::inclusive).value().to_vector() == Numbers{25});
}

TEST_CASE("boxes: what has no area, no order, no number or no row") {
  const Tensor odd = boxes({1, 1, 1, 5, 4, 4, 2, 2, 1, 1, 1, 5}), whole = boxes({0, 0, 8, 8});
  CHECK(box_iou(odd, odd).value().to_vector() == Numbers(9, 0));
  CHECK(box_iou(odd, whole).value().to_vector() == Numbers(3, 0));
  CHECK(box_area(odd).value().to_vector() == Numbers{0, 0, 0});
  const Tensor point = boxes({3, 3, 3, 3});
  CHECK(generalized_box_iou(point, point).value().item() == 0);
  CHECK(distance_box_iou(point, point).value().item() == 0);
  CHECK(std::isnan(box_iou(boxes({0, 0, kNaN, 4}), whole).value().item()));
  CHECK(box_iou(Tensor::zeros({0, 4}), Tensor::zeros({3, 4})).shape() == Shape{0, 3});
  CHECK(boxes_of_size(boxes({0, 0, 2, 2, 0, 0, 1, 5, kNaN, 0, 9, 9}), 2).to_vector() == Numbers{0});
}

TEST_CASE("clip_boxes cuts to the image") {
  const Var cut = clip_boxes(boxes({-3, 2, 12, 50, 1, 1, 2, 2}), {20, 10});
  CHECK(cut.value().to_vector() == Numbers{0, 2, 10, 20, 1, 1, 2, 2});
  CHECK(std::isnan(clip_boxes(boxes({kNaN, 0, 1, 1}), {20, 10}).value().to_vector()[0]));
}
