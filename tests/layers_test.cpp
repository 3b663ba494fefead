#include <pliant/layers/layers.h>
#include <pliant/layers/train/optimizer.h>

#include <cstring>

#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

Tensor image(const Shape& shape, std::uint64_t seed = 5) {
  return random(shape, seed, -1, 1, DType::float32);
}

double deviation(const Tensor& values) {
  double sum = 0, squares = 0;
  for (const double v : values.to_vector()) sum += v, squares += v * v;
  const double n = static_cast<double>(values.size());
  return std::sqrt(squares / n - sum / n * sum / n);
}

double largest(const Tensor& values) {
  return max_difference(values, Tensor::zeros(values.shape(), values.dtype()));
}

}  // namespace

TEST_CASE("Conv2d: the op with the layer's own parameters") {
  Conv2d layer(4, 6, {.kernel = {3, 2}, .stride = 2, .padding = {0, 1, 0, 1}, .groups = 2});
  layer.initialise(Rng(1));
  CHECK(layer.weight.shape() == Shape{6, 3, 2, 2});
  layer.bias.set(image({6}, 2));
  const Tensor x = image({2, 7, 8, 4});
  const Var y = layer(x);
  CHECK(y.shape() == Shape{2, 3, 4, 6});
  CHECK(max_difference(y.value(), conv2d(x, layer.weight.value(), layer.bias.value(),
                                         {.stride = 2, .padding = {0, 1, 0, 1}, .groups = 2})
                                      .value()) == 0);
  const Conv2d bare(4, 6, {.bias = Bias::no});
  CHECK(bare.parameters().size() == 1);
  CHECK(contains(error_of([] { Conv2d(3, 4, {.groups = 2}); }), "do not divide into 2 groups"));
  CHECK(contains(error_of([] { Conv2d(3, 4, {.kernel = 0}); }), "the kernel is empty"));
}

TEST_CASE("layers: first values have the spread that is promised") {
  Conv2d conv(32, 64);
  Linear head(400, 100);
  BatchNorm2d norm(8);
  conv.initialise(Rng(1));
  head.initialise(Rng(1));
  norm.initialise(Rng(1));
  CHECK(deviation(conv.weight.value()) == doctest::Approx(std::sqrt(2.0 / 288)).epsilon(0.02));
  CHECK(deviation(head.weight.value()) == doctest::Approx(0.05 / std::sqrt(3.0)).epsilon(0.02));
  CHECK(largest(head.weight.value()) <= 0.05);
  CHECK(largest(conv.bias.value()) == 0);
  CHECK(largest(head.bias.value()) == 0);
  CHECK(norm.weight.value().to_vector() == std::vector<double>(8, 1));
  CHECK(norm.running_var.value().to_vector() == std::vector<double>(8, 1));
  CHECK(largest(norm.running_mean.value()) == 0);
}

TEST_CASE("BatchNorm2d: which statistics it uses, and when it keeps them") {
  BatchNorm2d norm(3, {.momentum = 0.5});
  norm.initialise(Rng(1));
  const Tensor x = image({4, 3, 3, 3});
  const auto running = [&] { return norm.running_mean.value().to_vector(); };
  const std::vector<double> start = running();
  const Tensor off_tape = norm(x).value();
  CHECK(running() == start);
  {
    const Tape tape({.mode = Mode::inference});
    CHECK(max_difference(norm(tape.input(x)).value(), off_tape) == 0);
    CHECK(running() == start);
  }
  Tensor trained;
  {
    const Tape tape({.buffers = Buffers::keep});
    trained = norm(tape.input(x)).value();
    CHECK(max_difference(trained, off_tape) > 0.01);
    CHECK(running() == start);
  }
  const void* const address = norm.running_mean.value().raw();
  {
    const Tape tape;
    CHECK(max_difference(norm(tape.input(x)).value(), trained) == 0);
    CHECK(running() != start);
    const std::vector<double> once = running();
    static_cast<void>(norm(x));  // evaluation on the side
    CHECK(running() == once);
  }
  CHECK(norm.running_mean.value().raw() == address);
  norm.freeze("*");
  const std::vector<double> moved = running();
  const Tape tape;
  CHECK(max_difference(norm(tape.input(x)).value(), norm(x).value()) == 0);
  CHECK(running() == moved);
}

// ---- deformable twins ----

