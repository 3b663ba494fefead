#include <pliant/apps/track/inputs.h>

#include <algorithm>
#include <cmath>

#include <pliant/apps/track/shapes.h>
#include <pliant/data/augment.h>
#include <pliant/data/crop.h>
#include <pliant/data/loader.h>
#include <pliant/layers/nets/siamrpn_targets.h>

namespace pliant::track {
namespace {

constexpr double kPublishedExemplar = 127, kPublishedSearch = 255;
constexpr std::int64_t kMostPositives = 16, kMostNegatives = 48, kNegativesOfOther = 16;
constexpr std::int64_t kNearCells = 3;  // of a negative pair: how far from the target's place
// AlexNet's principal components of colours in the units that pysot has them; red, green, blue.
constexpr double kColours[3][3] = {{4.64467907, 4.73710203, 4.88324118},
                                   {1.72091413, 0.19879334, -1.82968581},
                                   {-0.55919361, 0.98062831, -0.41940627}};

std::array<double, 3> colour_offset(double strength, const Rng& rng) {
  std::array<double, 3> offset{};
  for (std::size_t c = 0; c < 3; ++c)
    for (std::uint64_t k = 0; k < 3; ++k) offset[c] -= strength * kColours[c][k] * rng.normal(k);
  return offset;
}

// A view about the target, shifted and scaled at random.
View drawn_view(const TrackedBox& box, double side, std::int64_t pixels, double shift, double scale,
                const Rng& rng) {
  const auto& [x, y, w, h] = box;
  const double pixel = side / static_cast<double>(pixels);
  return {.cx = x + w / 2 + rng.uniform(0, -shift, shift) * pixel,
          .cy = y + h / 2 + rng.uniform(1, -shift, shift) * pixel,
          .width = side * rng.uniform(2, 1 - scale, 1 + scale),
          .height = side * rng.uniform(3, 1 - scale, 1 + scale),
          .pixels = pixels};
}

// Where a box lies in a view: corners, about its centre.
std::array<double, 4> box_in(const View& view, const TrackedBox& box) {
  const auto& [x, y, w, h] = box;
  const double across = static_cast<double>(view.pixels) / view.width,
               down = static_cast<double>(view.pixels) / view.height;
  std::array<double, 4> at = {(x - view.cx) * across, (y - view.cy) * down,
                              (x + w - view.cx) * across, (y + h - view.cy) * down};
  if (view.mirrored) at = {-at[2], at[1], -at[0], at[3]};
  return at;
}

// Some of the indices, drawn by key.
std::vector<std::int64_t> some_of(const std::vector<std::int64_t>& all, std::int64_t most,
                                  const Rng& rng) {
  if (std::ssize(all) <= most) return all;
  std::vector<std::int64_t> some;
  const std::vector<std::int64_t> order = randperm(std::ssize(all), rng);
  for (std::int64_t i = 0; i < most; ++i)
    some.push_back(all[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])]);
  return some;
}

}  // namespace

Warp View::warp(std::int64_t frame_height, std::int64_t frame_width) const {
  const auto h = static_cast<double>(frame_height), w = static_cast<double>(frame_width),
             side = static_cast<double>(pixels);
  const std::int64_t top = (frame_height - pixels) / 2, left = (frame_width - pixels) / 2;
  Warp warp(frame_height, frame_width);
  warp.shift(w / 2 - cx, h / 2 - cy).scale((mirrored ? -1 : 1) * side / width, side / height);
  // The crop begins at a whole pixel; the view's centre is to come to the middle of it.
  warp.shift(static_cast<double>(left) + side / 2 - w / 2,
             static_cast<double>(top) + side / 2 - h / 2);
  return warp.crop(top, left, pixels, pixels);
}

Tensor picture_of(const Tensor& frame, const View& view) {
  std::vector<float> border;
  for (const double mean : channel_means(frame))
    border.push_back(static_cast<float>(std::floor(mean)));
  return warp_image(frame, view.warp(frame.dim(0), frame.dim(1)), border);
}

