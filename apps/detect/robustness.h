// Pictures that are moved as no training picture was: how much of its score a net keeps.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <pliant/apps/detect/inputs.h>

namespace pliant::detect {

// One way to move all pictures of a set.
struct Transform {
  std::string kind;                 // scale, rotate or shear
  double level = 1;                 // a factor, degrees, or a share
  double shift_x = 0, shift_y = 0;  // besides, in shares of the extents
  bool along_y = false;             // of shear

  // Whether the pictures of a training were moved so, too.
  bool is_within(const Augmentation& augment) const;
};

// Scale .5 .7 1.5 2, turns of 10, 20 and 30 degrees and shear of .2 and .4, either way, `draws` of
// each: the same for every net, made by key (bench/results/detect_transforms.json).
std::vector<Transform> transforms(int draws = 3);
nlohmann::ordered_json json_of(const std::vector<Transform>& transforms);

// The set's pictures, moved within their size: what lies beyond is the recipe's mean colour. A box is
// then the one around the ellipse that fits in it; one of which less than half is left is difficult.
PictureSet transformed(const PictureSet& set, const Transform& transform, const NetRecipe& recipe);

}  // namespace pliant::detect