TEST_CASE("DeformConv2d: gives what Conv2d of the same weights gives before any step") {
  struct Case {
    Size2 kernel, stride;
    Padding padding;
    std::int64_t dilation, groups, offset_groups;
  };
  const std::vector<Case> cases = {{3, 1, 1, 1, 1, 1},
                                   {3, 2, {0, 1, 0, 1}, 1, 1, 1},
                                   {3, 2, {0, 1, 1, 0}, 1, 2, 1},
                                   {{2, 3}, 1, {1, 0, 2, 1}, 2, 1, 2},
                                   {5, {1, 2}, 2, 1, 2, 4},
                                   {1, 1, 0, 1, 1, 1}};
  for (const Case& c : cases)
    for (const Shape& shape : {Shape{2, 7, 9, 8}, Shape{1, 14, 14, 8}})
      for (const Border border : {Border::zeros, Border::dcn_v1})
        for (const Modulation modulation : {Modulation::none, Modulation::twice_sigmoid}) {
          Conv2d regular(8, 12,
                         {.kernel = c.kernel,
                          .stride = c.stride,
                          .padding = c.padding,
                          .dilation = c.dilation,
                          .groups = c.groups});
          DeformConv2d deform(8, 12,
                              {.kernel = c.kernel,
                               .stride = c.stride,
                               .padding = c.padding,
                               .dilation = c.dilation,
                               .groups = c.groups,
                               .offset_groups = c.offset_groups,
                               .border = border,
                               .modulation = modulation});
          regular.initialise(Rng(1));
          regular.bias.set(image({12}, 3));
          deform.initialise(Rng(2));
          const auto lacking = deform.load(regular.state(), {.may_lack = {"offset.*", "mask.*"}});
          CHECK(lacking.size() == (modulation == Modulation::none ? 2 : 4));
          const Tensor x = image(shape), y = regular(x).value();
          CHECK(largest(y) > 0.5);
          CHECK(max_difference(deform(x).value(), y) < 1e-5);
        }
}

TEST_CASE("DeformConv2d: a mask that starts at a half, as published") {
  Conv2d regular(4, 6, {.padding = 1, .bias = Bias::no});
  DeformConv2d deform(4, 6, {.padding = 1, .modulation = Modulation::sigmoid, .bias = Bias::no});
  regular.initialise(Rng(1));
  deform.initialise(Rng(2));
  deform.load(regular.state(), {.may_lack = {"offset.*", "mask.*"}});
  const Tensor x = image({2, 7, 9, 4});
  CHECK(max_difference(deform(x).value(), (regular(x) * 0.5).value()) < 1e-5);
}

TEST_CASE("set_lr_factor: a module's parameters learn at a rate of their own") {
  DeformConv2d layer(2, 3, {.padding = 1, .modulation = Modulation::twice_sigmoid});
  layer.initialise(Rng(1));
  layer.set_lr_factor("offset", 0.25);
  layer.set_lr_factor("mask.*", 0);
  const State before = layer.state();
  Sgd sgd({{layer.parameters(), 2}}, {.lr = 0.5});
  const Tape tape;
  const Gradients gradients =
      tape.gradients(mean(layer(tape.input(image({2, 6, 6, 2}))) * image({2, 6, 6, 3}, 8)));
  sgd.step(gradients);
  std::size_t i = 0;
  for (const Parameter& parameter : layer.parameters()) {
    CAPTURE(parameter.name());
    const double rate = parameter.name().starts_with("offset") ? 0.25
                        : parameter.name().starts_with("mask") ? 0
                                                               : 1;
    const Var moved = Var(before[i++].second) - gradients[parameter] * rate;
    CHECK(max_difference(parameter.value(), moved.value()) < 1e-6);
    CHECK(parameter.lr_factor() == rate);
  }
  CHECK_THROWS_WITH_AS(layer.set_lr_factor("offsets.*", 1),
                       doctest::Contains("set_lr_factor: 'offsets.*' matches no parameter"), Error);
  CHECK_THROWS_WITH_AS(
      layer.set_lr_factor("offset", -1),
      "set_lr_factor: the factor of 'offset.weight' is -1, expected a number of at "
      "least 0",
      Error);
}