Tensor view_of(const Tensor& frame, const View& view, const NetRecipe& recipe,
               const std::array<double, 3>& offset) {
  std::vector<float> mean;
  for (std::size_t c = 0; c < 3; ++c)
    mean.push_back(static_cast<float>(recipe.mean[c] - offset[c] / 255));
  return normalize(picture_of(frame, view), mean,
                   {recipe.deviation.begin(), recipe.deviation.end()})
      .reshape({1, view.pixels, view.pixels, 3});
}

struct PairInput::Seen {
  std::size_t video = 0;
  std::int64_t frame = 0;
  Tensor image = {};
  TrackedBox box = {};
};

PairInput::PairInput(Videos videos, Stills stills, const SiamRPN& net, const NetRecipe& recipe,
                     const PairOptions& options)
    : videos_(std::move(videos)),
      stills_(std::move(stills)),
      recipe_(recipe),
      options_(options),
      exemplar_(net.options().exemplar),
      search_(net.options().search),
      places_(net.places()),
      anchors_(net.anchors()) {}

// A frame of any video; where another one is given, and it is wanted, one near it.
PairInput::Seen PairInput::draw(const Rng& rng, const Seen* other_of_video) const {
  Seen seen;
  const auto count = static_cast<std::uint64_t>(videos_.size());
  seen.video = other_of_video != nullptr ? other_of_video->video : rng.below(0, count);
  const Video& video = videos_[seen.video];
  const auto& present = video.present;
  auto first = present.begin(), last = present.end();
  if (other_of_video != nullptr) {
    first = std::lower_bound(first, last, other_of_video->frame - options_.gap);
    last = std::upper_bound(first, last, other_of_video->frame + options_.gap);
  }
  const std::uint64_t place = rng.below(1, static_cast<std::uint64_t>(last - first));
  seen.frame = first[static_cast<std::ptrdiff_t>(place)];
  seen.image = video.read(seen.frame);
  seen.box = video.box(seen.frame);
  return seen;
}

std::array<PairInput::Seen, 2> PairInput::of_shapes(bool negative, const Rng& rng) const {
  constexpr std::uint64_t kShapeFrames = 200;
  const auto shape = [&](const char* key, std::uint64_t frame) {
    const MovingShapes shapes(kShapeHeight, kShapeWidth, rng.fork(key));
    const auto i = static_cast<std::int64_t>(frame);
    return Seen{.image = shapes.frame(i), .box = shapes.box(i)};
  };
  const std::uint64_t one = rng.fork("frames").below(0, kShapeFrames);
  const auto gap = static_cast<std::uint64_t>(options_.gap) + 1;
  return {shape("shape", one),
          shape(negative ? "other" : "shape", one + rng.fork("frames").below(1, gap))};
}

std::array<PairInput::Seen, 2> PairInput::of_stills(bool negative, const Rng& rng) const {
  const auto seen = [&](const char* key) {
    Still still = drawn_still(stills_, rng.fork(key));
    return Seen{.image = std::move(still.image), .box = still.box};
  };
  const Seen one = seen("still");
  return {one, negative ? seen("other still") : one};
}

std::array<PairInput::Seen, 2> PairInput::of_videos(bool negative, const Rng& rng) const {
  const Seen first = draw(rng.fork("template"), nullptr);
  return {first, draw(rng.fork("search"), negative ? nullptr : &first)};
}

NetPair PairInput::at(std::int64_t /*i*/, const Rng& rng) const {
  const double source = static_cast<double>(rng.uniform(0));
  const bool negative = rng.uniform(1) < options_.negatives,
             mirrored = rng.uniform(2) < options_.flip;
  const bool generated = source < options_.generated;
  const bool still = stills_.size() > 0 && source < options_.generated + options_.stills;
  std::array<Seen, 2> seen;
  if (generated)
    seen = of_shapes(negative, rng);
  else if (still)
    seen = of_stills(negative, rng);
  // Stills among which no target was found, by chance, give way to videos.
  if (!seen[0].image.defined() || !seen[1].image.defined()) seen = of_videos(negative, rng);
  const Seen &first = seen[0], &second = seen[1];
  const auto side = [](const TrackedBox& box) { return context_side(box[2], box[3]); };
  const auto share = static_cast<double>(search_) / static_cast<double>(exemplar_);
  View small =
      drawn_view(first.box, side(first.box), exemplar_,
                 options_.template_shift * static_cast<double>(exemplar_) / kPublishedExemplar,
                 options_.template_scale, rng.fork("template view"));
  View large = drawn_view(second.box, side(second.box) * share, search_,
                          options_.search_shift * static_cast<double>(search_) / kPublishedSearch,
                          options_.search_scale, rng.fork("search view"));
  small.mirrored = large.mirrored = mirrored;
  NetPair pair;
  pair.exemplar = view_of(first.image, small, recipe_,
                          colour_offset(options_.colour, rng.fork("template colour")));
  pair.search = view_of(second.image, large, recipe_,
                        colour_offset(options_.colour, rng.fork("search colour")));
  return targets_of(std::move(pair), box_in(large, second.box), negative, rng.fork("anchors"));
}

