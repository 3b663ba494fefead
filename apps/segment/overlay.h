// Labels as pictures for people.
#pragma once

#include <pliant/core/tensor.h>
#include <pliant/data/image_file.h>

namespace pliant::segment {

// Labels uint8 [H W] in the colours of their classes, uint8 [H W 3]; those of none are white.
Tensor coloured(const Tensor& labels, const Palette& colours);

// The picture uint8 [H W 3] with them over it, half transparent.
Tensor overlay(const Tensor& picture, const Tensor& labels, const Palette& colours);

}  // namespace pliant::segment
