#include <pliant/autograd/ops/conv2d.h>

#include <pliant/tests/cases/conv2d.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("conv2d: gradients at edge shapes, threads") { check(conv2d_cases()); }

TEST_CASE("conv2d: a frozen weight keeps no input") {
  Parameter weight(random({4, 3, 3, 3}, 1), "weight");
  weight.set_frozen(true);
  const Tape tape;
  const Var x = tape.variable(random({2, 5, 5, 3}, 2));
  conv2d(x, tape(weight));
  CHECK(tape.saved_bytes() == weight.value().bytes());
}

TEST_CASE("conv2d: bad arguments") {
  const Var x(random({2, 8, 8, 3}, 1)), w(random({6, 3, 3, 1}, 2));
  CHECK(
      error_of([&] { conv2d(x, w); }) ==
      "conv2d: input has 3 channels but the weight expects 1 (input [2 8 8 3], weight [6 3 3 1])");
  CHECK(contains(error_of([&] {
                   conv2d(random({2, 3, 8, 8}, 1), random({6, 3, 3, 3}, 2));
                 }),
                 "; [2 3 8 8] looks like NCHW, maps are NHWC: permute(x, {0, 2, 3, 1})"));
  const auto message = [&](const Var& weight, const Var& bias, const ConvOptions& options) {
    return error_of([&] { conv2d(x, weight, bias, options); });
  };
  const Var good(random({6, 3, 3, 3}, 3));
  CHECK(contains(message(good, {}, {.stride = 0}), "stride must be at least 1, got 0 x 0"));
  CHECK(contains(message(good, {}, {.dilation = {1, 0}}), "dilation must be at least 1"));
  CHECK(contains(message(good, {}, {.dilation = 4}), "the kernel spans 9 pixels"));
  CHECK(contains(message(good, {}, {.padding = -1}),
                 "the padding is -1 x -1 x -1 x -1, expected 0 to "));
  CHECK(contains(message(random({4, 3, 3, 1}, 4), {}, {.groups = 3}),
                 "4 output channels do not divide into 3 groups"));
  CHECK(contains(message(good, random({5}, 5), {}), "bias has shape [5], expected [6]"));
  CHECK(contains(message(random({6, 9}, 6), {}, {}), "the weight has shape [6 9]"));
  CHECK(contains(message(random({6, 0, 3, 3}, 7), {}, {}), "the kernel is empty"));
  CHECK(contains(error_of([&] { conv2d(Var(), good); }), "the input is undefined"));
}
