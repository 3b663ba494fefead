// Where a deformable net of pliant-segment reads a picture.
#pragma once

#include <string>

#include <pliant/apps/segment/nets.h>
#include <pliant/apps/segment/pictures.h>
#include <pliant/layers/sampling.h>

namespace pliant::segment {

// How far the sampling points of all layers that deform are moved on a few pictures of the set; 0
// for a net of which none does.
Movement movement_of(const DeepLabV3Plus& net, const NetRecipe& recipe, const PictureSet& set,
                     Device device);

// A few pictures with the sampling points of the last layers that deform for a pixel on an object,
// and how far each layer moves its own: HTML. Empty for a net of which no layer deforms.
std::string where_it_reads(const DeepLabV3Plus& net, const NetRecipe& recipe, const PictureSet& set,
                           Device device);

}  // namespace pliant::segment
