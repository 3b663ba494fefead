// Scenes drawn by program, for those who have no pictures with masks at hand: shapes that are
// turned, stretched and bent, over one another.
#pragma once

#include <string>
#include <vector>

#include <pliant/core/random.h>
#include <pliant/data/samples.h>

namespace pliant::segment {

// Names of the classes, by label; 0 is the ground.
const std::vector<std::string>& scene_classes();

// A picture uint8 [height width 3] and its mask: a pure function of the arguments.
SegmentationSample make_scene(std::int64_t height, std::int64_t width, const Rng& rng);

}  // namespace pliant::segment
