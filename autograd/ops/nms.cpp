#include <pliant/autograd/ops/nms.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/internal/indices.h>
#include <pliant/core/kernels/nms.h>

namespace pliant {
namespace {

void check(const char* op, const Tensor& boxes, const Tensor& scores) {
  require_rank(op, "the set of boxes", boxes, 2, "[N 4]");
  require_rank(op, "the set of scores", scores, 1, "[N]");
  const Var b(boxes), s(scores);
  require_same_kind(op, {{"boxes", &b}, {"scores", &s}});
  require(boxes.dim(1) == 4 && scores.dim(0) == boxes.dim(0), op, ": the boxes have shape ",
          boxes.shape(), " and the scores ", scores.shape(), ", expected [N 4] and [N]");
}

void check(const char* op, const NMSOptions& options) {
  require(options.iou_threshold >= 0 && options.iou_threshold <= 1, op, ": the IoU threshold is ",
          options.iou_threshold, ", expected one in [0, 1]");
  require(options.most >= 0, op, ": the most boxes to keep are ", options.most,
          ", expected at least 0");
}

// The boxes without a NaN, in descending order of their scores.
template <class T>
Indices ranking(const T* boxes, const T* scores, std::int64_t count) {
  Indices order;
  for (std::int64_t i = 0; i < count; ++i) {
    const T* const at = boxes + 4 * i;
    if (!std::isnan(scores[i]) && std::none_of(at, at + 4, [](T x) { return std::isnan(x); }))
      order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return scores[a] > scores[b]; });
  return order;
}

// The largest T that is not above `number`: what is above one is above the other.
template <class T>
T not_above(double number) {
  const T near = static_cast<T>(number);
  return static_cast<double>(near) > number ? std::nextafter(near, T(-1)) : near;
}

// Of `order`, those that are kept.
template <class T>
Indices suppress(const T* boxes, const Indices& order, const NMSOptions& options) {
  const auto count = static_cast<std::int64_t>(order.size());
  const NMSGeometry<T> g{.n = count,
                         .threshold = not_above<T>(options.iou_threshold),
                         .side = options.sides == BoxSides::inclusive ? T(1) : T(0),
                         .most = std::min(options.most, count)};
  std::vector<T> sorted;
  sorted.reserve(order.size() * 4);
  for (const std::int64_t i : order) sorted.insert(sorted.end(), boxes + 4 * i, boxes + 4 * i + 4);
  Indices kept(order.size());
  std::int64_t held = 0;
  if (g.most > 0) {
    Workspace workspace(Device::cpu());
    NMS<T>* const function = cpu::nms.of<NMS<T>>();
    function(g, sorted.data(), kept.data(), &held, workspace);
  }
  kept.resize(static_cast<std::size_t>(held));
  for (std::int64_t& i : kept) i = order[static_cast<std::size_t>(i)];
  return kept;
}

// Label by label, and what is kept in the order of `order` again.
template <class T>
Indices suppress_by_label(const T* boxes, const Indices& order, const std::int64_t* labels,
                          const NMSOptions& options) {
  Indices by_label = order;
  std::stable_sort(by_label.begin(), by_label.end(),
                   [&](std::int64_t a, std::int64_t b) { return labels[a] < labels[b]; });
  Indices rank(static_cast<std::size_t>(
      order.empty() ? 0 : *std::max_element(order.begin(), order.end()) + 1));
  for (std::size_t i = 0; i < order.size(); ++i)
    rank[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
  Indices kept;
  for (auto first = by_label.begin(); first != by_label.end();) {
    const auto last = std::find_if(first, by_label.end(),
                                   [&](std::int64_t i) { return labels[i] != labels[*first]; });
    const Indices of_label = suppress(boxes, Indices(first, last), options);
    kept.insert(kept.end(), of_label.begin(), of_label.end());
    first = last;
  }
  std::sort(kept.begin(), kept.end(), [&](std::int64_t a, std::int64_t b) {
    return rank[static_cast<std::size_t>(a)] < rank[static_cast<std::size_t>(b)];
  });
  kept.resize(std::min(kept.size(), static_cast<std::size_t>(options.most)));
  return kept;
}

Tensor suppress(const char* op, const Tensor& boxes, const Tensor& scores, const Tensor& labels,
                const NMSOptions& options) {
  check(op, boxes, scores);
  check(op, options);
  const Tensor b = boxes.to(Device::cpu()), s = scores.to(Device::cpu());
  Indices kept;
  visit_floating(op, b.dtype(), [&]<class T>() {
    const Indices order = ranking(b.data<T>(), s.data<T>(), b.dim(0));
    kept = labels.defined()
               ? suppress_by_label(b.data<T>(), order, labels.data<std::int64_t>(), options)
               : suppress(b.data<T>(), order, options);
  });
  return indices_tensor(kept, boxes.device());
}

// What is left to take, with scores that fall.
struct Candidates {
  const double* boxes;
  Indices left;
  std::vector<double> scores;  // by box

  double iou(std::int64_t a, std::int64_t b) const {
    const double iou = nms_iou(nms_box(boxes + 4 * a, 0.0), nms_box(boxes + 4 * b, 0.0), 0.0);
    return iou > 0 ? iou : 0;  // 0/0 too
  }
  double& score(std::int64_t i) { return scores[static_cast<std::size_t>(i)]; }
  // The first of the largest score.
  std::int64_t take() {
    const auto best =
        std::max_element(left.begin(), left.end(),
                         [&](std::int64_t a, std::int64_t b) { return score(a) < score(b); });
    const std::int64_t taken = *best;
    left.erase(best);
    return taken;
  }
};

double decay(double iou, const SoftNMSOptions& options) {
  if (options.decay == SoftNMSDecay::gaussian) return std::exp(-iou * iou / options.sigma);
  return iou > options.iou_threshold ? 1 - iou : 1;
}

}  // namespace

Tensor nms(const Tensor& boxes, const Tensor& scores, const NMSOptions& options) {
  return suppress("nms", boxes, scores, {}, options);
}

Tensor batched_nms(const Tensor& boxes, const Tensor& scores, const Tensor& labels,
                   const NMSOptions& options) {
  const char* const op = "batched_nms";
  check(op, boxes, scores);
  require(labels.defined() && labels.dtype() == DType::int64 && labels.shape() == scores.shape(),
          op, ": expected labels int64 ", scores.shape(), ", got ", labels);
  return suppress(op, boxes, scores, labels.to(Device::cpu()), options);
}

SoftNMSResult soft_nms(const Tensor& boxes, const Tensor& scores, const SoftNMSOptions& options) {
  const char* const op = "soft_nms";
  check(op, boxes, scores);
  require(options.sigma > 0 && options.min_score > 0, op, ": sigma is ", options.sigma,
          " and min_score ", options.min_score, ", expected both above 0");
  const std::vector<double> corners = boxes.to_vector(), at_first = scores.to_vector();
  Candidates candidates{corners.data(), ranking(corners.data(), at_first.data(), boxes.dim(0)),
                        at_first};
  std::sort(candidates.left.begin(), candidates.left.end());  // equals by the lower index
  Indices kept;
  std::vector<double> kept_scores;
  const auto drop_low = [&] {
    std::erase_if(candidates.left,
                  [&](std::int64_t i) { return candidates.score(i) < options.min_score; });
  };
  for (drop_low(); !candidates.left.empty(); drop_low()) {
    const std::int64_t best = candidates.take();
    kept.push_back(best);
    kept_scores.push_back(candidates.score(best));
    for (const std::int64_t i : candidates.left)
      candidates.score(i) *= decay(candidates.iou(best, i), options);
  }
  const Tensor falling = Tensor::from(kept_scores, {static_cast<std::int64_t>(kept.size())});
  return {indices_tensor(kept, boxes.device()), falling.to(scores.dtype()).to(scores.device())};
}

}  // namespace pliant
