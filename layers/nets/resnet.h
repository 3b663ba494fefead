// Residual nets (He et al. 2016) with torchvision's names and conventions.
//
//   ResNet net = resnet18({.classes = 10, .channels = 1, .stem = Stem::small});
//   net.initialise(rng);
//   Var logits = net(tape.input(images));
#pragma once

#include <optional>
#include <vector>

#include <pliant/layers/batch_norm2d.h>
#include <pliant/layers/linear.h>
#include <pliant/layers/nets/options.h>

namespace pliant {

struct ResNetOptions {
  std::int64_t classes = 1000;  // 0: there is no classifier; the net gives its features
  std::int64_t channels = 3;    // of the images
  // imagenet: a 7x7 convolution of stride 2 and a 3x3 max pooling of stride 2; small: a 3x3
  // convolution of stride 1 and no pooling.
  Stem stem = Stem::imagenet;
  DeformableStages deformable = {};  // stages 1 to 4 are layer1 to layer4
  std::int64_t width = 64;           // channels of the stem and of stage 1; doubled by each stage
  // Pixels of a picture for one of the last stage's: 32, or 16 or 8, where the stages beyond keep
  // their size and their 3x3 convolutions dilate instead; with the small stem 8, or 4 or 2. 0: the
  // largest.
  std::int64_t output_stride = 0;
  // Factors of the dilations of the last stage's first blocks, 1 2 4 in DeepLab (Chen 2017).
  std::vector<std::int64_t> multi_grid = {};
};

// The two kinds of blocks, each a sum of a shortcut and of convolutions with BatchNorm:
enum class ResNetBlockKind : unsigned char {
  basic,       // two of 3x3, the first with the block's stride
  bottleneck,  // 1x1, 3x3 with the block's stride, 1x1 to four times the width
};

struct ResNetBlockOptions {
  ResNetBlockKind kind = ResNetBlockKind::basic;
  std::int64_t in = 64, width = 64, stride = 1;
  int stage = 1;
  DeformableStages deformable = {};
  std::int64_t dilation = 1;  // of the 3x3 convolutions
};

// [N H W in] -> [N H/stride W/stride out], out = width or four times that. Parts: conv1 bn1 conv2
// bn2 (conv3 bn3) (extra) and, where stride or channels change, downsample.0 (1x1) and
// downsample.1 (BatchNorm).
class ResNetBlock : public NetModule {
 public:
  explicit ResNetBlock(const ResNetBlockOptions& options);

  Var operator()(const Var& x) const;

 private:
  struct Step {
    Forward conv;
    BatchNorm2d norm;
  };
  void add_step(std::int64_t in, std::int64_t out, const Conv2dOptions& options, int stage,
                const DeformableStages& deformable);

  std::vector<Step> steps_;
  std::optional<ExtraDeformConv2d> extra_;
  std::optional<Sequential> downsample_;
};

// [N H W channels] -> logits [N classes], or features [N C] without a classifier (C: 8 widths,
// of bottlenecks 32). Parts: conv1 bn1 layer1 .. layer4 fc, as torchvision's. Convolutions start as
// kaiming_normal by fan out.
class ResNet : public Module {
 public:
  // So many blocks in each of the four stages; of fewer stages it ends sooner, with an output
  // stride that is as much smaller.
  ResNet(ResNetBlockKind kind, const std::vector<int>& blocks, const ResNetOptions& options = {});

  Var operator()(const Var& images) const;
  // What each stage gives, the first one first: for nets that stand on this one.
  std::vector<Var> stages(const Var& images) const;
  // Channels of the last stage, and of each one.
  std::int64_t features() const { return features_.back(); }
  const std::vector<std::int64_t>& stage_features() const& { return features_; }

 private:
  Var stem(const Var& images) const;

  Stem stem_;
  Conv2d conv1_;
  BatchNorm2d bn1_;
  std::vector<ModuleList<ResNetBlock>> layers_;
  std::vector<std::int64_t> features_;
  std::optional<Linear> fc_;
};

// With the ImageNet stem, 3 channels and 1000 classes: 11,689,512, 21,797,672 and 25,557,032
// parameters.
ResNet resnet18(const ResNetOptions& options = {});
ResNet resnet34(const ResNetOptions& options = {});
ResNet resnet50(const ResNetOptions& options = {});

}  // namespace pliant
