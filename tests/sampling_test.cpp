// Where nets read their images. Tracing itself is tried on the digit nets, in
// tests/apps/html_report_test.cpp.
#include <limits>

#include <pliant/autograd/ops/activation.h>
#include <pliant/layers/layers.h>
#include <pliant/layers/sampling.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

// A stem, a pool, two deformable convolutions with a shortcut around them.
struct Net : Module {
  Conv2d stem = own("stem", Conv2d(1, 4, {.kernel = 3, .padding = 1}));
  MaxPool2d pool = own("pool", MaxPool2d({.kernel = 2}));
  DeformConv2d bent = own("bent", DeformConv2d(4, 4,
                                               {.kernel = 3,
                                                .padding = 1,
                                                .offset_groups = 2,
                                                .modulation = Modulation::twice_sigmoid}));
  ConvOffset2d warp = own("warp", ConvOffset2d(4));
  Conv2d warped = own("warped", Conv2d(4, 4, {.kernel = 3, .padding = 1}));
  Conv2d shortcut = own("shortcut", Conv2d(4, 4, {.kernel = 1}));

  Var operator()(const Var& x) const {
    const Var h = pool(relu(stem(x)));
    const Var way = warped(warp(bent(h)));  // before the shortcut runs
    return way + shortcut(h);
  }
};

Net net_of_seed() {
  Net net;
  net.initialise(Rng(1));
  return net;
}

std::vector<LayerSampling> layers_of(const Net& net) {
  return samplings_of([&] { net(random({2, 8, 8, 1}, 3, 0.0, 1.0, DType::float32)); });
}

std::vector<std::string> names_of(const std::vector<LayerSampling>& layers) {
  std::vector<std::string> names;
  for (const LayerSampling& layer : layers) names.push_back(layer.name);
  return names;
}

}  // namespace

TEST_CASE("samplings: every layer that reads by windows, without the branches of deformable ones") {
  const auto layers = layers_of(net_of_seed());
  CHECK(names_of(layers) == std::vector<std::string>{"stem", "pool", "bent", "warped", "shortcut"});
  CHECK(layers[1].conv.stride == Size2(2));
  CHECK(layers[1].input == Size2(8));
  CHECK(layers[1].output == Size2(4));
  CHECK(layers[2].offsets.shape() == Shape{2, 4, 4, 36});
  CHECK(layers[2].mask.shape() == Shape{2, 4, 4, 18});
  CHECK(layers[2].offset_groups == 2);
  CHECK(layers[3].field.shape() == Shape{2, 4, 4, 8});
  CHECK_FALSE(layers[3].offsets.defined());
  CHECK_FALSE(layers[4].field.defined());
}

TEST_CASE("samplings: a way through a net that branches") {
  const auto layers = layers_of(net_of_seed());
  CHECK(names_of(along(layers, {"shortcut", "stem", "pool"})) ==
        std::vector<std::string>{"stem", "pool", "shortcut"});
  CHECK(error_of([&] {
          along(layers, {"stem", "steam"});
        }) == "along: 'steam' matches none of the layers that ran");
  // A pixel of the shortcut is one of the pooled map: four of the stem's, 36 taps on 16 pixels.
  CHECK(trace(along(layers, {"stem", "pool", "shortcut"}), 0, 1, 1).size() == 36);
  CHECK(error_of([&] {
          trace(along(layers, {"stem", "shortcut"}), 0, 1, 1);
        }) == "trace: shortcut reads a map of 4 x 4, but stem below it gives 8 x 8");
}

TEST_CASE("samplings: every offset group has points of its own") {
  const Net net = net_of_seed();
  Tensor bias = net.bent.offset_conv->bias.value();  // (dy, dx) of 9 taps of 2 groups
  for (std::size_t i = 0; i < 18; ++i) bias.mutable_span<float>()[18 + i] = i % 2 == 0 ? 1 : 0;
  const auto layers = along(layers_of(net), {"bent"});
  const auto first = trace(layers, 0, 1, 1, {0}), second = trace(layers, 0, 1, 1, {1});
  REQUIRE(first.size() == 9);
  REQUIRE(second.size() == 9);
  for (std::size_t i = 0; i < 9; ++i) {
    CHECK(second[i].y == first[i].y + 1);
    CHECK(second[i].x == first[i].x);
  }
  CHECK(error_of([&] { trace(layers, 0, 1, 1, {2}); }) ==
        "trace: bent has 2 offset groups, and 2 is none of them");
}

TEST_CASE("samplings: nothing that is computed depends on being watched") {
  const Net net = net_of_seed();
  const Tensor x = random({2, 8, 8, 1}, 3, 0.0, 1.0, DType::float32);
  Tensor seen;
  samplings_of([&] { seen = net(x).value(); });
  CHECK(max_difference(seen, net(x).value()) == 0);
  CHECK(error_of([] { samplings_of({}); }) == "samplings_of: the function is empty");
}

