#include <pliant/autograd/ops/detections.h>

#include <algorithm>
#include <vector>

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/internal/indices.h>
#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/nms.h>
#include <pliant/autograd/ops/rearrange.h>
#include <pliant/autograd/ops/slice.h>
#include <pliant/autograd/ops/softmax.h>
#include <pliant/autograd/ops/sort.h>

namespace pliant {
namespace {

Tensor take(const Tensor& x, const Tensor& indices) { return index_select(x, 0, indices).value(); }

// The rows that satisfy keep(i).
template <class Keep>
Indices rows_that(std::int64_t count, Keep keep) {
  Indices rows;
  for (std::int64_t i = 0; i < count; ++i)
    if (keep(static_cast<std::size_t>(i))) rows.push_back(i);
  return rows;
}

// The rows of the `most` largest numbers [N], equals by the lower index; NaN comes last.
Tensor largest(const Tensor& numbers, std::int64_t most) {
  return topk(neg(numbers), std::min(most, numbers.size()), 0, SortOrder::ascending).indices;
}

void check_counts(const char* op, std::int64_t first, std::int64_t second) {
  require(first >= 0 && second >= 0, op, ": ", first, " and ", second,
          " boxes to keep, expected at least 0");
}

}  // namespace

ScoredBoxes region_proposals(const Tensor& logits, const Tensor& deltas, const Tensor& anchors,
                             Size2 image, const ProposalOptions& options) {
  const char* const op = "region_proposals";
  const ErrorOp here(op);
  check_counts(op, options.before_nms, options.after_nms);
  require_rank(op, "the set of logits", logits, 1, "[A]");
  require_rank(op, "the set of deltas", deltas, 2, "[A 4]");
  require(deltas.shape() == Shape({logits.dim(0), 4}), op, ": the deltas have shape ",
          deltas.shape(), ", expected [", logits.dim(0), " 4]");
  const Tensor best = largest(logits, options.before_nms);
  Tensor boxes = decode_boxes(take(deltas, best), take(anchors, best), options.coding).value();
  boxes = clip_boxes(boxes, image).value();
  Tensor scores = sigmoid(take(logits, best)).value();
  const Tensor large = boxes_of_size(boxes, options.min_side);
  boxes = take(boxes, large);
  scores = take(scores, large);
  const std::vector<double> numbers = scores.to_vector();
  const Indices rows =
      rows_that(scores.dim(0), [&](std::size_t i) { return numbers[i] >= options.min_score; });
  const Tensor high = indices_tensor(rows, scores.device());
  boxes = take(boxes, high);
  scores = take(scores, high);
  const Tensor kept =
      nms(boxes, scores, {.iou_threshold = options.nms_threshold, .most = options.after_nms});
  return {take(boxes, kept), take(scores, kept), {}};
}

ScoredBoxes detections(const Tensor& logits, const Tensor& deltas, const Tensor& proposals,
                       Size2 image, const DetectionOptions& options) {
  const char* const op = "detections";
  const ErrorOp here(op);
  check_counts(op, options.most, 0);
  require_rank(op, "the set of logits", logits, 2, "[R C]");
  const std::int64_t regions = logits.dim(0), classes = logits.dim(1);
  require(classes >= 2, op, ": the logits have shape ", logits.shape(),
          ", expected the background and at least one class more");
  require_rank(op, "the set of deltas", deltas, 2, "[R 4*C]");
  require(deltas.shape() == Shape({regions, 4 * classes}), op, ": the deltas have shape ",
          deltas.shape(), ", expected [", regions, ' ', 4 * classes, ']');
  const Var boxes = clip_boxes(
      reshape(decode_boxes(deltas, proposals, options.coding), {regions, classes, 4}), image);
  // Region by region, class by class, without the background.
  const std::int64_t found = regions * (classes - 1);
  const Tensor all = reshape(slice_axis(boxes, 1, 1, classes), {found, 4}).value();
  const Tensor scores = reshape(slice_axis(softmax(logits, -1), 1, 1, classes), {found}).value();
  const std::vector<double> numbers = scores.to_vector(), corners = all.to_vector();
  const Indices rows = rows_that(found, [&](std::size_t i) {
    return numbers[i] > options.min_score &&
           corners[4 * i + 2] - corners[4 * i] >= options.min_side &&
           corners[4 * i + 3] - corners[4 * i + 1] >= options.min_side;
  });
  Indices labels;
  for (const std::int64_t i : rows) labels.push_back(1 + i % (classes - 1));
  const Tensor likely = indices_tensor(rows, all.device());
  const Tensor of = indices_tensor(labels, all.device());
  const Tensor likely_boxes = take(all, likely), likely_scores = take(scores, likely);
  const Tensor kept = batched_nms(likely_boxes, likely_scores, of,
                                  {.iou_threshold = options.nms_threshold, .most = options.most});
  return {take(likely_boxes, kept), take(likely_scores, kept), take(of, kept)};
}

}  // namespace pliant
