// LeNet-5 (LeCun et al. 1998), the classic small net for digits.
#pragma once

#include <pliant/layers/linear.h>
#include <pliant/layers/nets/options.h>
#include <pliant/layers/nets/torchvision.h>

namespace pliant {

struct LeNet5Options {
  std::int64_t classes = 10;
  std::int64_t channels = 1;  // of the images
  // Side of the images: 32, or 28, to which the first convolution then adds two pixels all round.
  std::int64_t side = 28;
  // Stages 1 and 2 are the two 5x5 convolutions; extra_last_stage puts an ExtraDeformConv2d
  // ("extra") after the second.
  DeformableStages deformable = {};
};

// [N side side channels] -> logits [N classes]: conv1 (5x5, 6), tanh, mean pooling, conv2 (5x5,
// 16), tanh, mean pooling, fc1 (400 to 120), fc2 (84), fc3, tanh between them. 61,706 parameters
// with one channel and ten classes: the published net with plain mean pooling, full connections and
// plain logits. Weights start as xavier_uniform with the gain of tanh.
class LeNet5 : public NetModule {
 public:
  explicit LeNet5(const LeNet5Options& options = {});

  Var operator()(const Var& images) const;

  // For load_torchvision: what reads the flattened map.
  static std::vector<FlattenedMap> flattened_maps() { return {{"fc1.weight", 5, 5}}; }

 private:
  Forward conv1_, conv2_, extra_;
  Linear fc1_, fc2_, fc3_;
};

}  // namespace pliant
