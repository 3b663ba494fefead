#include <pliant/apps/track/reading.h>

#include <pliant/apps/kit/deformable_chain.h>
#include <pliant/apps/page/sampling.h>
#include <pliant/apps/page/text.h>
#include <pliant/apps/track/inputs.h>
#include <pliant/apps/track/shapes.h>

namespace pliant::track {
namespace {

constexpr std::int64_t kFrames = 4, kApart = 9;  // a bend goes there and back in 20 to 60 frames
constexpr std::size_t kTraced = 3;               // layers, whose taps multiply: 729 points of 3x3

View view_about(const TrackedBox& box, double sides, std::int64_t pixels) {
  const auto& [x, y, w, h] = box;
  const double side = context_side(w, h) * sides;
  return {x + w / 2, y + h / 2, side, side, pixels};
}

// Maps lie about the middle of the image that the net sees, `step` of its pixels for one of theirs.
std::string card(const Tensor& picture, const std::string& caption, double stride,
                 const std::vector<LayerSampling>& chain) {
  const Size2 out = chain.back().output, map = chain.front().input;
  double step = stride;
  for (const LayerSampling& layer : chain) step /= static_cast<double>(layer.conv.stride.h);
  const double middle = static_cast<double>(picture.dim(0)) / 2;
  const auto place = [&](const SamplingPoint& point) -> page::Place {
    return {middle + (point.y - static_cast<double>(map.h - 1) / 2) * step,
            middle + (point.x - static_cast<double>(map.w - 1) / 2) * step};
  };
  const std::int64_t row = out.h / 2, column = out.w / 2;
  const std::string side = std::to_string(picture.dim(0)), centre = fixed(middle, 1);
  return "<figure><svg viewBox=\"0 0 " + side + ' ' + side + "\" role=\"img\" aria-label=\"" +
         page::escaped(caption + ": regular and moved sampling points") + "\"><image width=\"" +
         side + "\" height=\"" + side + "\" href=\"" +
         page::png_address(picture.span<std::uint8_t>(), picture.dim(1), 3) + "\"/>" +
         page::dots(trace(straightened(chain), 0, row, column), "reg", place) +
         page::dots(trace(chain, 0, row, column), "moved", place) + "<path class=\"chosen\" d=\"M" +
         centre + ' ' + centre + "m-4 0h8m-4 -4v8\"/></svg><figcaption>" + page::escaped(caption) +
         "</figcaption></figure>";
}

}  // namespace

std::string where_it_reads(const SiamRPN& net, const NetRecipe& recipe, Device device) {
  const Rng rng = Rng(0).fork("bending").fork(64);  // whose target is long and bends far
  const Video video = shape_video("bending", kFrames * kApart, rng);
  const SiamRPNOptions& options = net.options();
  const auto seen = [&](const Tensor& frame, const View& view) {
    return view_of(frame, view, recipe).to(device);
  };
  const Var pattern =
      net.pattern(seen(video.read(0), view_about(video.box(0), 1, options.exemplar)));
  const double wider = static_cast<double>(options.search) / static_cast<double>(options.exemplar);
  std::string cards, movements;
  for (std::int64_t i = 0; i < video.size(); i += kApart) {
    const Tensor frame = video.read(i);
    const View view = view_about(video.box(i), wider, options.search);
    const std::vector<LayerSampling> all =
        samplings_of([&] { net.respond(pattern, seen(frame, view)); });
    const std::vector<LayerSampling> chain = kit::last_deformable_chain(all, kTraced);
    if (chain.empty()) return {};
    cards += card(picture_of(frame, view), text_from("frame ", i + 1),
                  static_cast<double>(options.stride), chain);
    if (i == 0) movements = page::movement_table(all);
  }
  return "<p>A generated target that bends, and where the last deformable layer reads for its "
         "middle, traced down through the layers below it: <span class=\"key reg\"></span> without "
         "offsets, <span class=\"key moved\"></span> with those for this frame.</p>\n<div "
         "class=\"seen reading\">" +
         cards + "</div>\n" + movements;
}

}  // namespace pliant::track
