#include <pliant/layers/train/confusion_matrix.h>

#include <cmath>
#include <numeric>

#include <pliant/autograd/ops/reduce.h>
#include <pliant/core/kernel.h>
#include <pliant/core/kernels/metrics.h>

namespace pliant {
namespace {

constexpr const char* kWho = "ConfusionMatrix";

std::int64_t cells(std::int64_t classes) {
  constexpr std::int64_t kMost = 1 << 15;
  require(classes >= 1 && classes <= kMost, kWho, ": ", classes, " classes, expected 1 to ", kMost);
  return classes * classes + 1;
}

// By one ratio a class.
template <class Classes, class Ratio>
std::vector<double> each(const Classes& classes, Ratio&& ratio) {
  std::vector<double> all;
  for (const auto& one : classes) all.push_back(ratio(one));
  return all;
}

// Of those that are no NaN.
double mean_of(const std::vector<double>& numbers) {
  double sum = 0, found = 0;
  for (const double one : numbers)
    if (!std::isnan(one)) {
      sum += one;
      ++found;
    }
  return sum / found;
}

}  // namespace

ConfusionMatrix::ConfusionMatrix(std::int64_t classes, const ConfusionOptions& options)
    : classes_(classes),
      ignored_(options.ignore_label),
      counts_(Tensor::zeros({cells(classes)}, DType::int64, options.device)) {}

void ConfusionMatrix::add(const Var& logits, const Tensor& labels) {
  require(logits.defined() && logits.rank() >= 1 && logits.dim(-1) == classes_, kWho,
          ": expected logits [... ", classes_, "], got ", logits.value());
  add_guesses(argmax(logits.value(), -1), labels);
}

void ConfusionMatrix::add_guesses(const Tensor& given_guesses, const Tensor& given_labels) {
  const Tensor guesses = as_int64(given_guesses), labels = as_int64(given_labels);
  require(guesses.defined() && labels.defined(), kWho, ": the ",
          guesses.defined() ? "labels" : "guesses", " are undefined");
  require(guesses.dtype() == DType::int64 && labels.dtype() == DType::int64, kWho,
          ": guesses and labels are ", guesses.dtype(), " and ", labels.dtype(),
          ", expected integers");
  require(guesses.shape() == labels.shape(), kWho, ": guesses of shape ", guesses.shape(),
          " and labels of ", labels.shape());
  require(guesses.device() == counts_.device() && labels.device() == counts_.device(), kWho,
          ": guesses on ", guesses.device(), " and labels on ", labels.device(), ", expected ",
          counts_.device());
  const ConfusionGeometry g{labels.size(), classes_, ignored_.has_value(), ignored_.value_or(0)};
  if (labels.device().is_cpu())
    for (std::int64_t i = 0; i < g.count; ++i)
      require(confusion_cell(g, i, guesses.data<std::int64_t>(), labels.data<std::int64_t>()) <
                  classes_ * classes_,
              kWho, ": label ", labels.data<std::int64_t>()[i], " or guess ",
              guesses.data<std::int64_t>()[i], " of element ", i, " is not in [0, ", classes_, ')');
  kernel<CountConfusion, cpu::count_confusion, cuda::count_confusion>(kWho, labels.device())(
      g, guesses.data<std::int64_t>(), labels.data<std::int64_t>(),
      counts_.mutable_data<std::int64_t>());
}

void ConfusionMatrix::reset() { counts_.fill(0); }

Tensor ConfusionMatrix::counts() const {
  const Tensor all = counts_.to(Device::cpu());
  const std::int64_t unknown = all.span<std::int64_t>().back();
  require(unknown == 0, kWho, ": ", unknown, " labels or guesses were not in [0, ", classes_, ')');
  return all.slice(0, classes_ * classes_).reshape({classes_, classes_}).clone();
}

std::vector<ConfusionMatrix::OfClass> ConfusionMatrix::of_classes() const {
  const Tensor all = counts();
  const auto count = [&](std::int64_t label, std::int64_t guess) {
    return static_cast<double>(all.data<std::int64_t>()[label * classes_ + guess]);
  };
  std::vector<OfClass> classes;
  for (std::int64_t c = 0; c < classes_; ++c) {
    OfClass one{count(c, c), 0, 0};
    for (std::int64_t other = 0; other < classes_; ++other) {
      one.labels += count(c, other);
      one.guesses += count(other, c);
    }
    classes.push_back(one);
  }
  return classes;
}

std::int64_t ConfusionMatrix::total() const {
  double labels = 0;
  for (const OfClass& one : of_classes()) labels += one.labels;
  return static_cast<std::int64_t>(labels);
}

double ConfusionMatrix::accuracy() const {
  double right = 0, labels = 0;
  for (const OfClass& one : of_classes()) {
    right += one.right;
    labels += one.labels;
  }
  return right / labels;
}

std::vector<double> ConfusionMatrix::precision() const {
  return each(of_classes(), [](const OfClass& one) { return one.right / one.guesses; });
}

std::vector<double> ConfusionMatrix::recall() const {
  return each(of_classes(), [](const OfClass& one) { return one.right / one.labels; });
}

std::vector<double> ConfusionMatrix::f1() const {
  return each(of_classes(),
              [](const OfClass& one) { return 2 * one.right / (one.labels + one.guesses); });
}

std::vector<double> ConfusionMatrix::iou() const {
  return each(of_classes(), [](const OfClass& one) { return one.iou(); });
}

double ConfusionMatrix::mean_iou() const { return mean_of(iou()); }

double ConfusionMatrix::mean_recall() const { return mean_of(recall()); }

double ConfusionMatrix::frequency_weighted_iou() const {
  double sum = 0, labels = 0;
  for (const OfClass& one : of_classes()) {
    if (one.labels > 0) sum += one.labels * one.iou();
    labels += one.labels;
  }
  return sum / labels;
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
