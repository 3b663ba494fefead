// Pictures that are moved as no training picture was: how much of its score a net keeps.
#pragma once

#include <pliant/apps/detect/inputs.h>
#include <pliant/apps/kit/transforms.h>

namespace pliant::detect {

using kit::Transform;
using kit::transforms;

// The set's pictures, moved within their size: what lies beyond is the recipe's mean colour. A box is
// then the one around the ellipse that fits in it; one of which less than half is left is difficult.
PictureSet transformed(const PictureSet& set, const Transform& transform, const NetRecipe& recipe);

}  // namespace pliant::detect
