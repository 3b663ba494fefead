// SiamRPN: its trunks, heads and anchors, and the published counts.
#include <pliant/layers/nets/siamrpn.h>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/tests/net_case.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("nets: heads of a Siamese tracker") {
  const SiamRPNHeadOptions options{.channels = 4, .hidden = 6, .anchors = 2};
  DepthwiseRPNHead depthwise(options);
  UpChannelRPNHead up_channel(options);
  depthwise.initialise(Rng(1));
  up_channel.initialise(Rng(2));
  const Tensor pattern = images({2, 6, 6, 4}), search = images({2, 11, 10, 4});
  for (const SiamRPNOutput& output : {depthwise(pattern, search), up_channel(pattern, search)}) {
    CHECK(output.logits.shape() == Shape{2, 6, 5, 4});
    CHECK(output.deltas.shape() == Shape{2, 6, 5, 8});
  }
  CHECK(DepthwiseRPNHead().parameter_count() == 2'501'150);
  CHECK(UpChannelRPNHead().parameter_count() == 18'882'980);
  CHECK(contains(error_of([] { DepthwiseRPNHead({.anchors = 0}); }), "anchors"));
}

TEST_CASE("nets: Siamese trackers have the published geometry and counts") {
  const auto trunk_of = [](const SiamRPN& net) { return net.part("trunk").parameter_count(); };
  const DeformableStages extra{.extra_last_stage = true};
  CHECK(trunk_of(SiamRPN(siamrpn_resnet18())) == 11'176'512);
  CHECK(trunk_of(SiamRPN(siamrpn_resnet34())) == 21'284'672);
  CHECK(trunk_of(SiamRPN(siamrpn_resnet18(extra))) == 16'060'992);
  CHECK(trunk_of(SiamRPN(siamrpn_resnet34(extra))) == 28'611'392);
  SiamRPNOptions options = siamrpn_resnet18();
  CHECK(SiamRPN(options).places() == 17);
  options.template_places = 8;
  CHECK(SiamRPN(options).places() == 25);
  options.template_places = 7;
  CHECK(contains(error_of([&] { SiamRPN net(options); }), "template_places"));
  CHECK(contains(error_of([] { SiamRPN({.search = 100}); }), "no place to be compared at"));
}

TEST_CASE("nets: the AlexNet-like tracker has the published counts and its true geometry") {
  const SiamRPN net(siamrpn_alexnet());
  CHECK(net.part("trunk").parameter_count() == 2'469'696);
  const std::pair<const char*, std::int64_t> parts[] = {
      {"z_cls", 5'900'800}, {"z_loc", 11'801'600}, {"x_cls", 590'080}, {"x_loc", 590'080}};
  for (const auto& part : parts)
    CHECK(net.part("head").part(part.first).parameter_count() == part.second);
  CHECK(net.parameter_count() == 21'352'676);  // "adjust" has 420 of them
  CHECK(net.places() == 17);
  CHECK(contains(error_of([] { SiamRPN({.trunk = SiamRPNTrunk::alexnet, .stride = 4}); }),
                 "stride is 4, expected 8"));
  Tensor first;
  for (const DeformableStages& stages : {DeformableStages{}, DeformableStages{.stages = {3}},
                                         DeformableStages{.extra_last_stage = true}}) {
    SiamRPNOptions options = siamrpn_alexnet(stages);
    options.exemplar = 103;
    options.search = 119;
    SiamRPN small(options);
    small.initialise(Rng(1));
    const Var pattern = small.pattern(images({1, 103, 103, 3}));
    CHECK(pattern.shape() == Shape{1, 3, 3, 256});
    const SiamRPNOutput output = small.respond(pattern, images({1, 119, 119, 3}));
    CHECK(output.logits.shape() == Shape{1, small.places(), 3, 10});
    if (!first.defined()) first = output.logits.value();
    CHECK(deviation(output.logits.value(), first) < 1e-4);
  }
}

TEST_CASE("nets: a small Siamese tracker gives 17 x 17 places, and every parameter a gradient") {
  CHECK(SiamRPN(small_siamrpn()).parameter_count() == 1'004'990);
  for (const SiamRPNHead head : {SiamRPNHead::depthwise, SiamRPNHead::up_channel}) {
    SiamRPNOptions options = small_siamrpn({.extra_last_stage = true});
    options.blocks = {1, 1, 1};
    options.width = 4;
    options.hidden = 4;
    options.head = head;
    SiamRPN net(options);
    net.initialise(Rng(1));
    CHECK(has(net, "trunk.layer3.0.extra.offset.weight"));
    const Tape tape({.rng = Rng(2)});
    const SiamRPNOutput output =
        net(tape.input(images({2, 63, 63, 3})), tape.input(images({2, 127, 127, 3})));
    CHECK(output.logits.shape() == Shape{2, 17, 17, 10});
    CHECK(output.deltas.shape() == Shape{2, 17, 17, 20});
    const Gradients gradients = tape.gradients(sum(output.logits) + sum(output.deltas));
    for (const Parameter& parameter : net.parameters())
      CHECK_MESSAGE(gradients.find(parameter) != nullptr, parameter.name());
  }
}

TEST_CASE("nets: the anchors of a small Siamese tracker are half the published ones") {
  const Tensor anchors = SiamRPN(small_siamrpn()).anchors(63);
  CHECK(anchors.shape() == Shape{5, 17, 17, 4});
  const std::vector<double> all = anchors.to_vector();
  const std::vector<std::vector<double>> sides = {{52, 16}, {44, 20}, {32, 32}, {20, 40}, {16, 48}};
  for (std::size_t k = 0; k < sides.size(); ++k) {
    const double* const first = all.data() + k * 17 * 17 * 4;
    CHECK((first[0] == 31 && first[1] == 31 && first[4] == 35 && first[5] == 31));
    CHECK((first[2] == sides[k][0] && first[3] == sides[k][1]));
  }
}
