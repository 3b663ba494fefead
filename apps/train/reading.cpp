#include <pliant/apps/train/reading.h>

#include <algorithm>
#include <span>

#include <pliant/apps/kit/deformable_chain.h>
#include <pliant/apps/page/text.h>
#include <pliant/layers/sampling.h>

namespace pliant::train {
namespace {

constexpr std::int64_t kPictures = 6;
constexpr std::size_t kTraced = 3;  // layers, whose taps multiply: 729 points of 3x3
constexpr double kShown = 160;      // side of a picture on the page

// Points of the map that the chain reads, as places on the shown picture.
std::string dots(const std::vector<SamplingPoint>& points, Size2 map, const char* name) {
  std::string html = std::string("<path class=\"") + name + "\" d=\"";
  for (const SamplingPoint& point : points) {
    const double x = (point.x + 0.5) / static_cast<double>(map.w) * kShown;
    const double y = (point.y + 0.5) / static_cast<double>(map.h) * kShown;
    html += 'M' + fixed(x, 1) + ' ' + fixed(y, 1) + "h0";
  }
  return html + "\"/>";
}

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
  return "<figure><svg viewBox=\"0 0 " + size + ' ' + size + "\" role=\"img\" aria-label=\"" +
         page::escaped(printable(name) + ": regular and moved sampling points") +
         "\"><image width=\"" + size + "\" height=\"" + size + "\" href=\"" +
         address_of(input, recipe) + "\"/>" +
         dots(trace(regular, 0, middle.h / 2, middle.w / 2), map, "reg") +
         dots(trace(chain, 0, middle.h / 2, middle.w / 2), map, "moved") + "</svg></figure>";
}

std::string movement_row(const LayerSampling& layer) {
  const Movement movement = movement_of(layer);
  return "<tr><th scope=\"row\">" + page::escaped(printable(layer.name)) +
         "</th><td class=\"num\">" + fixed(movement.mean, 2) + "</td><td class=\"num\">" +
         fixed(movement.largest, 2) + "</td></tr>";
}

}  // namespace

std::string where_it_reads(const kit::Classifier& net, const PictureSet& set,
                           const NetRecipe& recipe, Device device) {
  std::string cards, rows;
  for (std::int64_t i = 0; i < std::min(kPictures, set.size()); ++i) {
    const std::int64_t picture = i * set.size() / kPictures;
    const Tensor input = net_input(set.read(picture), recipe);
    const Tensor batch = input.reshape({1, recipe.size, recipe.size, recipe.channels});
    const std::vector<LayerSampling> all = samplings_of([&] { net(batch.to(device)); });
    const std::vector<LayerSampling> chain = kit::last_deformable_chain(all, kTraced);
    if (chain.empty()) return {};
    cards += card(input, recipe, set.name(picture), chain);
    if (i == 0)
      for (const LayerSampling& layer : all)
        if (kit::deforms(layer)) rows += movement_row(layer);
  }
  return "<p>Where the middle output of the last deformable layer reads, traced down through the "
         "layers below it: <span class=\"key reg\"></span> without offsets, <span class=\"key "
         "moved\"></span> with those for this picture.</p>\n<div class=\"reading\">" +
         cards +
         "</div>\n<div class=\"scroll\"><table><caption>How far points are moved on the first of "
         "them, in pixels of each layer’s own map</caption><thead><tr><th scope=\"col\">layer</th>"
         "<th scope=\"col\">mean</th><th scope=\"col\">largest</th></tr></thead><tbody>" +
         rows + "</tbody></table></div>\n";
}

}  // namespace pliant::train
