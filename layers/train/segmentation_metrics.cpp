#include <pliant/layers/train/segmentation_metrics.h>

#include <cmath>
#include <numeric>

#include <pliant/core/sizes.h>

namespace pliant {
namespace {

// NaN of 0 / 0.
double share(std::int64_t part, std::int64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

// Of those that are no NaN.
double mean_of(const std::vector<double>& numbers) {
  double sum = 0, count = 0;
  for (const double number : numbers) {
    if (std::isnan(number)) continue;
    sum += number;
    ++count;
  }
  return sum / count;
}

}  // namespace

SegmentationConfusion::SegmentationConfusion(std::int64_t classes) : classes_(classes) {
  require(classes >= 1, "SegmentationConfusion: ", classes, " classes, expected at least 1");
  counts_.resize(
      static_cast<std::size_t>(checked_product("SegmentationConfusion", {classes, classes})));
}

void SegmentationConfusion::add(const Tensor& predictions, const Tensor& targets) {
  const char* const who = "SegmentationConfusion";
  require(predictions.defined() && targets.defined() && predictions.dtype() == DType::int64 &&
              targets.dtype() == DType::int64 && predictions.shape() == targets.shape(),
          who, ": expected predictions and targets int64 of one shape, got ", predictions, " and ",
          targets);
  const Tensor found = predictions.to(Device::cpu()), wanted = targets.to(Device::cpu());
  const auto guesses = found.span<std::int64_t>(), truths = wanted.span<std::int64_t>();
  std::vector<std::int64_t> counts = counts_;
  for (std::size_t i = 0; i < truths.size(); ++i) {
    if (truths[i] < 0 || truths[i] >= classes_) continue;
    require(guesses[i] >= 0 && guesses[i] < classes_, who, ": a prediction is ", guesses[i],
            ", expected one in [0, ", classes_, ')');
    ++counts[static_cast<std::size_t>(truths[i] * classes_ + guesses[i])];
  }
  counts_ = std::move(counts);  // nothing has changed where there was an Error
}

std::int64_t SegmentationConfusion::count(std::int64_t target, std::int64_t prediction) const {
  require(target >= 0 && target < classes_ && prediction >= 0 && prediction < classes_,
          "SegmentationConfusion: classes ", target, " and ", prediction, ", expected two in [0, ",
          classes_, ')');
  return counts_[static_cast<std::size_t>(target * classes_ + prediction)];
}

Tensor SegmentationConfusion::matrix() const { return Tensor::from(counts_, {classes_, classes_}); }

std::int64_t SegmentationConfusion::row_sum(std::int64_t target) const {
  std::int64_t sum = 0;
  for (std::int64_t c = 0; c < classes_; ++c) sum += count(target, c);
  return sum;
}

std::int64_t SegmentationConfusion::column_sum(std::int64_t prediction) const {
  std::int64_t sum = 0;
  for (std::int64_t c = 0; c < classes_; ++c) sum += count(c, prediction);
  return sum;
}

std::vector<double> SegmentationConfusion::class_accuracy() const {
  std::vector<double> all;
  for (std::int64_t c = 0; c < classes_; ++c) all.push_back(share(count(c, c), row_sum(c)));
  return all;
}

std::vector<double> SegmentationConfusion::iou() const {
  std::vector<double> all;
  for (std::int64_t c = 0; c < classes_; ++c)
    all.push_back(share(count(c, c), row_sum(c) + column_sum(c) - count(c, c)));
  return all;
}

double SegmentationConfusion::mean_class_accuracy() const { return mean_of(class_accuracy()); }

double SegmentationConfusion::mean_iou() const { return mean_of(iou()); }

double SegmentationConfusion::pixel_accuracy() const {
  std::int64_t right = 0;
  for (std::int64_t c = 0; c < classes_; ++c) right += count(c, c);
  return share(right, std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0}));
}

double SegmentationConfusion::frequency_weighted_iou() const {
  const std::int64_t all = std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0});
  const std::vector<double> overlaps = iou();
  double sum = all > 0 ? 0 : std::nan("");
  for (std::int64_t c = 0; c < classes_; ++c)
    if (row_sum(c) > 0) sum += share(row_sum(c), all) * overlaps[static_cast<std::size_t>(c)];
  return sum;
}

std::vector<double> log_balanced_weights(const std::vector<double>& counts, double c) {
  const char* const who = "log_balanced_weights";
  require(c > 1 && std::isfinite(c), who, ": c is ", c, ", expected a number above 1");
  for (const double count : counts)
    require(count >= 0 && std::isfinite(count), who, ": a class has ", count,
            " pixels, expected at least 0");
  const double all = std::accumulate(counts.begin(), counts.end(), 0.0);
  require(all > 0, who, ": no class has a pixel");
  std::vector<double> weights;
  for (const double count : counts) weights.push_back(1 / std::log(c + count / all));
  return weights;
}

}  // namespace pliant
