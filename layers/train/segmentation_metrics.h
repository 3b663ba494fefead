// What a segmentation is judged by: the confusion of all pixels of a set, counted on the host. A
// mean of figures of single images is another thing.
#pragma once

#include <cstdint>
#include <vector>

#include <pliant/core/tensor.h>

namespace pliant {

// How many pixels of each class were taken for each class.
class SegmentationConfusion {
 public:
  explicit SegmentationConfusion(std::int64_t classes);  // at least 1

  // predictions and targets, int64 of one shape. A target outside [0, classes), such as 255 for
  // "void", does not count, whatever is predicted there; where one counts, a prediction outside is
  // an Error.
  void add(const Tensor& predictions, const Tensor& targets);

  std::int64_t classes() const { return classes_; }
  std::int64_t count(std::int64_t target, std::int64_t prediction) const;
  Tensor matrix() const;  // int64 [classes classes]: rows targets, columns predictions

  // Of each class, NaN where it has nothing to divide by: pixels of a class that are right over all
  // of it; over the union of where it is and where it is predicted.
  std::vector<double> class_accuracy() const;
  std::vector<double> iou() const;
  // Their means over the classes that have one.
  double mean_class_accuracy() const;
  double mean_iou() const;
  double pixel_accuracy() const;
  // The IoUs, weighted by how many pixels each class has.
  double frequency_weighted_iou() const;

 private:
  std::int64_t row_sum(std::int64_t target) const;
  std::int64_t column_sum(std::int64_t prediction) const;

  std::int64_t classes_;
  std::vector<std::int64_t> counts_;
};

// Weights of classes for a loss, 1 / log(c + f), f a class's share of all pixels (Paszke, ENet,
// 2016). counts are not negative, and not all 0; c is above 1.
std::vector<double> log_balanced_weights(const std::vector<double>& counts, double c = 1.02);

}  // namespace pliant
