// Pictures with boxes drawn by program, for those who have none at hand: bent discs, rings and stars
// that lie over one another.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <pliant/core/random.h>
#include <pliant/data/samples.h>

namespace pliant::detect {

// Names of the classes, by label.
const std::vector<std::string>& scene_classes();

// A picture uint8 [height width 3] with 0 to 12 objects; what is mostly hidden is difficult. A pure
// function of its arguments.
DetectionSample make_scene(std::int64_t height, std::int64_t width, const Rng& rng);

}  // namespace pliant::detect
