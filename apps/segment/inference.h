// What a net says of a whole picture of any size.
#pragma once

#include <cstdint>
#include <vector>

#include <pliant/apps/segment/nets.h>

namespace pliant::segment {

struct InferenceOptions {
  Device device = {};
  bool flip = false;                 // the mean with what it says of the mirrored picture
  std::vector<double> scales = {1};  // the mean over the picture in these sizes
  // Side of the windows in which a picture larger than that is seen, half overlapping; 0: pictures
  // are seen whole up to a million pixels, larger ones in windows of 768.
  std::int64_t window = 0;
};

// The probability of each class at each pixel, float32 [H W classes] on the CPU, of a picture uint8
// [H W 3]. What is no number is an Error.
Tensor probabilities_of(const DeepLabV3Plus& net, const NetRecipe& recipe, const Tensor& picture,
                        const InferenceOptions& options);

// The most probable class of each pixel, uint8 [H W].
Tensor guesses_of(const Tensor& probabilities);

}  // namespace pliant::segment
