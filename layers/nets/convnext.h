// ConvNeXt (Liu et al. 2022) with torchvision's names and conventions.
#pragma once

#include <vector>

#include <pliant/layers/nets/options.h>

namespace pliant {

struct ConvNextOptions {
  std::int64_t classes = 1000;  // 0: there is no classifier; the net gives its features
  std::int64_t channels = 3;    // of the images
  // imagenet: the stem cuts the image into patches of 4 x 4; small: of 2 x 2.
  Stem stem = Stem::imagenet;
  // Chance that a block is left out for an image: it grows from 0 at the first block to this at the
  // last (Huang et al. 2016). In training above 0 the tape needs a key.
  double stochastic_depth = 0.1;
  double layer_scale = 1e-6;  // first value of each block's factors
  // Stages 1 to 4, whose depthwise 7x7 convolutions deform. There are no extra layers.
  DeformableStages deformable = {};
};

// Of a stage: so many blocks of so many channels.
struct ConvNextStage {
  std::int64_t channels = 96;
  int blocks = 3;
};

// x + drop(layer_scale * block(x)): a depthwise 7x7 convolution, LayerNorm, a linear layer to four
// times the channels, GELU and one back. Parts: block.0, block.2, block.3, block.5, layer_scale.
class ConvNextBlock : public Module {
 public:
  ConvNextBlock(std::int64_t channels, int stage, double drop, const ConvNextOptions& options);

  Var operator()(const Var& x) const;

 private:
  Var dropped(const Var& h) const;

  double drop_;
  Sequential block_;
  Parameter layer_scale_;  // [C 1 1], as torchvision has it
};

// [N H W channels] -> logits [N classes], or features [N C] without a classifier. Parts: features.0
// .. features.7 (stem, stages and the convolutions of stride 2 between them) and classifier.0, .2.
class ConvNext : public Module {
 public:
  explicit ConvNext(const std::vector<ConvNextStage>& stages, const ConvNextOptions& options = {});

  Var operator()(const Var& images) const;

 private:
  Sequential features_, classifier_;
};

// With the ImageNet stem, 3 channels and 1000 classes: 28,589,128 parameters.
ConvNext convnext_tiny(const ConvNextOptions& options = {});

}  // namespace pliant
