#include <pliant/apps/segment/reading.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include <pliant/apps/kit/deformable_chain.h>
#include <pliant/apps/page/sampling.h>
#include <pliant/apps/page/text.h>
#include <pliant/apps/segment/inputs.h>

namespace pliant::segment {
namespace {

constexpr std::int64_t kShown = 6, kMeasured = 10;  // pictures
constexpr std::size_t kTraced = 3;    // layers, whose taps multiply: 729 points of 3x3
constexpr double kLeastShare = 0.01;  // of a picture that an object has

std::vector<LayerSampling> samplings(const DeepLabV3Plus& net, const NetRecipe& recipe,
                                     const Tensor& picture, Device device) {
  return samplings_of([&] { net(net_input(picture, recipe).to(device)); });
}

// Spread over the set.
std::vector<std::int64_t> some_of(const PictureSet& set, std::int64_t most) {
  const std::int64_t count = std::min(most, set.size());
  std::vector<std::int64_t> some;
  for (std::int64_t i = 0; i < count; ++i) some.push_back(i * set.size() / count);
  return some;
}

struct Pixel {
  std::int64_t row = 0, column = 0;
};

// Of the smallest class that is not negligible, the pixel nearest to the middle of its pixels: on an
// object, not on the ground.
Pixel chosen_pixel(const Tensor& mask, std::size_t classes) {
  const std::int64_t width = mask.dim(1);
  const auto labels = mask.span<std::uint8_t>();
  std::vector<double> count(classes), row_sum(classes), column_sum(classes);
  const auto row_of = [width](std::size_t i) { return static_cast<std::int64_t>(i) / width; };
  const auto column_of = [width](std::size_t i) { return static_cast<std::int64_t>(i) % width; };
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (labels[i] < classes) {
      ++count[labels[i]];
      row_sum[labels[i]] += static_cast<double>(row_of(i));
      column_sum[labels[i]] += static_cast<double>(column_of(i));
    }
  std::size_t chosen = classes;
  for (std::size_t label = 0; label < classes; ++label)
    if (count[label] >= kLeastShare * static_cast<double>(labels.size()) &&
        (chosen == classes || count[label] < count[chosen]))
      chosen = label;
  if (chosen == classes) return {mask.dim(0) / 2, width / 2};
  Pixel best;
  double nearest = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (labels[i] == chosen) {
      const double distance =
          std::hypot(static_cast<double>(row_of(i)) - row_sum[chosen] / count[chosen],
                     static_cast<double>(column_of(i)) - column_sum[chosen] / count[chosen]);
      if (distance < nearest) {
        nearest = distance;
        best = {row_of(i), column_of(i)};
      }
    }
  return best;
}

std::string card(const SegmentationSample& sample, const NetRecipe& recipe,
                 const std::vector<LayerSampling>& chain) {
  const Tensor& picture = sample.image;
  const Size2 out = chain.back().output, map = chain.front().input;
  const Pixel pixel = chosen_pixel(sample.mask, recipe.classes.size());
  const std::int64_t row = pixel.row * out.h / picture.dim(0),
                     column = pixel.column * out.w / picture.dim(1);
  const double high = static_cast<double>(picture.dim(0)) / static_cast<double>(map.h),
               wide = static_cast<double>(picture.dim(1)) / static_cast<double>(map.w);
  const auto place = [&](const SamplingPoint& point) -> page::Place {
    return {(point.y + 0.5) * high, (point.x + 0.5) * wide};
  };
  const std::string width = std::to_string(picture.dim(1)), height = std::to_string(picture.dim(0));
  return "<figure><svg viewBox=\"0 0 " + width + ' ' + height + "\" role=\"img\" aria-label=\"" +
         page::escaped(printable(sample.id) + ": regular and moved sampling points") +
         "\"><image width=\"" + width + "\" height=\"" + height + "\" href=\"" +
         page::png_address(picture.span<std::uint8_t>(), picture.dim(1), picture.dim(2)) + "\"/>" +
         page::dots(trace(straightened(chain), 0, row, column), "reg", place) +
         page::dots(trace(chain, 0, row, column), "moved", place) + "<path class=\"chosen\" d=\"M" +
         std::to_string(pixel.column) + ' ' + std::to_string(pixel.row) +
         "m-5 0h10m-5 -5v10\"/></svg></figure>";
}

}  // namespace

Movement movement_of(const DeepLabV3Plus& net, const NetRecipe& recipe, const PictureSet& set,
                     Device device) {
  Movement all{};
  double layers = 0;
  for (const std::int64_t i : some_of(set, kMeasured))
    for (const LayerSampling& layer : samplings(net, recipe, set.at(i).image, device)) {
      if (!kit::deforms(layer)) continue;
      const Movement one = pliant::movement_of(layer);
      all.mean += one.mean;
      all.largest = std::max(all.largest, one.largest);
      ++layers;
    }
  if (layers > 0) all.mean /= layers;
  return all;
}

std::string where_it_reads(const DeepLabV3Plus& net, const NetRecipe& recipe, const PictureSet& set,
                           Device device) {
  std::string cards, movements;
  for (const std::int64_t i : some_of(set, kShown)) {
    const SegmentationSample sample = set.at(i);
    const std::vector<LayerSampling> all = samplings(net, recipe, sample.image, device);
    const std::vector<LayerSampling> chain = kit::last_deformable_chain(all, kTraced);
    if (chain.empty()) return {};
    cards += card(sample, recipe, chain);
    if (i == 0) movements = page::movement_table(all);
  }
  return "<p>Where the last deformable layer reads for the pixel at the cross, traced down through "
         "the layers below it: <span class=\"key reg\"></span> without offsets, <span class=\"key "
         "moved\"></span> with those for this picture.</p>\n<div class=\"reading\">" +
         cards + "</div>\n" + movements;
}

}  // namespace pliant::segment
