#include <pliant/apps/detect/overlays.h>

#include <algorithm>
#include <array>
#include <cmath>

#include <pliant/apps/page/svg.h>
#include <pliant/apps/page/text.h>
#include <pliant/data/warp.h>

namespace pliant::detect {
namespace {

constexpr double kLongestSide = 360;  // of a picture on the page, in its pixels
constexpr std::size_t kColours = 6;

using page::tenths;

// A picture as it is shown, and how much smaller that is.
struct Shown {
  std::string svg;  // without its end
  double scale = 1, letters = 8;

  explicit Shown(const Tensor& picture, const std::string& name) {
    const auto height = static_cast<double>(picture.dim(0)),
               width = static_cast<double>(picture.dim(1));
    scale = std::min(1.0, kLongestSide / std::max(height, width));
    const auto side = [&](double extent) {
      return std::max<std::int64_t>(1, std::llround(extent * scale));
    };
    const Tensor small = scale < 1 ? resize_image(picture, side(height), side(width)) : picture;
    letters = std::max(4.0, static_cast<double>(small.dim(1)) / 36);
    const std::string w = std::to_string(small.dim(1)), h = std::to_string(small.dim(0));
    svg = "<svg role=\"img\" viewBox=\"0 0 " + w + ' ' + h + "\" aria-label=\"" +
          page::escaped(name) + "\"><image width=\"" + w + "\" height=\"" + h + "\" href=\"" +
          page::png_address(small.span<std::uint8_t>(), small.dim(1), 3) + "\"/>";
  }

  void box(const Corners& at, const std::string& style) {
    svg += "<rect class=\"" + style + "\" x=\"" + tenths(at[0] * scale) + "\" y=\"" +
           tenths(at[1] * scale) + "\" width=\"" + tenths((at[2] - at[0]) * scale) +
           "\" height=\"" + tenths((at[3] - at[1]) * scale) + "\"/>";
  }
  void text(double x, double y, const std::string& words) {
    svg += "<text font-size=\"" + tenths(letters) + "\" x=\"" + tenths(x * scale + 1) + "\" y=\"" +
           tenths(std::max(letters, y * scale - 1)) + "\">" + page::escaped(words) + "</text>";
  }
};

std::string figure_of(Shown shown, const std::string& caption) {
  return "<figure>" + shown.svg + "</svg><figcaption>" + page::escaped(caption) +
         "</figcaption></figure>";
}

std::string style_of(std::int64_t label) {
  return "c" + std::to_string(static_cast<std::size_t>(label) % kColours);
}

// Middles of bins in the pixels of the picture, row by row.
using Middles = std::vector<std::array<double, 2>>;  // y, x

// Along one axis by the rule of the first operator (core/kernels/deform_roi_pool.h): corners are
// rounded, samples begin at the start of a bin.
struct Axis {
  double start, side;

