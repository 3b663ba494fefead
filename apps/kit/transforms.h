// Ways to move test pictures as no training picture was: how much of its score a net keeps.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <pliant/data/warp.h>

namespace pliant::kit {

// One way to move all pictures of a set.
struct Transform {
  std::string kind;                 // scale, rotate or shear
  double level = 1;                 // a factor, degrees, or a share
  double shift_x = 0, shift_y = 0;  // besides, in shares of the extents
  bool along_y = false;             // of shear

  // Whether the pictures of a training were moved so, too: scaled by scale_low to scale_high, turned
  // by up to `rotate` degrees and sheared by up to `shear` either way.
  template <class Augmentation>
  bool is_within(const Augmentation& of) const {
    if (kind == "scale") return level >= of.scale_low && level <= of.scale_high;
    return std::abs(level) <= (kind == "rotate" ? of.rotate : of.shear);
  }
  // Of a picture of this size, within it.
  Warp warp(std::int64_t height, std::int64_t width) const;
};

// Scale .5 .7 1.5 2, turns of 10, 20 and 30 degrees and shear of .2 and .4, either way, `draws` of
// each: the same for every net and program, made by key (bench/results/transforms.json).
std::vector<Transform> transforms(int draws = 3);
nlohmann::ordered_json json_of(const std::vector<Transform>& transforms);

}  // namespace pliant::kit
