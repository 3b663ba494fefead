#include <pliant/autograd/ops/conv2d.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

struct Case {
  const char* name;
  Shape x, weight;
  ConvOptions options;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"3x3", {2, 5, 4, 3}, {4, 3, 3, 3}, {.padding = 1}},
      {"1x1 map", {1, 1, 1, 2}, {3, 3, 3, 2}, {.padding = 1}},
      {"pointwise", {3, 4, 5, 3}, {2, 1, 1, 3}, {}},
      {"stride, uneven padding",
       {2, 6, 5, 2},
       {3, 3, 3, 2},
       {.stride = 2, .padding = {0, 1, 0, 1}}},
      {"dilation",
       {1, 7, 8, 1},
       {2, 3, 2, 1},
       {.stride = {1, 2}, .padding = 2, .dilation = {2, 3}}},
      {"groups", {2, 4, 4, 6}, {4, 3, 3, 3}, {.padding = 1, .groups = 2}},
      {"depthwise", {2, 5, 3, 5}, {5, 3, 3, 1}, {.padding = 1, .groups = 5}},
      {"depthwise, two filters a channel",
       {2, 4, 5, 3},
       {6, 3, 2, 1},
       {.stride = 2, .padding = {1, 0, 2, 1}, .groups = 3}},
      {"depthwise, 1x1 map", {1, 1, 1, 4}, {4, 3, 3, 1}, {.padding = 1, .groups = 4}},
      {"depthwise, dilation beyond the map",
       {2, 2, 3, 2},
       {2, 3, 3, 1},
       {.padding = 3, .dilation = 3, .groups = 2}},
      {"depthwise, empty batch", {0, 4, 4, 3}, {3, 3, 3, 1}, {.padding = 1, .groups = 3}},
      {"empty batch", {0, 4, 4, 2}, {3, 3, 3, 2}, {.padding = 1}},
      {"prime batch, odd channels", {7, 3, 4, 5}, {11, 2, 2, 5}, {}},
  };
  return all;
}

}  // namespace

TEST_CASE("conv2d: gradients at edge shapes") {
  for (const Case& c : cases())
    check({c.name,
           [&](const Vars& v) { return conv2d(v[0], v[1], v[2], c.options); },
           {random(c.x, 1), random(c.weight, 2), random({c.weight[0]}, 3)},
           1e-4});
}

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
