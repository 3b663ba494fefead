#include <pliant/apps/detect/matches.h>

#include <algorithm>

namespace pliant::detect {
namespace {

constexpr double kOverlap = 0.5;

double iou(const Corners& a, const Corners& b) {
  const double w = std::min(a[2], b[2]) - std::max(a[0], b[0]),
               h = std::min(a[3], b[3]) - std::max(a[1], b[1]);
  if (w <= 0 || h <= 0) return 0;
  const auto area = [](const Corners& box) { return (box[2] - box[0]) * (box[3] - box[1]); };
  return w * h / (area(a) + area(b) - w * h);
}

struct OfPicture {
  std::vector<TrueBox> truth;
  std::vector<FoundBox> found;
};

PictureMatches match(const OfPicture& of) {
  PictureMatches result;
  std::vector<FoundBox> order = of.found;
  std::stable_sort(order.begin(), order.end(),
                   [](const FoundBox& a, const FoundBox& b) { return a.score > b.score; });
  std::vector<bool> taken(of.truth.size());
  for (const FoundBox& box : order) {
    std::size_t best = of.truth.size();
    double most = kOverlap;
    bool left_out = false;
    for (std::size_t i = 0; i < of.truth.size(); ++i) {
      if (of.truth[i].label != box.label) continue;
      const double overlap = iou(of.truth[i].box, box.box);
      if (overlap < kOverlap) continue;
      left_out = left_out || of.truth[i].difficult;
      if (of.truth[i].difficult || taken[i] || overlap < most) continue;
      most = overlap;
      best = i;
    }
    if (best < of.truth.size()) {
      taken[best] = true;
      result.right.push_back(box);
    } else if (!left_out) {
      result.wrong.push_back(box);
    }
  }
  for (std::size_t i = 0; i < of.truth.size(); ++i) {
    if (of.truth[i].difficult) continue;
    ++result.to_find;
    if (!taken[i]) result.missed.push_back(of.truth[i]);
  }
  return result;
}

}  // namespace

std::vector<PictureMatches> matches_of(const Judgement& judgement, double score) {
  std::vector<OfPicture> pictures(static_cast<std::size_t>(judgement.pictures));
  for (const TrueBox& box : judgement.truth)
    pictures[static_cast<std::size_t>(box.image)].truth.push_back(box);
  for (const FoundBox& box : judgement.found)
    if (box.score >= score) pictures[static_cast<std::size_t>(box.image)].found.push_back(box);
  std::vector<PictureMatches> all;
  for (const OfPicture& of : pictures) all.push_back(match(of));
  return all;
}

}  // namespace pliant::detect
