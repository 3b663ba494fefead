// What the published nets of this folder have in common: stems, and where they deform.
#pragma once

#include <cstdint>
#include <vector>

#include <pliant/layers/deform_conv2d.h>
#include <pliant/layers/sequential.h>

namespace pliant {

// How a net begins.
enum class Stem : unsigned char {
  imagenet,  // as published, for images of about 224 x 224
  small,     // without the first reductions, for images of about 32 x 32
};

// Stages are counted from 1, as each net says. Nothing: the regular net.
struct DeformableStages {
  // Stages whose 3x3 convolutions (of LeNet-5: the 5x5 one) deform. They have the regular ones'
  // names and an offset branch besides, which starts as zero: the net begins as the regular one.
  std::vector<int> stages = {};
  Modulation modulation = Modulation::none;  // of these
  std::int64_t offset_groups = 1;            // of these
  // An ExtraDeformConv2d after the last BatchNorm of every block of the last stage.
  bool extra_last_stage = false;
};

// A deformable 3x3 convolution C -> C, padding 1, whose offsets another 3x3 convolution "offset"
// (C -> 18) reads from the same map; neither has a bias: 9 C (C + 18) parameters. The offsets start
// as zero and the weight as the identity, so the layer starts as the identity.
class ExtraDeformConv2d : public Module {
 public:
  explicit ExtraDeformConv2d(std::int64_t channels);

  Var operator()(const Var& x) const;

  Conv2d offset;
  DeformConv2d conv;
};

// What the nets are made of.
class NetModule : public Module {
 protected:
  // Owns a convolution under that name, deformable if `stage` is one of those of `deformable`.
  Forward own_conv(const std::string& name, std::int64_t in, std::int64_t out,
                   const Conv2dOptions& options, const DeformableStages& deformable, int stage);
};

// Adds it to a Sequential, which counts it as a place.
void add_conv(Sequential& layers, std::int64_t in, std::int64_t out, const Conv2dOptions& options,
              const DeformableStages& deformable, int stage);

// An Error unless all stages are in [1, count] and none is named twice.
void check_stages(const char* net, const DeformableStages& deformable, int count);

}  // namespace pliant