TEST_CASE("samplings: a warp of a warp cannot be told by one field") {
  struct Twice : Module {
    ConvOffset2d first = own("first", ConvOffset2d(1)), second = own("second", ConvOffset2d(1));
    Var operator()(const Var& x) const { return second(first(x)); }
  } net;
  net.initialise(Rng(1));
  CHECK(error_of([&] {
          samplings_of([&] { net(Tensor::zeros({1, 4, 4, 1})); });
        }) == "samplings_of (second): the map that it warps is warped already");
}

TEST_CASE("samplings: DCN v3 and v4 as deform_conv2d would read") {
  const Tensor x = random({1, 5, 6, 8}, 5, -1.0, 1.0, DType::float32);
  // Depthwise, weights of one: the mean that a DCN's core is.
  const Tensor ones = Tensor::full({8, 3, 3, 1}, 1.0, DType::float32);
  const auto by_deform_conv = [&](const Var& value, const LayerSampling& layer) {
    return deform_conv2d(value, layer.offsets, ones, {}, layer.mask,
                         {.stride = layer.conv.stride,
                          .padding = layer.conv.padding,
                          .dilation = layer.conv.dilation,
                          .groups = 8,
                          .offset_groups = layer.offset_groups})
        .value();
  };
  const auto shaken = [](Parameter parameter, std::uint64_t seed) {
    parameter.set(random(parameter.shape(), seed, -0.5, 0.5, DType::float32));
  };
  DCNv4 v4(8, {.kernel = 3,
               .padding = 2,
               .dilation = 2,
               .groups = 2,
               .offset_scale = 0.75,
               .center = CenterTap::remove,
               .pointwise = Pointwise::no});
  v4.initialise(Rng(1));
  shaken(v4.offset_mask.weight, 2);
  shaken(v4.offset_mask.bias, 3);
  Tensor y;
  const auto core = samplings_of([&] { y = v4(x).value(); });
  REQUIRE(core.size() == 1);
  CHECK(core[0].offset_groups == 2);
  CHECK(max_difference(y, by_deform_conv(x, core[0])) < 1e-5);

  DCNv3 v3(8, {.kernel = 3, .stride = 2, .groups = 4, .offset_scale = 1.5});
  v3.initialise(Rng(1));
  shaken(v3.offset.weight, 4);
  shaken(v3.mask.weight, 5);
  const auto layers = samplings_of([&] { y = v3(x).value(); });
  REQUIRE(layers.size() == 1);  // without its depthwise branch
  CHECK(layers[0].output == Size2(3));
  CHECK(max_difference(y, v3.output(by_deform_conv(v3.input(x), layers[0])).value()) < 1e-5);
}

TEST_CASE("trace: images, pixels and channels that there are not, and what is not finite") {
  DeformConv2d layer(1, 1, {.padding = 1});
  layer.initialise(Rng(1));
  std::vector<LayerSampling> layers = samplings_of([&] { layer(Tensor::zeros({2, 8, 8, 1})); });
  CHECK(trace(layers, 1, 0, 0).size() > 0);
  for (const std::int64_t image : {-1, 2, 1000000})
    CHECK(contains(error_of([&] { trace(layers, image, 0, 0); }), "trace: image "));
  for (const std::int64_t at : {-1, 8})
    CHECK(contains(error_of([&] { trace(layers, 0, 0, at); }), "is none of "));
  layers[0].offsets = layers[0].offsets.clone();
  layers[0].offsets.fill(std::numeric_limits<double>::quiet_NaN());
  CHECK(contains(error_of([&] { trace(layers, 0, 3, 3); }), "are not finite"));

  LayerSampling warped{.name = "w", .input = 4, .output = 4, .kernel = 1};
  warped.field = Tensor::zeros({1, 4, 4, 4});
  const std::int64_t wraps = (std::int64_t{1} << 62) + (std::int64_t{1} << 60);
  for (const std::int64_t channel : {wraps, (std::int64_t{1} << 62) + 1, std::int64_t{2}})
    CHECK(contains(error_of([&] { trace(std::vector{warped}, 0, 0, 0, {channel}); }),
                   "no channel of w's warp is chosen"));
}

TEST_CASE("trace: as many points as memory would not hold are refused") {
  std::vector<LayerSampling> layers;
  for (int i = 0; i < 12; ++i)
    layers.push_back(
        {.name = "c" + std::to_string(i), .input = 9, .output = 9, .conv = {.padding = 1}});
  CHECK(contains(error_of([&] { trace(layers, 0, 4, 4); }), "points at c"));
}
