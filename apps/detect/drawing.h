// Boxes with names and scores drawn into a picture.
#pragma once

#include <string>
#include <vector>

#include <pliant/core/tensor.h>
#include <pliant/layers/train/detection_metrics.h>

namespace pliant::detect {

// The picture uint8 [H W 3] with the boxes over it, the least sure first, each with the name of its
// class and its score in per cent; colours go by class.
Tensor drawn(const Tensor& picture, const std::vector<FoundBox>& found,
             const std::vector<std::string>& classes);

}  // namespace pliant::detect
