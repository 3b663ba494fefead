#include <pliant/autograd/ops/box_coding.h>

#include <cmath>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/tests/cases/box_coding.h>

using namespace pliant;
using namespace pliant::test;

namespace {

using Numbers = std::vector<double>;

}  // namespace

TEST_CASE("box coding: there and back, by every convention") {
  const Tensor anchors = random_boxes(6, 3), wanted = random_boxes(6, 4);
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
  const Tensor anchors = random_boxes(3, 5);
  check(box_coding_cases());
  CHECK(contains(error_of([&] { decode_boxes(random({3, 6}, 8), anchors); }), "[3 4*K]"));
  CHECK(contains(error_of([&] { encode_boxes(anchors, random({3, 5}, 8)); }), "[... 4]"));
  CHECK(contains(error_of([&] {
                   encode_boxes(anchors, anchors, {.weights = {1, 0, 1, 1}});
                 }),
                 "a weight is 0"));
  CHECK(contains(error_of([&] { encode_boxes(anchors, anchors.to(DType::float32)); }),
                 "convert one"));
}
