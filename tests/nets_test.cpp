#include <pliant/layers/nets/convnext.h>
#include <pliant/layers/nets/deeplab.h>
#include <pliant/layers/nets/intern_image.h>
#include <pliant/layers/nets/lenet.h>
#include <pliant/layers/nets/resnet.h>
#include <pliant/layers/nets/resnet9.h>
#include <pliant/layers/nets/vgg.h>

#include <algorithm>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/cross_entropy.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/tests/net_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

// Trains one step's worth: every parameter must get a gradient that is not all zero.
template <class Net>
void check_gradients(Net& net, const Shape& shape) {
  net.initialise(Rng(3));
  const Tape tape({.rng = Rng(4).fork("step")});
  const Var logits = net(tape.input(images(shape)));
  REQUIRE(logits.shape() == Shape{shape[0], 10});
  const Tensor labels = Tensor::from<std::int64_t>({3, 7}, {2});
  const Gradients gradients = tape.gradients(softmax_cross_entropy(logits, labels));
  for (const Parameter& parameter : net.parameters()) {
    CAPTURE(parameter.name());
    const Tensor* const gradient = gradients.find(parameter);
    REQUIRE(gradient != nullptr);
    const std::vector<double> values = gradient->to_vector();
    CHECK(std::any_of(values.begin(), values.end(), [](double v) { return v != 0; }));
    CHECK(std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); }));
  }
}

// A deformable net with the regular one's weights gives what that gives.
template <class Net>
void check_twin(const Net& regular, Net& twin, const Shape& shape) {
  twin.initialise(Rng(5));
  const auto lacking =
      twin.load(regular.state(), {.may_lack = {"*.offset.*", "*.mask.*", "*extra.*"}});
  CHECK_FALSE(lacking.empty());
  const Tensor x = images(shape), want = regular(x).value();
  CHECK(max_difference(want, Tensor::zeros(want.shape())) > 0.05);
  CHECK(max_difference(twin(x).value(), want) < 1e-4);
}

}  // namespace