  Axis(double from, double to, double scale)
      : start(std::round(from) * scale - 0.5),
        side(std::max(0.1, (std::round(to) + 1) * scale - 0.5 - start)) {}
  // Of that bin, moved; in pixels of the net's input.
  double middle(std::int64_t bin, std::int64_t bins, double moved, double scale,
                const DeformRoIPoolOptions& pool) const {
    const auto samples = static_cast<double>(pool.sample_per_part);
    const double length = side / static_cast<double>(bins);
    const double at = start + static_cast<double>(bin) * length + moved * pool.trans_std * side +
                      length * (samples - 1) / (2 * samples);
    return (at + 0.5) / scale;
  }
};

// Where the bins of a box are, its trans [bins bins 2] counted `moved` times.
Middles middles_of(const FasterRCNN& net, const std::array<double, 4>& box,
                   const std::vector<double>& trans, std::size_t first, double moved) {
  const DeformRoIPoolOptions pool;  // the head's, but for what does not matter here
  const double scale = net.options().head.spatial_scales.front();
  const std::int64_t bins = net.options().head.bins;
  const Axis x(box[0], box[2], scale), y(box[1], box[3], scale);
  Middles middles;
  for (std::int64_t i = 0; i < bins; ++i)
    for (std::int64_t j = 0; j < bins; ++j) {
      const std::size_t at = first + static_cast<std::size_t>(2 * (i * bins + j));
      middles.push_back({y.middle(i, bins, moved * trans[at + 1], scale, pool),
                         x.middle(j, bins, moved * trans[at], scale, pool)});
    }
  return middles;
}

std::string dots(const Middles& middles, double factor, const char* style) {
  std::string path = std::string("<path class=\"") + style + "\" d=\"";
  for (const auto& [y, x] : middles)
    path += 'M' + tenths(x * factor) + ' ' + tenths(y * factor) + "h0";
  return path + "\"/>";
}

std::string ways(const Middles& from, const Middles& to, double factor) {
  std::string path = "<path class=\"way\" d=\"";
  for (std::size_t i = 0; i < from.size(); ++i)
    path += 'M' + tenths(from[i][1] * factor) + ' ' + tenths(from[i][0] * factor) + 'L' +
            tenths(to[i][1] * factor) + ' ' + tenths(to[i][0] * factor);
  return path + "\"/>";
}

// The surest boxes of a picture, different classes before more of one.
std::vector<FoundBox> some_of(const std::vector<FoundBox>& found, std::size_t most) {
  std::vector<FoundBox> first, more;
  for (const FoundBox& box : found) {
    const bool again = std::any_of(first.begin(), first.end(),
                                   [&](const FoundBox& other) { return other.label == box.label; });
    (again ? more : first).push_back(box);
  }
  first.insert(first.end(), more.begin(), more.end());
  first.resize(std::min(first.size(), most));
  return first;
}

}  // namespace

std::string found_figure(const ReportInput& input, std::int64_t picture,
                         const PictureMatches& matches) {
  const NetRecipe& recipe = input.nets.back().recipe;
  const auto name_of = [&](std::int64_t label) {
    return printable(recipe.classes[static_cast<std::size_t>(label)], 16);
  };
  Shown shown(input.judged.at(picture).image, printable(input.judged.id(picture)));
  for (const FoundBox& box : matches.right) shown.box(box.box, style_of(box.label));
  for (const TrueBox& box : matches.missed) {
    shown.box(box.box, "missed");
    shown.text(box.box[0], box.box[1], name_of(box.label));
  }
  for (const FoundBox& box : matches.wrong) {
    shown.box(box.box, "wrong");
    shown.text(box.box[0], box.box[1], name_of(box.label) + ' ' + fixed(box.score, 2));
  }
  return figure_of(std::move(shown),
                   text_from(printable(input.judged.id(picture), 40), ": ", matches.right.size(),
                             " of ", matches.to_find, " found, ", matches.wrong.size(), " wrong"));
}

std::string bin_figures(const ReportInput& input, const ReportNet& of, std::size_t most) {
  if (!pools_deformably(of.recipe.arm)) return {};
  constexpr std::size_t kBoxes = 2;  // of a picture
  std::string html;
  std::size_t figures = 0;
  for (std::int64_t i = 0; i < input.judged.size() && figures < most; ++i) {
    const Tensor picture = input.judged.at(i).image;
    std::vector<FoundBox> found = find_in(of.net, of.recipe, picture, input.device);
    std::erase_if(found, [](const FoundBox& box) { return box.score < kShownScore; });
    if (found.empty()) continue;
    const std::vector<FoundBox> some = some_of(found, kBoxes);
    const Resized resized = net_input(picture, of.recipe);
    const PictureBatch batch = batch_pictures({resized.image}, preset_of(of.recipe.preset).divisor);
    std::vector<float> corners;
    for (const FoundBox& box : some)
      for (const double corner : box.box)
        corners.push_back(static_cast<float>(corner * resized.scale));
    const Tensor boxes = Tensor::from(corners, {static_cast<std::int64_t>(some.size()), 4});
    const std::vector<double> trans =
        of.net.trans({batch.images.value().to(input.device), batch.sizes}, {boxes.to(input.device)})
            .value()
            .to_vector();
    Shown shown(picture, printable(input.judged.id(i)));
    const double factor = shown.scale / resized.scale;
    double way = 0;
    for (std::size_t b = 0; b < some.size(); ++b) {
      const std::array<double, 4> box = {corners[4 * b], corners[4 * b + 1], corners[4 * b + 2],
                                         corners[4 * b + 3]};
      const std::size_t first = b * trans.size() / some.size();
      const Middles still = middles_of(of.net, box, trans, first, 0),
                    moved = middles_of(of.net, box, trans, first, 1);
      for (std::size_t k = 0; k < still.size(); ++k)
        way += std::hypot(moved[k][0] - still[k][0], moved[k][1] - still[k][1]) / resized.scale;
      shown.box(some[b].box, "region");
      shown.svg +=
          ways(still, moved, factor) + dots(still, factor, "reg") + dots(moved, factor, "moved");
    }
    const double bins = static_cast<double>(trans.size()) / 2;
    html +=
        figure_of(std::move(shown), text_from(printable(input.judged.id(i), 40), ": bins moved by ",
                                              fixed(way / bins, 2), " pixels in the mean"));
    ++figures;
  }
  return html;
}

}  // namespace pliant::detect
