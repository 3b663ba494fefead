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

// What a 3x3 convolution becomes where it deforms.
enum class DeformableKind : unsigned char {
  deform_conv,  // a DeformConv2d
  // A DCNv3 or DCNv4 of 16 channels a group, which keep the number of channels: a convolution that
  // changes it stays as it is.
  dcn_v3,
  dcn_v4,
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
  DeformableKind kind = DeformableKind::deform_conv;  // of the stages
  bool held_offsets = false;  // of DCNv4 at 0, masks free; of others the offsets can be frozen
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

 private:
  Forward own_dcn(const std::string& name, std::int64_t channels, const Conv2dOptions& options,
                  const DeformableStages& deformable);
};

// Adds it to a Sequential, which counts it as a place.
void add_conv(Sequential& layers, std::int64_t in, std::int64_t out, const Conv2dOptions& options,
              const DeformableStages& deformable, int stage);

// An Error unless all stages are in [1, count] and none is named twice.
void check_stages(const char* net, const DeformableStages& deformable, int count);

}  // namespace pliant
