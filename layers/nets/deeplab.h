// DeepLabv3+ (Chen 2018) on a residual trunk: a class for every pixel.
//
//   DeepLabV3Plus net({.trunk = {.deformable = {.stages = {4}}, .output_stride = 16}, .classes = 11});
//   net.initialise(rng);
//   Var logits = net(tape.input(images));  // [N H W 11]
#pragma once

#include <cstdint>
#include <vector>

#include <pliant/layers/dropout.h>
#include <pliant/layers/nets/resnet.h>

namespace pliant {

struct DeepLabOptions {
  ResNetBlockKind kind = ResNetBlockKind::basic;
  std::vector<int> blocks = {2, 2, 2, 2};         // of each stage: ResNet-18
  ResNetOptions trunk = {.output_stride = 16};    // its classes are not read
  std::vector<std::int64_t> rates = {6, 12, 18};  // dilations of the 3x3 branches; 2 4 6 for
                                                  // pictures of 240 x 180
  std::int64_t aspp_channels = 256;
  std::int64_t low_channels = 48;  // of the first stage's map, beside those
  std::int64_t classes = 21;
  bool dropout = true;  // .5, .5 and .1; in training the tape then needs a key
};

// images [N H W channels] -> logits [N H W classes]. On the trunk's last stage "aspp" has a 1x1
// convolution and a 3x3 one for each rate, "pool" a 1x1 on the mean of the map; "project" makes one
// map of them, which is enlarged to the first stage's size and stands before that, reduced by "low".
// "last" has two 3x3 convolutions, and a 1x1 with bias that gives the classes; the logits are
// enlarged to the image. All others have BatchNorm and ReLU and no bias; enlarging is bilinear, the
// corners' centres keeping their places. The trunk is as ResNet starts, the rest as
// kaiming_normal by fan in. Where the trunk has a tenth of the head's rate:
//   net.set_lr_factor("trunk", 0.1);
class DeepLabV3Plus : public Module {
 public:
  explicit DeepLabV3Plus(const DeepLabOptions& options = {});

  Var operator()(const Var& images) const;

  ResNet trunk;

 private:
  Var context(const Var& high) const;

  ModuleList<Sequential> aspp_;
  Sequential pool_, project_, low_;
  ModuleList<Sequential> last_;
  bool dropout_;
  Dropout drop_project_, drop_first_, drop_second_;
};

}  // namespace pliant
