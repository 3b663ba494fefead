// What a picture and its mask must have in common.
#pragma once

#include <cstddef>
#include <string>

#include <pliant/core/error.h>
#include <pliant/data/samples.h>

namespace pliant {

inline constexpr std::uint8_t kVoidLabel = 255;  // belongs to no class

// An Error that begins with `file`, the mask's, unless it is of the picture's size and its labels
// are classes or kVoidLabel.
inline void check_mask(const SegmentationSample& sample, const std::string& file,
                       std::size_t classes) {
  const Tensor &mask = sample.mask, &image = sample.image;
  require(mask.dim(0) == image.dim(0) && mask.dim(1) == image.dim(1), file, ": the mask is ",
          mask.dim(1), " x ", mask.dim(0), " pixels, its picture, upright, ", image.dim(1), " x ",
          image.dim(0));
  for (const std::uint8_t label : mask.span<std::uint8_t>())
    require(label < classes || label == kVoidLabel, file, ": the mask has a label ", int{label},
            ", which is neither one of the ", classes, " classes nor 255");
}

}  // namespace pliant
