#include <pliant/apps/segment/inputs.h>

#include <algorithm>

namespace pliant::segment {
namespace {

Tensor normalised(const Tensor& picture, const NetRecipe& recipe) {
  return normalize(picture, {recipe.mean.begin(), recipe.mean.end()},
                   {recipe.deviation.begin(), recipe.deviation.end()});
}

}  // namespace

std::vector<float> mean_colour(const NetRecipe& recipe) {
  std::vector<float> colour;
  for (const double mean : recipe.mean) colour.push_back(static_cast<float>(255 * mean));
  return colour;
}

SegmentationSample NetInput::at(std::int64_t i, const Rng& rng) const {
  const SegmentationSample picture = set_.at(i);
  const Warp warp = random_warp(picture.image.dim(0), picture.image.dim(1),
                                {.rotate = augment_.rotate,
                                 .shear = augment_.shear,
                                 .scale_low = augment_.scale_low,
                                 .scale_high = augment_.scale_high,
                                 .height = recipe_.height,
                                 .width = recipe_.width},
                                rng.fork("warp"));
  SegmentationSample crop = warped(picture, warp, {.fill = mean_colour(recipe_)});
  const Rng blur = rng.fork("blur");
  if (blur.uniform(0) < augment_.blur)
    crop.image = gaussian_blur(crop.image, blur.uniform(1, 0, 1));
  crop.image = normalised(crop.image, recipe_);
  return crop;
}

Tensor net_input(const Tensor& picture, const NetRecipe& recipe) {
  return normalised(picture, recipe).reshape({1, picture.dim(0), picture.dim(1), picture.dim(2)});
}

Crops crops_of(const std::vector<SegmentationSample>& samples) {
  const SegmentationBatch batch = stack_segmentation(samples);
  const auto labels = batch.labels.span<std::int64_t>();
  const auto none = std::count(labels.begin(), labels.end(), kVoid);
  return {batch.images, batch.labels, batch.labels.size() - none};
}

}  // namespace pliant::segment
