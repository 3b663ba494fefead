// VGG nets (Simonyan and Zisserman 2015) with torchvision's names and conventions.
#pragma once

#include <pliant/layers/nets/options.h>
#include <pliant/layers/nets/torchvision.h>

namespace pliant {

enum class Normalisation : unsigned char { none, batch };

struct VggOptions {
  std::int64_t classes = 1000;  // 0: there is no classifier; the net gives its last map, flattened
  std::int64_t channels = 3;    // of the images
  // imagenet: five stages that each halve the map, an average to 7 x 7 and three linear layers with
  // dropout; small: the first stage does not halve, and one linear layer reads the mean over space.
  Stem stem = Stem::imagenet;
  Normalisation normalisation = Normalisation::none;  // batch: torchvision's vgg11_bn and so on
  double dropout = 0.5;                               // of the three linear layers
  // Stages 1 to 5 are what lies between the poolings. A stage is one block: extra_last_stage puts
  // the layer ("features.extra") after the last convolution, and its BatchNorm, of the fifth.
  DeformableStages deformable = {};
};

// [N H W channels] -> logits [N classes]. Parts: features.0 .. and classifier.0 .., numbered as
// torchvision's, which count ReLUs, poolings and dropout. Convolutions start as kaiming_normal by
// fan out, the three linear layers as normal of deviation 0.01. In training the tape needs a key,
// for dropout.
class Vgg : public Module {
 public:
  // So many convolutions in each of the five stages.
  explicit Vgg(const std::vector<int>& convolutions, const VggOptions& options = {});

  Var operator()(const Var& images) const { return classifier_(pool_(features_(images))); }

  // For load_torchvision: what reads the flattened map.
  std::vector<FlattenedMap> flattened_maps() const;

 private:
  Sequential make_features(const std::vector<int>& convolutions) const;
  Sequential make_pool() const;
  Sequential make_classifier() const;

  VggOptions options_;
  Sequential features_, pool_, classifier_;
};

// With the ImageNet stem, 3 channels, 1000 classes and no BatchNorm: 132,863,336, 133,047,848 and
// 138,357,544 parameters.
Vgg vgg11(const VggOptions& options = {});
Vgg vgg13(const VggOptions& options = {});
Vgg vgg16(const VggOptions& options = {});

}  // namespace pliant