TEST_CASE("DeformConv2d: offsets and masks of the caller") {
  DeformConv2d layer(2, 3, {.padding = 1, .modulation = Modulation::twice_sigmoid});
  layer.initialise(Rng(1));
  CHECK(layer.parameters().size() == 6);
  CHECK(layer.parameters()[2].name() == "offset.weight");
  CHECK(layer.parameters()[2].shape() == Shape{18, 3, 3, 2});
  CHECK(layer.parameters()[4].name() == "mask.weight");
  CHECK(layer.parameters()[4].shape() == Shape{9, 3, 3, 2});
  const Tensor x = image({1, 5, 5, 2});
  const Tensor zeros = Tensor::zeros({1, 5, 5, 18}), none = Tensor::zeros({1, 5, 5, 9});
  CHECK(max_difference(layer(x, zeros).value(), layer(x).value()) < 1e-5);
  CHECK(largest(layer(x, zeros, none).value()) == 0);  // mask 0: the bias, which is 0
  CHECK(max_difference(layer(x, image({1, 5, 5, 18})).value(), layer(x).value()) > 0.1);

  DeformConv2d given(2, 3, {.padding = 1, .offsets = Offsets::given, .bias = Bias::no});
  given.initialise(Rng(1));
  CHECK(given.parameters().size() == 1);
  CHECK(max_difference(given(x, zeros).value(), layer(x).value()) < 1e-5);
  CHECK(contains(error_of([&] { given(x); }), "has no offset branch"));
  CHECK(contains(error_of([] { DeformConv2d(3, 4, {.offset_groups = 2}); }), "2 offset groups"));
}

TEST_CASE("OffsetContext: the map that the convolution it serves gives, and more of the image") {
  struct Case {
    Size2 kernel, stride;
    Padding padding;
    Size2 dilation;
  };
  for (const Case& c : {Case{3, 1, 1, 1}, Case{3, 2, {0, 1, 0, 1}, 1}, Case{{1, 5}, {2, 3}, 0, 1},
                        Case{{2, 3}, 1, {1, 0, 2, 1}, 2}, Case{9, 1, 4, 1}}) {
    const Conv2dOptions like{
        .kernel = c.kernel, .stride = c.stride, .padding = c.padding, .dilation = c.dilation};
    Conv2d conv(3, 5, like);
    OffsetContext context(3, 5, like);
    conv.initialise(Rng(1));
    context.initialise(Rng(2));
    const Tensor x = image({2, 13, 17, 3});
    CHECK(context(x).shape() == conv(x).shape());
  }
  CHECK(
      contains(error_of([] { OffsetContext(3, 4, {.kernel = 2}); }), "2 x 2 pixels has no centre"));

  // An output of a 3x3 branch depends on pixels up to 3 + 1 + 1 away, as the two convolutions and
  // the branch's own reach.
  DeformConv2d layer(1, 1, {.padding = 1, .context_channels = 32});
  layer.initialise(Rng(1));
  layer.offset_conv->weight.set(image(layer.offset_conv->weight.shape(), 5));
  const Tensor before = Tensor::zeros({1, 15, 15, 1});
  for (const std::int64_t away : {0, 5, 6}) {
    Tensor after = before.clone();
    after.mutable_data<float>()[7 * 15 + 7 + away] = 1;
    const auto centre = [&](const Tensor& x) {
      const std::vector<double> all = layer.branch(x).offsets.value().to_vector();
      const auto first = all.begin() + std::ptrdiff_t{7 * 15 + 7} * 18;
      return std::vector<double>(first, first + 18);
    };
    CHECK((centre(before) != centre(after)) == (away <= 5));
  }
}

TEST_CASE("OffsetContext: layers with one start as without, and all of it learns") {
  const Tensor x = image({2, 9, 8, 6});
  for (const Modulation modulation : {Modulation::none, Modulation::twice_sigmoid}) {
    Conv2d regular(6, 4, {.kernel = 3, .stride = 2, .padding = {0, 1, 0, 1}});
    DeformConv2d deform(
        6, 4,
        {.stride = 2, .padding = {0, 1, 0, 1}, .modulation = modulation, .context_channels = 3});
    regular.initialise(Rng(1));
    deform.initialise(Rng(2));
    deform.load(regular.state(), {.may_lack = {"offset.*", "mask.*", "context.*"}});
    CHECK(max_difference(deform(x).value(), regular(x).value()) < 1e-5);
  }
  ConvOffset2d field(6, {.context_channels = 3});
  field.initialise(Rng(3));
  CHECK(max_difference(field(x).value(), x) == 0);
  CHECK(field.offset.weight.shape() == Shape{12, 3, 3, 3});

  field.offset.weight.set(image(field.offset.weight.shape(), 4));
  const Tape tape;
  const Gradients gradients = tape.gradients(mean(field(tape.input(x)) * image({2, 9, 8, 6}, 8)));
  REQUIRE(field.parameters().size() == 5);
  for (const Parameter& parameter : field.parameters()) {
    CAPTURE(parameter.name());
    CHECK(largest(gradients[parameter]) > 1e-6);
  }
}

