// SiamRPN trackers (Li et al. 2018, 2019): one trunk sees a template of the target and a search
// image, a head compares the two and gives a score and a step for every anchor.
//
//   SiamRPN net(small_siamrpn());
//   net.initialise(rng);
//   const Var pattern = net.pattern(first);           // once
//   const SiamRPNOutput output = net.respond(pattern, search);  // in every frame
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <pliant/layers/nets/resnet.h>
#include <pliant/layers/nets/siamrpn_head.h>

namespace pliant {

enum class SiamRPNHead : unsigned char { depthwise, up_channel };

// resnet: a ResNet with padding. alexnet: what SiamRPN was published with, by the geometry of
// songdejia/Siamese-RPN-pytorch: five convolutions without padding or BatchNorm, of 64 channels
// (11x11, stride 2), 192 (5x5), 384, 256 and 256 (3x3), after each of the first two ReLU and a 3x3
// max pooling of stride 2, ReLU between the others; stride 8, and (pixels - 87) / 8 + 1 places. The
// last three are its stage 3.
enum class SiamRPNTrunk : unsigned char { resnet, alexnet };

struct SiamRPNOptions {
  SiamRPNTrunk trunk = SiamRPNTrunk::resnet;
  std::vector<int> blocks = {2, 2, 2, 2};  // of basic kind, in each stage of a ResNet
  std::int64_t width = 64;                 // of a ResNet's first stage
  DeformableStages deformable = {};        // of the trunk
  // Pixels for one of the embedding's: a ResNet's stages that would pass it dilate instead.
  std::int64_t stride = 8;
  std::int64_t exemplar = 127, search = 255;  // sides of the template and of the search image
  // The middle of the template's embedding that is compared, so many places wide; 0: all of it.
  std::int64_t template_places = 0;
  // Channels that a 1x1 convolution with BatchNorm brings the embedding to; 0: the trunk's as it is.
  std::int64_t neck = 256;
  SiamRPNHead head = SiamRPNHead::depthwise;
  std::int64_t hidden = 256;  // of the depthwise head
  std::int64_t anchors = 5;   // at each place: the five ratios of siamrpn_anchors()
};

// ResNet-18 and ResNet-34 at stride 8, images of 127 and 255 pixels: 17 x 17 places, or 25 x 25 with
// template_places = 8.
SiamRPNOptions siamrpn_resnet18(const DeformableStages& deformable = {});
SiamRPNOptions siamrpn_resnet34(const DeformableStages& deformable = {});
// AlexNet's trunk and the up-channel head: 17 x 17 places, 21,352,676 parameters.
SiamRPNOptions siamrpn_alexnet(const DeformableStages& deformable = {});
// For a CPU, all half as large: a trunk of three stages of two blocks, 32 to 128 channels, at stride
// 4, images of 63 and 127 pixels, 17 x 17 places. 1,004,990 parameters.
SiamRPNOptions small_siamrpn(const DeformableStages& deformable = {});

// Parts: "trunk", "neck" if there is one, "head".
class SiamRPN : public Module {
 public:
  explicit SiamRPN(const SiamRPNOptions& options = {});

  // templates [N exemplar exemplar 3], searches [N search search 3], normalised.
  SiamRPNOutput operator()(const Var& templates, const Var& searches) const;
  // The two halves of it: what a tracker computes once, and in every frame.
  Var pattern(const Var& templates) const;
  SiamRPNOutput respond(const Var& pattern, const Var& searches) const;

  // Places along each axis of what comes out.
  std::int64_t places() const { return places_; }
  // [K places places 4], as centre and sides in pixels of a search image whose middle pixel lies at
  // `centre`: siamrpn_anchors(), as much smaller as the stride is smaller than 8.
  Tensor anchors(double centre = 0, DType dtype = DType::float32) const;

  const SiamRPNOptions& options() const& { return options_; }

 private:
  Var embedding(const Var& images) const;

  SiamRPNOptions options_;
  std::int64_t places_;
  std::optional<ResNet> resnet_;  // the trunk is one of the two
  std::optional<Sequential> alexnet_;
  std::optional<Sequential> neck_;
  std::optional<DepthwiseRPNHead> depthwise_;
  std::optional<UpChannelRPNHead> up_channel_;
};

}  // namespace pliant
