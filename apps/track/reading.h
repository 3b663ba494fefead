// Where a deformable net of pliant-track reads a target that bends.
#pragma once

#include <string>

#include <pliant/apps/track/nets.h>
#include <pliant/core/device.h>

namespace pliant::track {

// A generated target at a few times, with the sampling points of the last layers that deform for
// its middle, and how far each layer moves its own: HTML. Empty for a net of which no layer deforms.
std::string where_it_reads(const SiamRPN& net, const NetRecipe& recipe, Device device);

}  // namespace pliant::track