TEST_CASE("DeformConv2d: zero offsets and masks learn from the first step") {
  DeformConv2d layer(2, 3, {.padding = 1, .modulation = Modulation::twice_sigmoid});
  layer.initialise(Rng(1));
  const Tape tape;
  const Gradients gradients =
      tape.gradients(mean(layer(tape.input(image({2, 6, 6, 2}))) * image({2, 6, 6, 3}, 8)));
  for (const Parameter& parameter : layer.parameters()) {
    CAPTURE(parameter.name());
    CHECK(largest(gradients[parameter]) > 1e-4);
  }
}

TEST_CASE("ConvOffset2d: the identity at first, and it learns") {
  ConvOffset2d layer(3);
  layer.initialise(Rng(1));
  CHECK(layer.parameter_count() == 6 * 9 * 3);
  CHECK(layer.parameters().front().name() == "offset.weight");
  const Tensor x = image({2, 5, 7, 3});
  CHECK(max_difference(layer(x).value(), x) == 0);
  const Tape tape;
  const Var y = layer(tape.input(x));
  const Gradients gradients = tape.gradients(mean(y * image(y.shape(), 9)));
  CHECK(largest(gradients[layer.offset.weight]) > 1e-4);
}

TEST_CASE("pooling layers are the functions") {
  const Tensor x = image({2, 6, 6, 3});
  CHECK(max_difference(MaxPool2d({.kernel = 3, .stride = 3})(x).value(),
                       max_pool2d(x, {.kernel = 3, .stride = 3}).value()) == 0);
  CHECK(max_difference(AvgPool2d({.kernel = 3, .padding = 1})(x).value(),
                       avg_pool2d(x, {.kernel = 3, .padding = 1}).value()) == 0);
  CHECK(max_difference(AdaptiveAvgPool2d({3, 4})(x).value(),
                       adaptive_avg_pool2d(x, {3, 4}).value()) == 0);
  CHECK(max_difference(GlobalAvgPool2d()(x).value(), global_avg_pool2d(x).value()) == 0);
}

// ---- a whole program ----

namespace {

struct DeformNet : Module {
  Conv2d stem = own("stem", Conv2d(1, 8, {.kernel = 3, .padding = 1}));
  BatchNorm2d norm = own("norm", BatchNorm2d(8));
  DeformConv2d deform =
      own("deform", DeformConv2d(8, 12, {.kernel = 3, .stride = 2, .padding = 1}));
  Linear head = own("head", Linear(12, 4));

  Var operator()(const Var& images) const {
    const Var h = relu(norm(stem(images)));
    return head(global_avg_pool2d(relu(deform(h))));
  }
};

}  // namespace

TEST_CASE("a net trains until the loss falls, and its own copy does not move") {
  const Rng rng(1);
  DeformNet net;
  net.initialise(rng.fork("net"));
  net.to(Device::best());
  CHECK(net.parameters()[4].name() == "deform.weight");
  CHECK(net.parameters()[6].name() == "deform.offset.weight");
  DeformNet start;
  start.load(net.state());

  const Tensor images = image({16, 8, 8, 1}).to(Device::best());
  std::vector<std::int64_t> classes(16);
  for (std::size_t i = 0; i < classes.size(); ++i) classes[i] = static_cast<std::int64_t>(i % 4);
  const Tensor labels = Tensor::from(classes, {16}).to(Device::best());
  Adam adam(net.parameters(), {.lr = 1e-2});
  std::vector<double> losses;
  for (int step = 0; step < 60; ++step) {
    Tape tape;
    const Var loss = softmax_cross_entropy(net(tape.input(images)), labels);
    adam.step(tape.gradients(loss));
    losses.push_back(loss.value().item());
  }
  CHECK(losses.front() == doctest::Approx(std::log(4.0)).epsilon(0.5));
  CHECK(losses.back() < 0.5 * losses.front());
  CHECK(largest(net.deform.offset_conv->weight.value()) > 1e-3);
  CHECK(largest(start.deform.offset_conv->weight.value()) == 0);
}