// Of all anchors those that count, and what they are to say.
NetPair PairInput::targets_of(NetPair pair, const std::array<double, 4>& box, bool negative,
                              const Rng& rng) const {
  const std::int64_t kinds = anchors_.dim(0), cells = places_ * places_;
  const SiamRPNTargets all =
      siamrpn_targets(Tensor::from(std::vector<float>(box.begin(), box.end()), {4}), anchors_);
  const auto labels = all.labels.span<std::int64_t>();
  const auto anchors = anchors_.span<float>();
  const double step = anchors[4] - anchors[0];
  std::vector<std::int64_t> positives, negatives;
  for (std::int64_t i = 0; i < kinds * cells; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const auto far = [&](std::size_t axis) {
      return std::abs(anchors[4 * at + axis] - (box[axis] + box[axis + 2]) / 2) >
             step * (kNearCells + 0.5);
    };
    if (negative) {
      if (!far(0) && !far(1)) negatives.push_back(i);
    } else if (labels[at] == 1) {
      positives.push_back(i);
    } else if (labels[at] == 0) {
      negatives.push_back(i);
    }
  }
  positives = some_of(positives, kMostPositives, rng.fork("positives"));
  negatives =
      some_of(negatives, negative ? kNegativesOfOther : kMostNegatives, rng.fork("negatives"));
  const auto size = static_cast<std::size_t>(kinds * cells);
  std::vector<std::int64_t> of(size, -1);
  std::vector<float> steps(4 * size), weights(size);
  const auto deltas = all.deltas.span<float>();
  // From anchor, row, column to row, column, anchor.
  const auto place = [&](std::int64_t i) {
    return static_cast<std::size_t>(i % cells * kinds + i / cells);
  };
  for (const std::int64_t i : negatives) of[place(i)] = 0;
  for (const std::int64_t i : positives) {
    of[place(i)] = 1;
    weights[place(i)] = 1 / static_cast<float>(positives.size());
    const auto kind = static_cast<std::size_t>(i / cells),
               cell = static_cast<std::size_t>(i % cells);
    for (std::size_t c = 0; c < 4; ++c)
      steps[(cell * 4 + c) * static_cast<std::size_t>(kinds) + kind] =
          deltas[4 * static_cast<std::size_t>(i) + c];
  }
  pair.labels = Tensor::from(of, {1, places_, places_, kinds});
  pair.deltas = Tensor::from(steps, {1, places_, places_, 4 * kinds});
  pair.weights = Tensor::from(weights, {1, places_, places_, kinds});
  return pair;
}

NetBatch NetBatch::to(Device device) const {
  return {exemplars.to(device), searches.to(device), labels.to(device), deltas.to(device),
          weights.to(device)};
}

NetBatch batch_of(const std::vector<NetPair>& pairs) {
  const auto joined = [&](Tensor NetPair::*part) {
    Shape shape = (pairs.front().*part).shape();
    shape[0] = std::ssize(pairs);
    Tensor all = Tensor::empty(shape, (pairs.front().*part).dtype());
    for (std::int64_t i = 0; i < std::ssize(pairs); ++i)
      all.slice(i, i + 1).copy_from(pairs[static_cast<std::size_t>(i)].*part);
    return all;
  };
  return {joined(&NetPair::exemplar), joined(&NetPair::search), joined(&NetPair::labels),
          joined(&NetPair::deltas), joined(&NetPair::weights)};
}

}  // namespace pliant::track
