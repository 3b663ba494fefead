// ConfusionMatrix: how often each label was taken for each class, over batches of any size, and
// what follows from that.
//
//   ConfusionMatrix seen(classes, {.ignore_label = 255, .device = device});
//   for (..) seen.add(net(images), labels);  // [N H W C] and [N H W], say
//   std::cout << seen.mean_iou();
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <pliant/autograd/var.h>

namespace pliant {

struct ConfusionOptions {
  std::optional<std::int64_t> ignore_label = {};  // what has this label is not counted
  Device device = {};                             // where the results are
};

// Counting does not wait for the device and may be part of a captured step; all that gives numbers
// does wait. A label or guess that is no class is an Error: at once on the CPU, elsewhere when the
// counts are read.
class ConfusionMatrix {
 public:
  explicit ConfusionMatrix(std::int64_t classes, const ConfusionOptions& options = {});

  // logits [... C] and labels [...], integers of any dtype: the guess is the first largest logit.
  void add(const Var& logits, const Tensor& labels);
  // Guesses and labels, integers of one shape.
  void add_guesses(const Tensor& guesses, const Tensor& labels);
  void reset();

  std::int64_t classes() const { return classes_; }
  // int64 [C C] on the CPU: a row for each label, a column for each guess.
  Tensor counts() const;
  std::int64_t total() const;

  // The share of right guesses; of nothing NaN.
  double accuracy() const;
  // Class by class; NaN where there is nothing to divide by: a class that was never guessed has no
  // precision, one that is no label's no recall, one that is neither no F1 and no IoU.
  std::vector<double> precision() const;  // of the guesses of it, the right ones
  std::vector<double> recall() const;     // of the labels of it, those guessed
  std::vector<double> f1() const;         // 2 right / (labels + guesses)
  std::vector<double> iou() const;        // right / (labels + guesses - right)
  // Over the classes that are a label or a guess somewhere, and of the recalls over those that are a
  // label; NaN if there are none.
  double mean_iou() const;
  double mean_recall() const;
  // The IoUs, weighted by the share of each class among the labels.
  double frequency_weighted_iou() const;

 private:
  struct OfClass {
    double right, labels, guesses;
    double iou() const { return right / (labels + guesses - right); }
  };
  std::vector<OfClass> of_classes() const;

  std::int64_t classes_;
  std::optional<std::int64_t> ignored_;
  Tensor counts_;  // int64 [C * C + 1], the last of what is no class
};

// Weights of classes for a loss, 1 / log(c + f), f a class's share of all counts, pixels say (Paszke,
// ENet, 2016). counts are not negative, and not all 0; c is above 1.
std::vector<double> log_balanced_weights(const std::vector<double>& counts, double c = 1.02);

}  // namespace pliant
