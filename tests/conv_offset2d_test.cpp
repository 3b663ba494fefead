// The orders in which ConvOffset2d reads its field, and the published code's derivative.
#include <pliant/layers/conv_offset2d.h>

#include <cmath>

#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

double largest(const Tensor& values) {
  return max_difference(values, Tensor::zeros(values.shape(), values.dtype()));
}

ConvOffset2d layer_in_double(std::int64_t channels, const ConvOffset2dOptions& options,
                             double spread) {
  ConvOffset2d layer(channels, options);
  layer.initialise(Rng(1));
  layer.to(DType::float64);
  layer.offset.weight.set(random(layer.offset.weight.shape(), 2, -spread, spread));
  return layer;
}

// The published code, by index: for channel c, P is planes 2c and 2c + 1 of the convolution's
// result, row by row and end to end; pixel n = y*W + x moves by dy = P[2n], dx = P[2n + 1].
Tensor published_order(const Tensor& conv) {
  const std::int64_t h = conv.dim(1), w = conv.dim(2), c2 = conv.dim(3);
  const std::vector<double> from = conv.to_vector();
  std::vector<double> to(from.size());
  for (std::int64_t n = 0; n < conv.dim(0); ++n)
    for (std::int64_t c = 0; c < c2 / 2; ++c)
      for (std::int64_t pixel = 0; pixel < h * w; ++pixel)
        for (std::int64_t k = 0; k < 2; ++k) {
          const std::int64_t at = 2 * pixel + k, plane = 2 * c + at / (h * w), place = at % (h * w);
          to[static_cast<std::size_t>((n * h * w + pixel) * c2 + 2 * c + k)] =
              from[static_cast<std::size_t>((n * h * w + place) * c2 + plane)];
        }
  return Tensor::from(to, conv.shape());
}

}  // namespace

TEST_CASE("ConvOffset2d: the scrambled order by the formula") {
  for (const Shape& shape : {Shape{2, 4, 6, 3}, Shape{1, 3, 5, 2}, Shape{2, 7, 2, 1},
                             Shape{1, 1, 1, 2}, Shape{0, 4, 3, 2}}) {
    CAPTURE(shape);
    const std::int64_t c = shape[3];
    const ConvOffset2d plain = layer_in_double(c, {}, 0.5);
    const ConvOffset2d scrambled = layer_in_double(c, {.order = FieldOrder::scrambled}, 0.5);
    const Tensor x = random(shape, 3);
    const Tensor conv = plain.offset(x).value(), want = published_order(conv);
    CHECK(max_difference(plain.field(x).value(), conv) == 0);
    CHECK(max_difference(scrambled.field(x).value(), want) == 0);
    CHECK(max_difference(scrambled(x).value(), map_offsets(x, want).value()) == 0);
    if (shape[1] > 1 && shape[0] > 0) CHECK(max_difference(conv, want) > 0.1);
  }
}

TEST_CASE("ConvOffset2d: where an even width takes its displacements from") {
  // Pixel (y, x) reads row (2y + [x >= W/2]) mod H and columns 2x mod W and 2x + 1 mod W, the top
  // half of the map from plane 2c and the bottom half from plane 2c + 1.
  const std::int64_t h = 4, w = 6;
  ConvOffset2d layer = layer_in_double(1, {.order = FieldOrder::scrambled}, 0.0);
  Tensor centre = Tensor::zeros(layer.offset.weight.shape(), DType::float64);
  centre.mutable_data<double>()[4] = 1;    // plane 0: x itself
  centre.mutable_data<double>()[13] = 10;  // plane 1: 10 x
  layer.offset.weight.set(centre);
  Tensor x = Tensor::zeros({1, h, w, 1}, DType::float64);
  for (std::int64_t i = 0; i < h * w; ++i)
    x.mutable_data<double>()[i] = static_cast<double>(100 + i);
  const std::vector<double> field = layer.field(x).value().to_vector();
  for (std::int64_t i = 0; i < h; ++i)
    for (std::int64_t j = 0; j < w; ++j)
      for (std::int64_t k = 0; k < 2; ++k) {
        const std::int64_t row = (2 * i + (j >= w / 2 ? 1 : 0)) % h, column = (2 * j + k) % w;
        const double want = static_cast<double>((100 + row * w + column) * (i < h / 2 ? 1 : 10));
        CHECK(field[static_cast<std::size_t>((i * w + j) * 2 + k)] == want);
      }
}

TEST_CASE("ConvOffset2d: gradients of every order and derivative, away from integers") {
  for (const FieldOrder order : {FieldOrder::interleaved, FieldOrder::scrambled})
    for (const AtIntegers at_integers : {AtIntegers::right_derivative, AtIntegers::zero}) {
      const ConvOffset2d layer =
          layer_in_double(3, {.order = order, .at_integers = at_integers}, 0.8);
      CHECK(layer.options().order == order);
      const Tensor x = random({2, 4, 5, 3}, 3);
      for (const double offset : layer.field(x).value().to_vector())
        REQUIRE(std::abs(offset - std::round(offset)) > 1e-4);
      const GradcheckResult result =
          gradcheck([&](const Vars& v) { return layer(v[0]); }, {x}, {}, {layer.offset.weight});
      CHECK_MESSAGE(result.passed, result.message);
    }
}

TEST_CASE("ConvOffset2d: offsets of zero learn, but not as published") {
  for (const FieldOrder order : {FieldOrder::interleaved, FieldOrder::scrambled})
    for (const AtIntegers at_integers : {AtIntegers::right_derivative, AtIntegers::zero}) {
      ConvOffset2d layer(3, {.order = order, .at_integers = at_integers});
      layer.initialise(Rng(1));
      const Tensor x = random({2, 5, 7, 3}, 4, -1, 1, DType::float32);
      CHECK(max_difference(layer(x).value(), x) == 0);
      const Tape tape;
      const Var y = layer(tape.input(x));
      const Tensor gradient = tape.gradients(
          y, {}, {.cotangent = random(y.shape(), 5, -1, 1, DType::float32)})[layer.offset.weight];
      if (at_integers == AtIntegers::zero)
        CHECK(largest(gradient) == 0);
      else
        CHECK(largest(gradient) > 1e-3);
    }
}
