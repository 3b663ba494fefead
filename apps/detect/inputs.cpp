#include <pliant/apps/detect/inputs.h>

#include <algorithm>
#include <cmath>

namespace pliant::detect {
namespace {

Tensor normalised(const Tensor& picture, const NetRecipe& recipe) {
  return normalize(picture, {recipe.mean.begin(), recipe.mean.end()},
                   {recipe.deviation.begin(), recipe.deviation.end()});
}

// By how much a picture is made larger: torchvision's rule.
double scale_of(const Tensor& picture, const NetRecipe& recipe) {
  const auto height = static_cast<double>(picture.dim(0)),
             width = static_cast<double>(picture.dim(1));
  double scale =
      recipe.short_side > 0 ? static_cast<double>(recipe.short_side) / std::min(height, width) : 1;
  if (recipe.long_side > 0)
    scale = std::min(scale, static_cast<double>(recipe.long_side) / std::max(height, width));
  return scale;
}

std::int64_t scaled(std::int64_t side, double scale) {
  return std::max<std::int64_t>(1, std::llround(static_cast<double>(side) * scale));
}

// What is to be found: neither difficult nor a crowd.
TrueObjects truth_of(const DetectionSample& sample) {
  const auto boxes = sample.boxes.span<float>();
  const auto labels = sample.labels.span<std::int64_t>();
  std::vector<float> kept;
  std::vector<std::int64_t> of;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (sample.difficult.span<std::uint8_t>()[i] != 0 || sample.crowd.span<std::uint8_t>()[i] != 0)
      continue;
    kept.insert(kept.end(), boxes.begin() + static_cast<std::ptrdiff_t>(4 * i),
                boxes.begin() + static_cast<std::ptrdiff_t>(4 * i + 4));
    of.push_back(labels[i] + 1);
  }
  const auto count = static_cast<std::int64_t>(of.size());
  return {Tensor::from(kept, {count, 4}), Tensor::from(of, {count})};
}

}  // namespace

std::vector<float> mean_colour(const NetRecipe& recipe) {
  std::vector<float> colour;
  for (const double mean : recipe.mean) colour.push_back(static_cast<float>(255 * mean));
  return colour;
}

NetPicture NetInput::at(std::int64_t i, const Rng& rng) const {
  DetectionSample sample = set_.at(i);
  if (const double scale = scale_of(sample.image, recipe_); scale != 1) {
    Warp larger(sample.image.dim(0), sample.image.dim(1));
    sample = warped(sample, larger.resize(scaled(sample.image.dim(0), scale),
                                          scaled(sample.image.dim(1), scale)));
  }
  const Warp warp = random_warp(sample.image.dim(0), sample.image.dim(1),
                                {.flip = augment_.flip,
                                 .rotate = augment_.rotate,
                                 .shear = augment_.shear,
                                 .scale_low = augment_.scale_low,
                                 .scale_high = augment_.scale_high},
                                rng.fork("warp"));
  const DetectionSample moved = warped(sample, warp,
                                       {.fill = mean_colour(recipe_),
                                        .turned = TurnedBox::ellipse,
                                        .least_visible = augment_.least_visible});
  return {normalised(moved.image, recipe_), truth_of(moved)};
}

NetBatch NetBatch::to(Device device) const {
  NetBatch there{images.to(device), sizes, {}};
  for (const TrueObjects& objects : truth)
    there.truth.push_back({objects.boxes.to(device), objects.labels.to(device)});
  return there;
}

NetBatch batch_of(const std::vector<NetPicture>& pictures, std::int64_t divisor) {
  std::vector<Tensor> images;
  NetBatch batch;
  for (const NetPicture& picture : pictures) {
    images.push_back(picture.image);
    batch.truth.push_back(picture.truth);
  }
  const PictureBatch padded = batch_pictures(images, divisor);
  batch.images = padded.images.value();
  batch.sizes = padded.sizes;
  return batch;
}

Resized net_input(const Tensor& picture, const NetRecipe& recipe) {
  const double scale = scale_of(picture, recipe);
  const Tensor larger = scale == 1 ? picture
                                   : resize_image(picture, scaled(picture.dim(0), scale),
                                                  scaled(picture.dim(1), scale));
  return {normalised(larger, recipe), scale};
}

}  // namespace pliant::detect
