// Where a deformable net of pliant-train reads a picture.
#pragma once

#include <string>

#include <pliant/apps/kit/classifier.h>
#include <pliant/apps/train/pictures.h>

namespace pliant::train {

// A few pictures with the sampling points of the last deformable layers, and how far each layer
// moves its own: HTML. Empty for a net of which no layer deforms.
std::string where_it_reads(const kit::Classifier& net, const PictureSet& set,
                           const NetRecipe& recipe, Device device);

}  // namespace pliant::train
