#include <pliant/autograd/ops/deform_conv2d.h>

#include <pliant/tests/cases/deform_conv2d.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("deform_conv2d: gradients, with and without mask, under both borders, threads") {
  check(deform_conv2d_cases());
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
}
