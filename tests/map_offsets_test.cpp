#include <pliant/autograd/ops/map_offsets.h>

#include <pliant/tests/cases/map_offsets.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("map_offsets: gradients, threads") { check(map_offsets_cases()); }

TEST_CASE("map_offsets: identity, and offsets that start at zero") {
  for (const Shape& shape :
       {Shape{2, 4, 5, 3}, Shape{1, 1, 1, 1}, Shape{0, 3, 3, 2}, Shape{3, 7, 2, 5}}) {
    Shape offsets = shape;
    offsets[3] *= 2;
    const Tensor x = random(shape, 3);
    CHECK(max_difference(x, map_offsets(x, Tensor::zeros(offsets, DType::float64)).value()) == 0);
  }
  const auto gradient_at_zero = [](const MapOffsetsOptions& options) {
    const Tape tape;
    const Var offset = tape.variable(Tensor::zeros({1, 3, 3, 2}, DType::float64));
    const Var y = map_offsets(random({1, 3, 3, 1}, 4), offset, options);
    return tape.gradients(y, {}, {.cotangent = random(y.shape(), 5)})[offset];
  };
  CHECK(gradient_at_zero({}).to_vector()[0] != 0);
  CHECK(max_difference(gradient_at_zero({.at_integers = AtIntegers::zero}),
                       Tensor::zeros({1, 3, 3, 2}, DType::float64)) == 0);
  CHECK(contains(error_of([] {
                   map_offsets(random({1, 3, 3, 2}, 1), random({1, 3, 3, 2}, 2));
                 }),
                 "the offset has shape [1 3 3 2], expected [1 3 3 4]"));
  const Tensor vast = Tensor::zeros({1, 65536, 65536, 0}, DType::float64);
  CHECK(contains(error_of([&] { map_offsets(vast, vast); }), "65536 x 65536 pixels is too large"));
}
