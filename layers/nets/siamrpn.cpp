#include <pliant/layers/nets/siamrpn.h>

#include <pliant/autograd/ops/anchors.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/core/sizes.h>

namespace pliant {
namespace {

constexpr std::int64_t kPublishedStride = 8;  // of the anchors' rule
constexpr std::int64_t kHeadMargin = 2;       // that 3x3 convolutions without padding take

// Along each axis of the embedding of so many pixels.
std::int64_t places_of(std::int64_t pixels, std::int64_t stride) {
  return (pixels + stride - 1) / stride;  // every step of the trunk rounds up
}

const SiamRPNOptions& checked(const SiamRPNOptions& options) {
  require_pixels("SiamRPN", "exemplar, search and stride", 1,
                 {options.exemplar, options.search, options.stride});
  require(options.neck >= 0, "SiamRPN: a neck of ", options.neck, " channels, expected 0 or more");
  const std::int64_t all = places_of(options.exemplar, options.stride),
                     kept = options.template_places;
  require(kept == 0 || (kept > kHeadMargin && kept <= all && (all - kept) % 2 == 0),
          "SiamRPN: template_places is ", kept, ", expected 0, or what leaves as much of the ", all,
          " places on either side");
  return options;
}

std::int64_t response_of(const SiamRPNOptions& options) {
  const std::int64_t pattern = options.template_places > 0
                                   ? options.template_places
                                   : places_of(options.exemplar, options.stride);
  const std::int64_t places = places_of(options.search, options.stride) - pattern + 1;
  require(pattern > kHeadMargin && places >= 1, "SiamRPN: a template of ", options.exemplar,
          " pixels and a search image of ", options.search, " at stride ", options.stride,
          " have no place to be compared at");
  return places;
}

ResNetOptions trunk_of(const SiamRPNOptions& options) {
  return {.classes = 0,
          .deformable = options.deformable,
          .width = options.width,
          .output_stride = options.stride};
}

}  // namespace

SiamRPNOptions siamrpn_resnet18(const DeformableStages& deformable) {
  return {.deformable = deformable};
}

SiamRPNOptions siamrpn_resnet34(const DeformableStages& deformable) {
  return {.blocks = {3, 4, 6, 3}, .deformable = deformable};
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
    : options_(checked(options)),
      places_(response_of(options)),
      trunk_(own("trunk", ResNet(ResNetBlockKind::basic, options.blocks, trunk_of(options)))) {
  std::int64_t channels = trunk_.features();
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
  const Var features = trunk_.stages(images).back();
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
