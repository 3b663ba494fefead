// What the net of pliant-segment is given: pictures augmented, normalised and in batches.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <pliant/apps/segment/nets.h>
#include <pliant/apps/segment/pictures.h>
#include <pliant/core/device.h>
#include <pliant/data/augment.h>

namespace pliant::segment {

// How training pictures are changed besides the flip and the crop.
struct Augmentation {
  double scale_low = 0.75, scale_high = 1.5;
  double rotate = 0, shear = 0;  // up to so many degrees, and so much, either way
  double blur = 0;               // how often, by up to a pixel
};

// A Dataset of SegmentationSample: crops float32 [height width 3] of the recipe's size, normalised;
// what lies beyond a picture is its mean colour and of no class.
class NetInput {
 public:
  NetInput(PictureSet set, const NetRecipe& recipe, const Augmentation& augment)
      : set_(std::move(set)), recipe_(recipe), augment_(augment) {}

  std::int64_t size() const { return set_.size(); }
  SegmentationSample at(std::int64_t i, const Rng& rng) const;

 private:
  PictureSet set_;
  NetRecipe recipe_;
  Augmentation augment_;
};

// A picture uint8 [H W 3] -> float32 [1 H W 3], normalised.
Tensor net_input(const Tensor& picture, const NetRecipe& recipe);

// The recipe's mean colour in bytes: what lies beyond a picture that is moved.
std::vector<float> mean_colour(const NetRecipe& recipe);

struct Crops {
  Tensor images, labels;     // float32 [N H W 3], int64 [N H W]
  std::int64_t counted = 0;  // pixels that belong to a class

  std::int64_t size() const { return images.dim(0); }
  Crops to(Device device) const { return {images.to(device), labels.to(device), counted}; }
};
Crops crops_of(const std::vector<SegmentationSample>& samples);

}  // namespace pliant::segment
