// Pictures that are moved as no training picture was: how much of its score a net keeps.
#pragma once

#include <pliant/apps/kit/transforms.h>
#include <pliant/apps/segment/inputs.h>

namespace pliant::segment {

using kit::Transform;
using kit::transforms;

// The set's pictures, moved within their size: what lies beyond is the recipe's mean colour and of
// no class.
PictureSet transformed(const PictureSet& set, const Transform& transform, const NetRecipe& recipe);

}  // namespace pliant::segment
