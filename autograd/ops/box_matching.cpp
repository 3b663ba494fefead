#include <pliant/autograd/ops/box_matching.h>

#include <algorithm>
#include <vector>

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/internal/indices.h>
#include <pliant/autograd/ops/rearrange.h>

namespace pliant {
namespace {

void check(const char* op, const BoxMatching& options) {
  require(options.low <= options.high, op, ": low is ", options.low, " and high ", options.high,
          ", expected low <= high");
}

// Overlaps of G boxes with A candidates, and the largest of either.
struct Overlaps {
  std::int64_t boxes, candidates;
  std::vector<double> iou;
  std::vector<double> best_of_box, best;  // NaN is none
  Indices box;                            // that a candidate overlaps most

  explicit Overlaps(const Tensor& matrix)
      : boxes(matrix.dim(0)),
        candidates(matrix.dim(1)),
        iou(matrix.to_vector()),
        best_of_box(static_cast<std::size_t>(boxes), 0),
        best(static_cast<std::size_t>(candidates), -1),
        box(static_cast<std::size_t>(candidates), 0) {
    each([&](std::size_t g, std::size_t a, double overlap) {
      best_of_box[g] = std::max(best_of_box[g], overlap);
      if (overlap <= best[a]) return;
      best[a] = overlap;
      box[a] = static_cast<std::int64_t>(g);
    });
  }

  template <class F>
  void each(F&& f) const {
    std::size_t at = 0;
    for (std::size_t g = 0; g < best_of_box.size(); ++g)
      for (std::size_t a = 0; a < best.size(); ++a) {
        const double overlap = iou[at++];
        f(g, a, overlap > 0 ? overlap : 0);
      }
  }
  // Calls f(a) for candidates that overlap some box as much as no other does.
  template <class F>
  void each_best(F&& f) const {
    each([&](std::size_t g, std::size_t a, double overlap) {
      if (overlap > 0 && overlap == best_of_box[g]) f(a);
    });
  }
};

// Some of `all`, in their order: a partial shuffle from the front.
Indices choose(Indices all, std::int64_t count, const Rng& rng) {
  const auto size = static_cast<std::int64_t>(all.size());
  count = std::min(count, size);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto ahead = static_cast<std::int64_t>(
        rng.below(static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(size - i)));
    std::swap(all[static_cast<std::size_t>(i)], all[static_cast<std::size_t>(i + ahead)]);
  }
  all.resize(static_cast<std::size_t>(count));
  std::sort(all.begin(), all.end());
  return all;
}

// The anchors [A 4] wholly inside the image.
Indices inside(const std::vector<double>& anchors, Size2 image) {
  Indices all;
  for (std::size_t i = 0; i + 3 < anchors.size(); i += 4)
    if (anchors[i] >= 0 && anchors[i + 1] >= 0 && anchors[i + 2] < static_cast<double>(image.w) &&
        anchors[i + 3] < static_cast<double>(image.h))
      all.push_back(static_cast<std::int64_t>(i / 4));
  return all;
}

}  // namespace

Tensor match_boxes(const Tensor& iou, const BoxMatching& options) {
  const char* const op = "match_boxes";
  require_rank(op, "the overlap", iou, 2, "[G A]");
  require_same_kind(op, iou);
  check(op, options);
  const Overlaps overlaps(iou);
  Indices matches(overlaps.best.size(), kUnmatched);
  for (std::size_t a = 0; a < matches.size(); ++a)
    if (overlaps.best[a] >= options.high)
      matches[a] = overlaps.box[a];
    else if (overlaps.best[a] >= options.low)
      matches[a] = kUndecided;
  if (options.low_quality) overlaps.each_best([&](std::size_t a) { matches[a] = overlaps.box[a]; });
  return indices_tensor(matches, iou.device());
}

Tensor classic_anchor_labels(const Tensor& anchors, const Tensor& boxes, Size2 image,
                             const BoxMatching& options) {
  const char* const op = "classic_anchor_labels";
  require(anchors.defined() && anchors.rank() == 2 && anchors.dim(1) == 4, op,
          ": expected anchors [A 4], got ", anchors);
  check(op, options);
  const Indices of = inside(anchors.to_vector(), image);
  const Tensor here = index_select(anchors, 0, indices_tensor(of, anchors.device())).value();
  const Overlaps overlaps(box_iou(boxes, here, BoxSides::inclusive).value());
  Indices labels(static_cast<std::size_t>(anchors.dim(0)), -1);
  const auto label = [&](std::size_t a) -> std::int64_t& {
    return labels[static_cast<std::size_t>(of[a])];
  };
  for (std::size_t a = 0; a < of.size(); ++a)
    if (overlaps.best[a] < options.low) label(a) = 0;
  if (options.low_quality) overlaps.each_best([&](std::size_t a) { label(a) = 1; });
  for (std::size_t a = 0; a < of.size(); ++a)
    if (overlaps.best[a] >= options.high) label(a) = 1;
  return indices_tensor(labels, anchors.device());
}

BoxSample sample_boxes(const Tensor& matches, const BoxSampling& options, const Rng& rng) {
  const char* const op = "sample_boxes";
  require(matches.defined() && matches.dtype() == DType::int64 && matches.rank() == 1, op,
          ": expected matches int64 [A], got ", matches);
  require(options.size >= 0 && options.most_negatives >= 0, op, ": size ", options.size,
          " and most_negatives ", options.most_negatives, ", expected at least 0");
  require(options.positive_fraction >= 0 && options.positive_fraction <= 1, op,
          ": the fraction of positives is ", options.positive_fraction, ", expected one in [0, 1]");
  Indices positives, negatives;
  const Tensor host = matches.to(Device::cpu());
  for (std::int64_t a = 0; const std::int64_t match : host.span<std::int64_t>()) {
    if (match >= 0) positives.push_back(a);
    if (match == kUnmatched) negatives.push_back(a);
    ++a;
  }
  const auto most =
      static_cast<std::int64_t>(static_cast<double>(options.size) * options.positive_fraction);
  positives = choose(std::move(positives), most, rng.fork("positives"));
  const auto left = options.size - static_cast<std::int64_t>(positives.size());
  negatives =
      choose(std::move(negatives), std::min(left, options.most_negatives), rng.fork("negatives"));
  return {indices_tensor(positives, matches.device()), indices_tensor(negatives, matches.device())};
}

}  // namespace pliant
