// Forms and overlaps of boxes, their coding, and anchors.
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include <pliant/autograd/ops/anchors.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/box_coding.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/tests/op_case.h>

namespace {

using namespace pliant;
using namespace pliant::test;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Tensor boxes(std::initializer_list<double> numbers) {
  return Tensor::from(numbers, {static_cast<std::int64_t>(numbers.size()) / 4, 4});
}

// Boxes with sides of 5 and more, on a field of 30 x 30.
Tensor some_boxes(std::int64_t count, std::uint64_t seed) {
  const Tensor low = random({count, 2}, seed, 0, 20);
  const Tensor side = random({count, 2}, seed + 100, 5, 10);
  return concat({low, low + Var(side)}, 1).value();
}

using Numbers = std::vector<double>;

}  // namespace

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

TEST_CASE("boxes: gradients, threads and dtypes") {
  const Tensor a = some_boxes(4, 1), b = some_boxes(3, 2);
  using Overlap = Var (*)(const Var&, const Var&);
  for (const Overlap overlap : {Overlap([](const Var&x, const Var&y) { return box_iou(x, y); }),
                                Overlap(generalized_box_iou), Overlap(distance_box_iou)}) {
    const OpCase op{"box overlap", [=](const Vars& v) { return overlap(v[0], v[1]); }, {a, b}};
    check(op);
    check_same_on_any_threads(op);
  }
}

TEST_CASE("clip_boxes cuts to the image") {
  const Var cut = clip_boxes(boxes({-3, 2, 12, 50, 1, 1, 2, 2}), {20, 10});
  CHECK(cut.value().to_vector() == Numbers{0, 2, 10, 20, 1, 1, 2, 2});
  CHECK(std::isnan(clip_boxes(boxes({kNaN, 0, 1, 1}), {20, 10}).value().to_vector()[0]));
}

TEST_CASE("box coding: there and back, by every convention") {
  const Tensor anchors = some_boxes(6, 3), wanted = some_boxes(6, 4);
  for (const BoxCoding& coding :
       {BoxCoding{}, BoxCoding{.weights = {10, 10, 5, 5}}, BoxCoding{.epsilon = 0.01}}) {
    const Var deltas = encode_boxes(wanted, anchors, coding);
    CHECK(max_difference(decode_boxes(deltas, anchors, coding).value(), wanted) < 1e-12);
  }
  // c - w/2 .. c + w/2, of a width that counts pixels: a pixel more than the box.
  const BoxCoding inclusive{.sides = BoxSides::inclusive};
  const Var back = decode_boxes(encode_boxes(wanted, anchors, inclusive), anchors, inclusive);
  CHECK(max_difference((back - Var(wanted)).value(),
                       broadcast_to(Tensor::from({0.0, 0.0, 1.0, 1.0}, {4}), {6, 4}).value()) <
        1e-12);
}

TEST_CASE("box coding: several boxes an anchor, and a clamp to 1000/16") {
  const Tensor anchors = boxes({0, 0, 16, 16}),
               deltas = Tensor::from({0.0, 0.0, 9.0, 0.0, 0.5, -0.5, 0.0, 0.0}, {1, 8});
  const Numbers got = decode_boxes(deltas, anchors).value().to_vector();
  CHECK(got[2] - got[0] == doctest::Approx(1000).epsilon(1e-12));
  CHECK(Numbers(got.begin() + 4, got.end()) == Numbers{8, -8, 24, 8});
  const Numbers free = decode_boxes(deltas, anchors, {.most_scale = HUGE_VAL}).value().to_vector();
  CHECK(free[2] - free[0] == doctest::Approx(16 * std::exp(9)).epsilon(1e-12));
}

TEST_CASE("box coding: gradients, and what is refused") {
  const Tensor anchors = some_boxes(3, 5);
  check({"encode_boxes",
         [&](const Vars& v) { return encode_boxes(v[0], v[1]); },
         {some_boxes(3, 6), anchors}});
  check({"decode_boxes",
         [&](const Vars& v) { return decode_boxes(v[0], v[1]); },
         {random({3, 8}, 7), anchors}});
  CHECK(contains(error_of([&] { decode_boxes(random({3, 6}, 8), anchors); }), "[3 4*K]"));
  CHECK(contains(error_of([&] { encode_boxes(anchors, random({3, 5}, 8)); }), "[... 4]"));
  CHECK(contains(error_of([&] {
                   encode_boxes(anchors, anchors, {.weights = {1, 0, 1, 1}});
                 }),
                 "a weight is 0"));
  CHECK(contains(error_of([&] { encode_boxes(anchors, anchors.to(DType::float32)); }),
                 "convert one"));
  CHECK(contains(error_of([] { box_iou(random({3}, 1), random({3, 4}, 1)); }), "[N 4]"));
}

TEST_CASE("anchors: a cell of each kind, and its place on the grid") {
  CHECK(cell_anchors({32}, {0.5, 1}).to_vector() == Numbers{-23, -11, 23, 11, -16, -16, 16, 16});
  CHECK(classic_cell_anchors(16, {0.5}, {8}).to_vector() == Numbers{-84, -40, 99, 55});
  const Tensor grid = grid_anchors(cell_anchors({4}, {1}), {2, 2}, {10, 20});
  CHECK(grid.to_vector() == Numbers{-2, -2, 2, 2, 18, -2, 22, 2, -2, 8, 2, 12, 18, 8, 22, 12});
  const Tensor pysot = siamrpn_anchors();
  CHECK(pysot.shape() == Shape{5, 17, 17, 4});
  CHECK(pysot.slice(0, 1).reshape({-1, 4}).slice(0, 1).to_vector() == Numbers{63, 63, 104, 32});
  CHECK(siamrpn_classic_anchors().shape() == Shape{1445, 4});
}

TEST_CASE("anchors: what is refused, and a map without places") {
  CHECK(grid_anchors(cell_anchors({4}, {1}), {0, 3}, 8).shape() == Shape{0, 4});
  CHECK(contains(error_of([] { cell_anchors({}, {1}); }), "no sizes"));
  CHECK(contains(error_of([] { cell_anchors({4}, {0}); }), "ratios is 0"));
  CHECK(contains(error_of([] { grid_anchors(Tensor::zeros({4}), 2, 8); }), "[K 4]"));
  CHECK(contains(error_of([] { grid_anchors(Tensor::zeros({1, 4}), 2, 0); }), "at least 0 and 1"));
  CHECK(contains(error_of([] { siamrpn_anchors({.ratios = {}}); }), "no ratios"));
}
