// What the net of pliant-detect is given: pictures resized, augmented, normalised and in batches.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <pliant/apps/detect/nets.h>
#include <pliant/apps/detect/pictures.h>
#include <pliant/core/device.h>
#include <pliant/data/augment.h>

namespace pliant::detect {

// How training pictures are changed. They keep their size: one that is enlarged is cut, one that is
// made smaller is padded.
struct Augmentation {
  double flip = 0.5;  // how often left and right are exchanged
  double scale_low = 0.8, scale_high = 1.25;
  double rotate = 0, shear = 0;  // up to so many degrees, and so much, either way
  double least_visible = 0.3;    // of an object: one of which less is left is not to be found
};

// A picture as the net sees it, and what is to be found in it, labels from 1.
struct NetPicture {
  Tensor image;  // float32 [H W 3], normalised
  TrueObjects truth;
};

// A Dataset of NetPicture. Difficult objects and crowds are not to be found.
class NetInput {
 public:
  NetInput(PictureSet set, const NetRecipe& recipe, const Augmentation& augment)
      : set_(std::move(set)), recipe_(recipe), augment_(augment) {}

  std::int64_t size() const { return set_.size(); }
  NetPicture at(std::int64_t i, const Rng& rng) const;

 private:
  PictureSet set_;
  NetRecipe recipe_;
  Augmentation augment_;
};

struct NetBatch {
  Tensor images;  // [N H W 3]
  std::vector<Size2> sizes;
  std::vector<TrueObjects> truth;

  std::int64_t size() const { return images.dim(0); }
  NetBatch to(Device device) const;
};
NetBatch batch_of(const std::vector<NetPicture>& pictures, std::int64_t divisor);

// A picture uint8 [H W 3] for inference: float32, and how much larger it was made.
struct Resized {
  Tensor image;
  double scale = 1;
};
Resized net_input(const Tensor& picture, const NetRecipe& recipe);

// The recipe's mean colour in bytes: what lies beyond a picture that is moved.
std::vector<float> mean_colour(const NetRecipe& recipe);

}  // namespace pliant::detect
