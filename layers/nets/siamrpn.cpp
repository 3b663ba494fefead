#include <pliant/layers/nets/siamrpn.h>

#include <pliant/autograd/ops/anchors.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/core/sizes.h>
#include <pliant/layers/activation.h>
#include <pliant/layers/pool2d.h>

namespace pliant {
namespace {

constexpr std::int64_t kPublishedStride = 8;  // of the anchors' rule
constexpr std::int64_t kHeadMargin = 2;       // that 3x3 convolutions without padding take

constexpr int kAlexNetStages = 3;
constexpr std::int64_t kAlexNetSeen = 87;  // pixels that a place of AlexNet's embedding sees
constexpr std::int64_t kAlexNetStride = 8;

// Along each axis of the embedding of so many pixels.
std::int64_t places_of(const SiamRPNOptions& options, std::int64_t pixels) {
  if (options.trunk == SiamRPNTrunk::resnet)  // every step of it rounds up
    return (pixels + options.stride - 1) / options.stride;
  return pixels < kAlexNetSeen ? 0 : (pixels - kAlexNetSeen) / kAlexNetStride + 1;
}

const SiamRPNOptions& checked(const SiamRPNOptions& options) {
  require_pixels("SiamRPN", "exemplar, search and stride", 1,
                 {options.exemplar, options.search, options.stride});
  require(options.neck >= 0, "SiamRPN: a neck of ", options.neck, " channels, expected 0 or more");
  require(options.trunk == SiamRPNTrunk::resnet || options.stride == kAlexNetStride,
          "SiamRPN: stride is ", options.stride, ", expected 8, which AlexNet's trunk has");
  const std::int64_t all = places_of(options, options.exemplar), kept = options.template_places;
  require(kept == 0 || (kept > kHeadMargin && kept <= all && (all - kept) % 2 == 0),
          "SiamRPN: template_places is ", kept, ", expected 0, or what leaves as much of the ", all,
          " places on either side");
  return options;
}

std::int64_t response_of(const SiamRPNOptions& options) {
  const std::int64_t pattern =
      options.template_places > 0 ? options.template_places : places_of(options, options.exemplar);
  const std::int64_t places = places_of(options, options.search) - pattern + 1;
  require(pattern > kHeadMargin && places >= 1, "SiamRPN: a template of ", options.exemplar,
          " pixels and a search image of ", options.search, " at stride ", options.stride,
          " have no place to be compared at");
  return places;
}

ResNet resnet_of(const SiamRPNOptions& options) {
  return ResNet(ResNetBlockKind::basic, options.blocks,
                {.classes = 0,
                 .deformable = options.deformable,
                 .width = options.width,
                 .output_stride = options.stride});
}

struct AlexNetStep {
  std::int64_t out, kernel, stride;
  int stage;
};
constexpr AlexNetStep kAlexNet[] = {
    {64, 11, 2, 1}, {192, 5, 1, 2}, {384, 3, 1, 3}, {256, 3, 1, 3}, {256, 3, 1, 3}};

Sequential alexnet_of(const DeformableStages& deformable) {
  check_stages("SiamRPN", deformable, kAlexNetStages);
  Sequential trunk;
  std::int64_t in = 3;
  int stage = 1;
  for (const AlexNetStep& step : kAlexNet) {
    if (trunk.size() > 0) trunk.add(Relu());
    if (step.stage != stage) trunk.add(MaxPool2d({.kernel = 3, .stride = 2}));
    add_conv(trunk, in, step.out, {.kernel = step.kernel, .stride = step.stride}, deformable,
             step.stage);
    in = step.out;
    stage = step.stage;
  }
  if (deformable.extra_last_stage) trunk.add("extra", ExtraDeformConv2d(in));
  return trunk;
}

}  // namespace

SiamRPNOptions siamrpn_resnet18(const DeformableStages& deformable) {
  return {.deformable = deformable};
}

SiamRPNOptions siamrpn_resnet34(const DeformableStages& deformable) {
  return {.blocks = {3, 4, 6, 3}, .deformable = deformable};
}

SiamRPNOptions siamrpn_alexnet(const DeformableStages& deformable) {
  return {.trunk = SiamRPNTrunk::alexnet,
          .deformable = deformable,
          .neck = 0,
          .head = SiamRPNHead::up_channel};
}

SiamRPNOptions small_siamrpn(const DeformableStages& deformable) {
  return {.blocks = {2, 2, 2},
          .width = 32,
          .deformable = deformable,
          .stride = 4,
          .exemplar = 63,
          .search = 127,
          .neck = 0,
          .hidden = 64};
}

SiamRPN::SiamRPN(const SiamRPNOptions& options)
    : options_(checked(options)), places_(response_of(options)) {
  std::int64_t channels = std::end(kAlexNet)[-1].out;
  if (options.trunk == SiamRPNTrunk::resnet) {
    resnet_ = own("trunk", resnet_of(options));
    channels = resnet_->features();
  } else {
    alexnet_ = own("trunk", alexnet_of(options.deformable));
  }
  if (options.neck > 0) {
    neck_ = own("neck", Sequential(Conv2d(channels, options.neck, {.kernel = 1, .bias = Bias::no}),
                                   BatchNorm2d(options.neck)));
    channels = options.neck;
  }
  const SiamRPNHeadOptions head{
      .channels = channels, .hidden = options.hidden, .anchors = options.anchors};
  if (options.head == SiamRPNHead::depthwise)
    depthwise_ = own("head", DepthwiseRPNHead(head));
  else
    up_channel_ = own("head", UpChannelRPNHead(head));
}

Var SiamRPN::embedding(const Var& images) const {
  const Var features = resnet_ ? resnet_->stages(images).back() : (*alexnet_)(images);
  return neck_ ? (*neck_)(features) : features;
}

Var SiamRPN::pattern(const Var& templates) const {
  const ErrorPlace here(path());
  const Var all = embedding(templates);
  const std::int64_t kept = options_.template_places;
  if (kept == 0) return all;
  const std::int64_t first = (all.shape()[1] - kept) / 2;
  return slice_axis(slice_axis(all, 1, first, first + kept), 2, first, first + kept);
}

SiamRPNOutput SiamRPN::respond(const Var& pattern, const Var& searches) const {
  const ErrorPlace here(path());
  const Var search = embedding(searches);
  return depthwise_ ? (*depthwise_)(pattern, search) : (*up_channel_)(pattern, search);
}

SiamRPNOutput SiamRPN::operator()(const Var& templates, const Var& searches) const {
  return respond(pattern(templates), searches);
}

Tensor SiamRPN::anchors(double centre, DType dtype) const {
  const double scale = static_cast<double>(options_.stride) / kPublishedStride;
  const Tensor published = siamrpn_anchors(
      {.size = places_, .stride = kPublishedStride, .centre = centre / scale}, dtype);
  return mul(published, Tensor::full({1}, scale, dtype)).value();
}

}  // namespace pliant
