#include <pliant/layers/nets/siamrpn_tracking.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include <pliant/core/error.h>

namespace pliant {
namespace {

double at_least_one(double ratio) { return std::max(ratio, 1 / ratio); }

// Scores and predictions of all anchors, in pixels of the search image about its centre.
struct Predictions {
  std::vector<double> scores, boxes;  // boxes [A 4] = (cx, cy, w, h)

  Predictions(const Tensor& score, const Tensor& deltas, const Tensor& anchors)
      : scores(score.to_vector()), boxes(anchors.to_vector()) {
    const std::vector<double> step = deltas.to_vector();
    for (std::size_t i = 0; i < boxes.size(); i += 4)
      for (std::size_t axis = 0; axis < 2; ++axis) {
        boxes[i + axis] += step[i + axis] * boxes[i + axis + 2];
        boxes[i + axis + 2] *= std::exp(step[i + axis + 2]);
      }
  }
  double w(std::size_t i) const { return boxes[4 * i + 2]; }
  double h(std::size_t i) const { return boxes[4 * i + 3]; }
};

void check(const TrackedTarget& last, const Tensor& scores, const Tensor& deltas,
           const Tensor& anchors, std::int64_t size) {
  const char* const who = "tracking_step";
  require(last.w > 0 && last.h > 0, who, ": the target is ", last.w, " x ", last.h,
          ", expected sides above 0");
  require(scores.defined() && scores.rank() == 1 && scores.size() > 0, who,
          ": expected scores [A], got ", scores);
  const Shape expected{scores.size(), 4};
  for (const Tensor* numbers : {&deltas, &anchors})
    require(numbers->defined() && numbers->shape() == expected, who,
            ": expected deltas and anchors ", expected, ", got ", *numbers);
  require(size >= 1 && scores.size() % (size * size) == 0, who, ": ", scores.size(),
          " scores are no multiple of ", size, " x ", size);
}

}  // namespace

double context_side(double w, double h, double context) {
  const double margin = context * (w + h);
  return std::sqrt((w + margin) * (h + margin));
}

std::vector<double> hann_window(std::int64_t size) {
  require(size >= 1 && size <= 1 << 15, "hann_window: size ", size, ", expected 1 to 32768");
  std::vector<double> line, square;
  for (std::int64_t i = 0; i < size; ++i)
    line.push_back(size == 1 ? 1
                             : 0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i) /
                                                    static_cast<double>(size - 1)));
  for (const double row : line)
    for (const double column : line) square.push_back(row * column);
  return square;
}

TrackingStep tracking_step(const TrackedTarget& last, const Tensor& scores, const Tensor& deltas,
                           const Tensor& anchors, std::int64_t size, double frame_width,
                           double frame_height, const TrackingOptions& options) {
  check(last, scores, deltas, anchors, size);
  const Predictions all(scores, deltas, anchors);
  const std::vector<double> window = hann_window(size);
  const double scale = options.exemplar / context_side(last.w, last.h);
  const double side = context_side(last.w * scale, last.h * scale), ratio = last.w / last.h;
  TrackingStep step;
  step.score = -HUGE_VAL;
  for (std::size_t i = 0; i < all.scores.size(); ++i) {
    const double change = at_least_one(context_side(all.w(i), all.h(i)) / side) *
                          at_least_one(ratio / (all.w(i) / all.h(i)));
    const double penalty = std::exp(-(change - 1) * options.penalty);
    const double score =
        penalty * all.scores[i] * (1 - options.window) + window[i % window.size()] * options.window;
    if (score <= step.score || std::isnan(score)) continue;
    step = {static_cast<std::int64_t>(i), penalty, score, {}};
  }
  const auto best = static_cast<std::size_t>(step.best);
  const double* const box = all.boxes.data() + 4 * best;
  require(std::isfinite(step.score), "tracking_step: no score is a finite number");
  const double rate = step.penalty * all.scores[best] * options.rate;
  const auto size_of = [&](double before, double predicted, double frame) {
    const double now = before * (1 - rate) + predicted / scale * rate;
    return std::max(options.least_side, std::min(now, frame));
  };
  step.target = {std::clamp(last.cx + box[0] / scale, 0.0, frame_width),
                 std::clamp(last.cy + box[1] / scale, 0.0, frame_height),
                 size_of(last.w, box[2], frame_width), size_of(last.h, box[3], frame_height)};
  return step;
}

}  // namespace pliant