TEST_CASE("nets: parameter counts equal to torchvision's") {
  CHECK(resnet18().parameter_count() == 11'689'512);
  CHECK(resnet34().parameter_count() == 21'797'672);
  CHECK(resnet50().parameter_count() == 25'557'032);
  CHECK(vgg11().parameter_count() == 132'863'336);
  CHECK(vgg13().parameter_count() == 133'047'848);
  CHECK(vgg16().parameter_count() == 138'357'544);
  const VggOptions normalised{.normalisation = Normalisation::batch};
  CHECK(vgg11(normalised).parameter_count() == 132'868'840);
  CHECK(vgg13(normalised).parameter_count() == 133'053'736);
  CHECK(vgg16(normalised).parameter_count() == 138'365'992);
  CHECK(LeNet5().parameter_count() == 61'706);
}

TEST_CASE("nets: parameter counts of small stems and without a classifier") {
  CHECK(resnet18({.classes = 10, .stem = Stem::small}).parameter_count() == 11'173'962);
  CHECK(resnet50({.classes = 10, .stem = Stem::small}).parameter_count() == 23'520'842);
  CHECK(resnet50({.classes = 0}).parameter_count() == 23'508'032);
  CHECK(vgg16({.classes = 0}).parameter_count() == 14'714'688);
  CHECK(vgg16({.classes = 10, .stem = Stem::small}).parameter_count() == 14'714'688 + 5'130);
  CHECK(LeNet5({.channels = 3}).parameter_count() == 61'706 + 300);
}

TEST_CASE("ResNet: deformable stages and the published extra layers, counted") {
  const ResNet extra = resnet50({.classes = 0, .deformable = {.extra_last_stage = true}});
  CHECK(extra.parameter_count() == 23'508'032 + 114'241'536);
  CHECK(has(extra, "layer4.0.extra.offset.weight"));
  CHECK(has(extra, "layer4.2.extra.conv.weight"));
  CHECK_FALSE(has(extra, "layer4.2.extra.conv.bias"));
  CHECK_FALSE(has(extra, "layer4.2.extra.offset.bias"));
  CHECK_FALSE(has(extra, "layer3.5.extra.conv.weight"));

  // Offset branches, 18 channels from the width with a bias, of three blocks each.
  const ResNet last = resnet50({.classes = 0, .deformable = {.stages = {4}}});
  CHECK(last.parameter_count() == 23'508'032 + 3 * (18 * 9 * 512 + 18));
  CHECK(has(last, "layer4.0.conv2.offset.weight"));
  CHECK_FALSE(has(last, "layer4.0.conv1.offset.weight"));
  CHECK_FALSE(has(last, "layer3.0.conv2.offset.weight"));
  const ResNet two =
      resnet18({.deformable = {.stages = {2, 4}, .modulation = Modulation::twice_sigmoid}});
  CHECK(has(two, "layer2.0.conv1.mask.weight"));
  CHECK(has(two, "layer4.1.conv2.offset.weight"));
  CHECK_FALSE(has(two, "layer3.0.conv1.offset.weight"));
}

TEST_CASE("nets: deformable VGG and LeNet-5, counted") {
  const Vgg vgg = vgg16({.classes = 0, .deformable = {.stages = {5}}});
  CHECK(vgg.parameter_count() == 14'714'688 + 3 * (18 * 9 * 512 + 18));
  CHECK(has(vgg, "features.24.offset.weight"));
  CHECK(has(vgg, "features.28.weight"));
  CHECK_FALSE(has(vgg, "features.21.offset.weight"));
  const Vgg extra = vgg16({.classes = 0, .deformable = {.extra_last_stage = true}});
  CHECK(extra.parameter_count() == 14'714'688 + 9 * 512 * 530);
  CHECK(has(extra, "features.extra.conv.weight"));
  const LeNet5 lenet({.deformable = {.stages = {2}, .extra_last_stage = true}});
  CHECK(lenet.parameter_count() == 61'706 + 50 * 25 * 6 + 50 + 9 * 16 * 34);
}

TEST_CASE("nets: a gradient reaches every parameter") {
  ResNet basic =
      resnet18({.classes = 10,
                .channels = 1,
                .stem = Stem::small,
                .deformable = {.stages = {2, 4}, .modulation = Modulation::twice_sigmoid}});
  check_gradients(basic, {2, 8, 8, 1});
  ResNet bottleneck(ResNetBlockKind::bottleneck, {1, 1, 1, 1},
                    {.classes = 10, .deformable = {.stages = {4}, .extra_last_stage = false}});
  check_gradients(bottleneck, {2, 33, 40, 3});
  ResNet extra(ResNetBlockKind::basic, {1, 1, 1, 2},
               {.classes = 10, .stem = Stem::small, .deformable = {.extra_last_stage = true}});
  check_gradients(extra, {2, 16, 16, 3});
  Vgg vgg = vgg11({.classes = 10,
                   .channels = 1,
                   .stem = Stem::small,
                   .normalisation = Normalisation::batch,
                   .deformable = {.stages = {5}, .extra_last_stage = true}});
  check_gradients(vgg, {2, 28, 28, 1});
  LeNet5 lenet({.deformable = {.stages = {1, 2}, .extra_last_stage = true}});
  check_gradients(lenet, {2, 28, 28, 1});
  LeNet5 wide({.channels = 3, .side = 32});
  check_gradients(wide, {2, 32, 32, 3});
}

TEST_CASE("nets: a deformable net begins as the regular one") {
  ResNet regular = resnet18({.classes = 10, .stem = Stem::small});
  regular.initialise(Rng(1));
  ResNet deformable = resnet18({.classes = 10,
                                .stem = Stem::small,
                                .deformable = {.stages = {1, 2, 3, 4},
                                               .modulation = Modulation::twice_sigmoid,
                                               .extra_last_stage = true}});
  check_twin(regular, deformable, {2, 16, 16, 3});
  Vgg vgg = vgg11({.classes = 10, .stem = Stem::small});
  vgg.initialise(Rng(1));
  Vgg bent = vgg11({.classes = 10,
                    .stem = Stem::small,
                    .deformable = {.stages = {4, 5}, .extra_last_stage = true}});
  check_twin(vgg, bent, {2, 32, 32, 3});
  LeNet5 lenet;
  lenet.initialise(Rng(1));
  LeNet5 twin({.deformable = {.stages = {1, 2}, .extra_last_stage = true}});
  check_twin(lenet, twin, {2, 28, 28, 1});
}

TEST_CASE("ExtraDeformConv2d: starts as the identity, then deforms") {
  ExtraDeformConv2d extra(5);
  extra.initialise(Rng(1));
  const Tensor x = images({2, 6, 7, 5});
  CHECK(max_difference(extra(x).value(), x) == 0);
  CHECK(extra.parameter_count() == 9 * 5 * (5 + 18));
  extra.offset.weight.set(random(extra.offset.weight.shape(), 1, -1, 1, DType::float32));
  CHECK(max_difference(extra(x).value(), x) > 0.1);
}

TEST_CASE("nets: misuse is an Error") {
  CHECK(contains(error_of([] { resnet18({.deformable = {.stages = {0}}}); }),
                 "ResNet: stage 0 deforms, but there are 1 to 4"));
  CHECK(contains(error_of([] {
                   resnet18({.deformable = {.stages = {4, 4}}});
                 }),
                 "ResNet: deformable stage 4 is named twice"));
  CHECK(contains(error_of([] { vgg11({.deformable = {.stages = {6}}}); }), "there are 1 to 5"));
  CHECK(contains(error_of([] { LeNet5({.deformable = {.stages = {3}}}); }), "there are 1 to 2"));
  CHECK(contains(error_of([] { LeNet5({.side = 30}); }), "side 30, expected 28 or 32"));
  CHECK(contains(error_of([] { resnet18({.classes = -1}); }), "ResNet: -1 classes"));
  CHECK(contains(error_of([] { vgg11({.classes = -1}); }), "Vgg: -1 classes"));
  CHECK(contains(error_of([] {
                   ResNet(ResNetBlockKind::basic, {1, 1, 1, 1, 1});
                 }),
                 "for 5 stages"));
  CHECK(contains(error_of([] {
                   ResNet(ResNetBlockKind::basic, {1, 0, 1, 1});
                 }),
                 "stage 2 has 0 blocks"));
  CHECK(contains(error_of([] { Vgg({1, 1}); }), "for 2 stages, expected 5"));
  CHECK(contains(error_of([] { Vgg({1, 1, 1, 1, 0}); }), "stage 5 has 0 convolutions"));
  LeNet5 lenet;
  lenet.initialise(Rng(1));
  CHECK(contains(error_of([&] { lenet(images({1, 32, 32, 1})); }), "are not of the net's side"));
}

TEST_CASE("ResNet-9, ConvNeXt, InternImage: counts, gradients, deformable twins") {
  CHECK(ResNet9().parameter_count() == 6'573'120);
  CHECK(convnext_tiny().parameter_count() == 28'589'128);
  ResNet9 quick({.channels = 1, .width = 8});
  check_gradients(quick, {2, 8, 8, 1});
  ResNet9 bent({.channels = 1, .width = 8, .deformable = {.stages = {3}}});
  check_twin(quick, bent, {2, 8, 8, 1});

  const ConvNextOptions small{.classes = 10, .channels = 1, .stem = Stem::small, .layer_scale = 1};
  const std::vector<ConvNextStage> stages = {{4, 1}, {8, 1}, {8, 2}, {8, 1}};
  ConvNext regular(stages, small);
  check_gradients(regular, {2, 16, 16, 1});
  ConvNextOptions deformable = small;
  deformable.deformable.stages = {4};
  ConvNext twin(stages, deformable);
  check_twin(regular, twin, {2, 16, 16, 1});

  for (const InternCore core : {InternCore::dcn_v3, InternCore::dcn_v4}) {
    InternImage net({.classes = 10,
                     .channels = 1,
                     .width = 16,
                     .blocks = {1, 1},
                     .group_channels = 8,
                     .core = core,
                     .stem = Stem::small});
    net.initialise(Rng(1));
    CHECK(net(images({2, 8, 8, 1})).shape() == Shape{2, 10});
  }
  CHECK(intern_image_small(10).parameter_count() > 1'000'000);
}

TEST_CASE("ConvNeXt: stochastic depth leaves whole images out, by the tape's key") {
  ConvNext net({{4, 1}, {4, 1}, {4, 1}, {4, 1}},
               {.classes = 10, .stem = Stem::small, .stochastic_depth = 0.9, .layer_scale = 1});
  net.initialise(Rng(1));
  const Tensor x = images({8, 16, 16, 3});
  CHECK(contains(error_of([&] { net(Tape().input(x)); }), "stochastic depth needs a random key"));
  const auto run = [&](std::uint64_t seed) {
    const Tape tape({.rng = Rng(seed)});
    return net(tape.input(x)).value().clone();
  };
  CHECK(max_difference(run(1), run(1)) == 0);
  CHECK(max_difference(run(1), run(2)) > 0);
  CHECK(max_difference(net(x).value(), net(x).value()) == 0);
}

TEST_CASE("nets: a trunk with less stride dilates instead, with the same parameters") {
  ResNet dense = resnet18({.classes = 0, .width = 8, .output_stride = 8});
  dense.initialise(Rng(1));
  const std::vector<Var> stages = dense.stages(images({1, 64, 48, 3}));
  REQUIRE(stages.size() == 4);
  CHECK(stages[0].shape() == Shape{1, 16, 12, 8});
  CHECK(stages[1].shape() == Shape{1, 8, 6, 16});
  CHECK(stages[2].shape() == Shape{1, 8, 6, 32});
  CHECK(stages[3].shape() == Shape{1, 8, 6, 64});
  CHECK(dense.features() == 64);
  CHECK(dense.parameter_count() == resnet18({.classes = 0, .width = 8}).parameter_count());
  CHECK(resnet18({.classes = 0, .output_stride = 8}).parameter_count() == 11'176'512);
  CHECK(resnet50({.classes = 0}).features() == 2048);
  CHECK(contains(error_of([] { resnet18({.output_stride = 12}); }), "the output stride is 12"));

  // Of the last stage alone, and no parameter more: the same weights see further.
  ResNet grid = resnet18({.classes = 0, .width = 8, .output_stride = 8, .multi_grid = {1, 2}});
  grid.initialise(Rng(1));
  ResNet even = resnet18({.classes = 0, .width = 8, .output_stride = 8});
  even.initialise(Rng(1));
  CHECK(grid.parameter_count() == even.parameter_count());
  const Tensor image = Tensor::randn({1, 48, 48, 3}, Rng(2));
  const std::vector<Var> gridded = grid.stages(image), evened = even.stages(image);
  CHECK(max_difference(gridded[2].value(), evened[2].value()) == 0);
  CHECK(gridded[3].shape() == evened[3].shape());
  CHECK(max_difference(gridded[3].value(), evened[3].value()) > 0);
  CHECK(contains(error_of([] { resnet18({.multi_grid = {0}}); }), "multi_grid"));
  CHECK(contains(error_of([] { resnet18({.width = 0}); }), "width"));
}

TEST_CASE("nets: DeepLabv3+ has the published counts, and an answer for every pixel") {
  const auto count = [](ResNetBlockKind kind, const std::vector<int>& blocks,
                        const DeformableStages& deformable) {
    return DeepLabV3Plus({.kind = kind, .blocks = blocks, .trunk = {.deformable = deformable}})
        .parameter_count();
  };
  const std::vector<int> large = {3, 4, 6, 3}, small = {2, 2, 2, 2};
  CHECK(count(ResNetBlockKind::bottleneck, large, {}) == 40'352'181);
  CHECK(count(ResNetBlockKind::bottleneck, large, {.extra_last_stage = true}) == 154'593'717);
  CHECK(count(ResNetBlockKind::bottleneck, large, {.stages = {4}}) == 40'601'067);
  CHECK(count(ResNetBlockKind::basic, small, {}) == 16'608'181);
  CHECK(count(ResNetBlockKind::basic, small, {.extra_last_stage = true}) == 21'492'661);
  CHECK(count(ResNetBlockKind::basic, small, {.stages = {4}}) == 16'898'557);
  const DeepLabOptions tiny{
      .blocks = {1, 1, 1, 1},
      .trunk = {.deformable = {.stages = {4}}, .width = 4, .output_stride = 16},
      .rates = {1, 2},
      .aspp_channels = 6,
      .low_channels = 3,
      .classes = 5};
  DeepLabV3Plus net(tiny);
  net.initialise(Rng(2));
  CHECK(net(images({2, 33, 41, 3})).shape() == Shape{2, 33, 41, 5});
  const Tape tape({.rng = Rng(3)});
  const Gradients gradients = tape.gradients(sum(net(tape.input(images({2, 33, 41, 3})))));
  for (const Parameter& parameter : net.parameters())
    CHECK_MESSAGE(gradients.find(parameter) != nullptr, parameter.name());
  CHECK(contains(error_of([] { DeepLabV3Plus({.classes = 0}); }), "0 classes"));
  CHECK(contains(error_of([] { DeepLabV3Plus({.rates = {0}}); }), "rates"));
}
