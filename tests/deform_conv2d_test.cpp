#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/deform_conv2d.h>
#include <pliant/autograd/ops/map_offsets.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

struct Case {
  const char* name;
  Shape x, weight;
  std::int64_t p, q;  // output height and width
  DeformConvOptions options;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"3x3", {2, 5, 4, 3}, {4, 3, 3, 3}, 5, 4, {.padding = 1}},
      {"1x1 map", {1, 1, 1, 2}, {3, 1, 1, 2}, 1, 1, {}},
      {"stride, uneven padding",
       {2, 6, 5, 2},
       {3, 3, 3, 2},
       3,
       2,
       {.stride = 2, .padding = {0, 1, 0, 1}}},
      {"dilation",
       {1, 7, 8, 1},
       {2, 3, 2, 1},
       7,
       5,
       {.stride = {1, 2}, .padding = 2, .dilation = {2, 3}}},
      {"groups and offset groups",
       {2, 4, 4, 6},
       {4, 3, 3, 3},
       4,
       4,
       {.padding = 1, .groups = 2, .offset_groups = 3}},
      {"depthwise", {2, 5, 3, 5}, {5, 3, 3, 1}, 5, 3, {.padding = 1, .groups = 5}},
      {"empty batch", {0, 4, 4, 2}, {3, 3, 3, 2}, 4, 4, {.padding = 1}},
      {"prime batch, odd channels", {7, 3, 4, 5}, {11, 2, 2, 5}, 2, 3, {}},
  };
  return all;
}

// Offsets whose sampling points keep away from the grid lines, where derivatives jump.
Tensor generic_offsets(const Shape& shape, std::uint64_t seed) {
  const Tensor whole = random(shape, seed, -2.0, 3.0), part = random(shape, seed + 1, 0.1, 0.9);
  Tensor offsets = Tensor::empty(shape, DType::float64);
  double* const to = offsets.mutable_data<double>();
  for (std::int64_t i = 0; i < offsets.size(); ++i)
    to[i] = std::floor(whole.data<double>()[i]) + part.data<double>()[i];
  return offsets;
}

}  // namespace

TEST_CASE("deform_conv2d: gradients at edge shapes, with and without mask, under both boundaries") {
  for (const Case& c : cases()) {
    const std::int64_t taps = c.options.offset_groups * c.weight[1] * c.weight[2];
    const std::vector<Tensor> inputs = {
        random(c.x, 1), generic_offsets({c.x[0], c.p, c.q, 2 * taps}, 2),
        random({c.x[0], c.p, c.q, taps}, 4), random(c.weight, 5), random({c.weight[0]}, 6)};
    for (const Border border : {Border::zeros, Border::dcn_v1}) {
      DeformConvOptions options = c.options;
      options.border = border;
      check({c.name,
             [&](const Vars& v) { return deform_conv2d(v[0], v[1], v[3], v[4], v[2], options); },
             inputs, 2e-4});
      check({c.name,
             [&](const Vars& v) { return deform_conv2d(v[0], v[1], v[2], v[3], {}, options); },
             {inputs[0], inputs[1], inputs[3], inputs[4]},
             2e-4});
    }
  }
}

TEST_CASE("deform_conv2d: zero offsets are a plain convolution, integer ones a shifted one") {
  const ConvOptions plain{.stride = 2, .padding = {0, 1, 0, 1}};
  const DeformConvOptions bent{.stride = 2, .padding = {0, 1, 0, 1}};
  const Var x(random({2, 9, 8, 5}, 1)), weight(random({3, 3, 3, 5}, 2)), bias(random({3}, 3));
  const Tensor expected = conv2d(x, weight, bias, plain).value();
  Shape offsets = expected.shape();
  offsets[3] = 18;
  const Tensor zero = Tensor::zeros(offsets, DType::float64);
  CHECK(max_difference(expected, deform_conv2d(x, zero, weight, bias, {}, bent).value()) < 1e-12);
  // One pixel down: the same as one row less padding before and one more after.
  Tensor down = Tensor::zeros(offsets, DType::float64);
  for (std::int64_t i = 0; i < down.size(); i += 2) down.mutable_data<double>()[i] = 1;
  const Tensor wide = conv2d(x, weight, bias, {.stride = {1, 2}, .padding = {0, 2, 0, 1}}).value();
  const Tensor shifted = deform_conv2d(x, down, weight, bias, {}, bent).value();
  for (std::int64_t n = 0; n < 2; ++n)
    for (std::int64_t p = 0; p < expected.dim(1); ++p)
      CHECK(max_difference(
                shifted.slice(n, n + 1).reshape({expected.dim(1), -1}).slice(p, p + 1),
                wide.slice(n, n + 1).reshape({wide.dim(1), -1}).slice(2 * p + 1, 2 * p + 2)) <
            1e-12);
}

