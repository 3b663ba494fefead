#include <pliant/apps/train/reading.h>

#include <algorithm>
#include <span>

#include <pliant/apps/kit/deformable_chain.h>
#include <pliant/apps/page/sampling.h>
#include <pliant/apps/page/text.h>
#include <pliant/layers/sampling.h>

namespace pliant::train {
namespace {

constexpr std::int64_t kPictures = 6;
constexpr std::size_t kTraced = 3;  // layers, whose taps multiply: 729 points of 3x3
constexpr double kShown = 160;      // side of a picture on the page

// What the net was given, as bytes again.
std::string address_of(const Tensor& input, const NetRecipe& recipe) {
  std::vector<std::uint8_t> bytes;
  const auto channels = static_cast<std::size_t>(recipe.channels);
  const auto values = input.span<float>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t c = i % channels;
    const double value = values[i] * recipe.deviation[c] + recipe.mean[c];
    bytes.push_back(static_cast<std::uint8_t>(std::clamp(value * 255, 0.0, 255.0)));
  }
  return page::png_address(bytes, recipe.size, recipe.channels);
}

std::string card(const Tensor& input, const NetRecipe& recipe, const std::string& name,
                 const std::vector<LayerSampling>& chain) {
  const Size2 middle = chain.back().output, map = chain.front().input;
  const std::vector<LayerSampling> regular = straightened(chain);
  const std::string size = fixed(kShown, 0);
  const auto place = [&](const SamplingPoint& point) -> page::Place {
    return {(point.y + 0.5) / static_cast<double>(map.h) * kShown,
            (point.x + 0.5) / static_cast<double>(map.w) * kShown};
  };
  return "<figure><svg viewBox=\"0 0 " + size + ' ' + size + "\" role=\"img\" aria-label=\"" +
         page::escaped(printable(name) + ": regular and moved sampling points") +
         "\"><image width=\"" + size + "\" height=\"" + size + "\" href=\"" +
         address_of(input, recipe) + "\"/>" +
         page::dots(trace(regular, 0, middle.h / 2, middle.w / 2), "reg", place) +
         page::dots(trace(chain, 0, middle.h / 2, middle.w / 2), "moved", place) +
         "</svg></figure>";
}

}  // namespace

std::string where_it_reads(const kit::Classifier& net, const PictureSet& set,
                           const NetRecipe& recipe, Device device) {
  std::string cards, movements;
  for (std::int64_t i = 0; i < std::min(kPictures, set.size()); ++i) {
    const std::int64_t picture = i * set.size() / kPictures;
    const Tensor input = net_input(set.read(picture), recipe);
    const Tensor batch = input.reshape({1, recipe.size, recipe.size, recipe.channels});
    const std::vector<LayerSampling> all = samplings_of([&] { net(batch.to(device)); });
    const std::vector<LayerSampling> chain = kit::last_deformable_chain(all, kTraced);
    if (chain.empty()) return {};
    cards += card(input, recipe, set.name(picture), chain);
    if (i == 0) movements = page::movement_table(all);
  }
  return "<p>Where the middle output of the last deformable layer reads, traced down through the "
         "layers below it: <span class=\"key reg\"></span> without offsets, <span class=\"key "
         "moved\"></span> with those for this picture.</p>\n<div class=\"reading\">" +
         cards + "</div>\n" + movements;
}

}  // namespace pliant::train
