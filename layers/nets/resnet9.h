// ResNet-9: the small residual net that is quick to train on images of 32 x 32 (Page 2018, "How to
// train your ResNet").
#pragma once

#include <optional>
#include <vector>

#include <pliant/layers/batch_norm2d.h>
#include <pliant/layers/linear.h>
#include <pliant/layers/nets/options.h>

namespace pliant {

struct ResNet9Options {
  std::int64_t classes = 10;
  std::int64_t channels = 3;  // of the images
  std::int64_t width = 64;    // of the first map; the others have 2, 4 and 8 times as many channels
  double logit_scale = 0.125;
  DeformableStages deformable = {};  // stages 1 to 3 are layer1 to layer3
};

// [N H W channels], H and W at least 8 -> logits [N classes]. A stem of 3x3; three stages that each
// convolve 3x3 and halve the map by max pooling, the first and third followed by a residual block
// of two 3x3; the largest of each channel; a linear layer whose result is times logit_scale. Every
// convolution is followed by BatchNorm and ReLU. Parts: stem, layer1 .. layer3 (conv, residual),
// fc. With width 64 and 3 channels 6,573,120 parameters.
class ResNet9 : public Module {
 public:
  explicit ResNet9(const ResNet9Options& options = {});

  Var operator()(const Var& images) const;

 private:
  Sequential make_stage(std::int64_t in, std::int64_t out, int stage) const;

  ResNet9Options options_;
  Sequential stem_;
  std::vector<Sequential> layers_;
  std::optional<Linear> fc_;
};

}  // namespace pliant