TEST_CASE("deform_conv2d: zero offsets learn (right-hand derivative)") {
  const Tape tape;
  const Var x = tape.input(random({1, 6, 6, 4}, 1));
  const Var offset = tape.variable(Tensor::zeros({1, 6, 6, 18}, DType::float64));
  const Var y = deform_conv2d(x, offset, random({3, 3, 3, 4}, 2), {}, {}, {.padding = 1});
  const std::vector<double> gradient =
      tape.gradients(y, {}, {.cotangent = random(y.shape(), 3)})[offset].to_vector();
  std::size_t zeros = 0;
  for (const double g : gradient) zeros += g == 0 ? 1 : 0;
  CHECK(zeros < gradient.size() / 3);  // only taps outside the map have none
}

TEST_CASE("deform_conv2d: frozen convolution under training offsets keeps no more than it needs") {
  Parameter weight(random({4, 3, 3, 3}, 1), "weight");
  weight.set_frozen(true);
  const Tape tape;
  const Var x = tape.input(random({1, 5, 5, 3}, 2));
  const Var offset = tape.variable(random({1, 5, 5, 18}, 3));
  const Var y = deform_conv2d(x, offset, x.lift(weight), {}, {}, {.padding = 1});
  CHECK(tape.saved_bytes() == x.value().bytes() + offset.value().bytes() + weight.value().bytes());
  CHECK(tape.gradients(y, {}, {.cotangent = y.value()}).contains(offset));
}

TEST_CASE("deform_conv2d: bad arguments") {
  const Var x(random({2, 8, 8, 4}, 1)), w(random({6, 3, 3, 4}, 2));
  const auto message = [&](const Shape& offset, const Shape& mask, std::int64_t groups) {
    return error_of([&] {
      deform_conv2d(x, random(offset, 3), w, {}, mask.rank() == 0 ? Var() : Var(random(mask, 4)),
                    {.padding = 1, .offset_groups = groups});
    });
  };
  CHECK(contains(message({2, 8, 8, 9}, {}, 1),
                 "the offset has shape [2 8 8 9], expected [2 8 8 18]"));
  CHECK(contains(message({2, 6, 8, 18}, {}, 1), "expected [2 8 8 18]"));
  CHECK(contains(message({2, 8, 8, 18}, {2, 8, 8, 8}, 1), "the mask has shape [2 8 8 8]"));
  CHECK(contains(message({2, 8, 8, 54}, {}, 3), "4 channels do not divide into 3 offset groups"));
  CHECK(contains(error_of([&] {
                   deform_conv2d(x, Tensor::zeros({2, 6, 6, 18}), w);
                 }),
                 "is float64 but "));
  const auto channels = [](std::int64_t in, std::int64_t out) {
    return error_of([&] {
      deform_conv2d(random({1, 4, 4, in}, 1), random({1, 2, 2, 18}, 2), random({out, 3, 3, in}, 3));
    });
  };
  CHECK(channels(0, 2) ==
        "deform_conv2d: 0 input and 2 output channels, expected at least 1 of each");
  CHECK(channels(2, 0) ==
        "deform_conv2d: 2 input and 0 output channels, expected at least 1 of each");
  const Tensor vast = Tensor::zeros({1, 65536, 65536, 0}, DType::float64);
  CHECK(contains(error_of([&] { map_offsets(vast, vast); }), "65536 x 65536 pixels is too large"));
}

TEST_CASE("map_offsets: gradients, identity, and offsets that start at zero") {
  for (const Shape& shape :
       {Shape{2, 4, 5, 3}, Shape{1, 1, 1, 1}, Shape{0, 3, 3, 2}, Shape{3, 7, 2, 5}}) {
    Shape offsets = shape;
    offsets[3] *= 2;
    check({"map_offsets",
           [](const Vars& v) { return map_offsets(v[0], v[1]); },
           {random(shape, 1), generic_offsets(offsets, 2)},
           1e-4});
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
  check({"map_offsets, flat at integers",
         [](const Vars& v) { return map_offsets(v[0], v[1], {.at_integers = AtIntegers::zero}); },
         {random({2, 4, 5, 3}, 1), generic_offsets({2, 4, 5, 6}, 2)},
         1e-4});
  CHECK(contains(error_of([] {
                   map_offsets(random({1, 3, 3, 2}, 1), random({1, 3, 3, 2}, 2));
                 }),
                 "the offset has shape [1 3 3 2], expected [1 3 3 4]"));
}
