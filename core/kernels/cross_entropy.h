// Softmax cross entropy: logits [rows classes] and one label per row -> a mean over the rows.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <pliant/core/kernel.h>
#include <pliant/core/kernels/exponential.h>
#include <pliant/core/kernels/workspace.h>
#include <pliant/core/portable.h>

namespace pliant {

struct CrossEntropyGeometry {
  std::int64_t rows = 0, classes = 0;  // classes >= 1
  double smoothing = 0;                // share of the target that is spread over all classes
  std::int64_t ignore_index = -100;    // rows with this label do not count
};

// What makes a row's logits into log-probabilities: log p = logit - largest - log_sum. Kept apart,
// so that large logits lose nothing. And the sum of the row's target.
template <class T>
struct SoftmaxScale {
  T largest, log_sum;  // log_sum = log(sum(exp(logit - largest)))
  T target = 1;
};
template <class T>
PLIANT_HD T log_probability(T logit, const SoftmaxScale<T>& scale) {
  return (logit - scale.largest) - scale.log_sum;
}

// A row's target: of class j, (1-s) w[j] if it is the label, and s w[j] / classes. `weight`
// [classes] may be null: all 1, and the target sums to 1.
template <class T>
PLIANT_HD T class_weight(const T* weight, std::int64_t j) {
  return weight == nullptr ? T(1) : weight[j];
}
template <class T>
PLIANT_HD T target_sum(const CrossEntropyGeometry& g, const T* weight, std::int64_t label) {
  if (weight == nullptr) return T(1);
  const T s = static_cast<T>(g.smoothing);
  double all = 0;
  if (g.smoothing != 0)
    for (std::int64_t j = 0; j < g.classes; ++j) all += static_cast<double>(weight[j]);
  return (T(1) - s) * weight[label] + s * static_cast<T>(all / static_cast<double>(g.classes));
}

// A row is gone through by sixteen lanes, which the CPU does at once.
inline constexpr std::int64_t kRowLanes = 16;

template <class T>
PLIANT_HD SoftmaxScale<T> softmax_scale(const CrossEntropyGeometry& g, const T* logits,
                                        const T* weight, std::int64_t label) {
  T lanes[kRowLanes];
  for (T& lane : lanes) lane = logits[0];
  const std::int64_t whole = g.classes / kRowLanes * kRowLanes;
  for (std::int64_t j = 0; j < whole; j += kRowLanes)
    for (std::int64_t i = 0; i < kRowLanes; ++i)
      lanes[i] = lanes[i] < logits[j + i] ? logits[j + i] : lanes[i];
  T largest = lanes[0];
  for (const T lane : lanes) largest = std::max(largest, lane);
  for (std::int64_t j = whole; j < g.classes; ++j) largest = std::max(largest, logits[j]);

  double sum = 0;
  if (whole > 0) {
    double sums[kRowLanes] = {};
    for (std::int64_t j = 0; j < whole; j += kRowLanes)
      for (std::int64_t i = 0; i < kRowLanes; ++i)
        sums[i] += static_cast<double>(exponential(logits[j + i] - largest));
    for (const double lane : sums) sum += lane;
  }
  for (std::int64_t j = whole; j < g.classes; ++j)
    sum += static_cast<double>(exponential(logits[j] - largest));
  return {largest, static_cast<T>(std::log(sum)), target_sum(g, weight, label)};
}

// Loss of a row: -(1-s) w[label] log p[label] - s mean(w log p).
template <class T>
PLIANT_HD T cross_entropy(const CrossEntropyGeometry& g, const T* logits, const T* weight,
                          std::int64_t label, const SoftmaxScale<T>& scale) {
  const T of_label = class_weight(weight, label) * log_probability(logits[label], scale);
  if (g.smoothing == 0) return -of_label;
  const T s = static_cast<T>(g.smoothing);
  double sum = 0;
  for (std::int64_t j = 0; j < g.classes; ++j)
    sum += static_cast<double>(class_weight(weight, j) * log_probability(logits[j], scale));
  return -(T(1) - s) * of_label - s * static_cast<T>(sum / static_cast<double>(g.classes));
}
// Its derivative by logit j.
template <class T>
PLIANT_HD T cross_entropy_derivative(const CrossEntropyGeometry& g, T logit, const T* weight,
                                     std::int64_t j, bool is_label, const SoftmaxScale<T>& scale) {
  const T s = static_cast<T>(g.smoothing), p = exponential(log_probability(logit, scale));
  const T share = s / static_cast<T>(g.classes) + (is_label ? T(1) - s : T(0));
  return p * scale.target - class_weight(weight, j) * share;
}

// loss and count [1]: the weighted mean, and the sum of the labels' weights over the rows that
// count; of those rows the SoftmaxScale, scale [rows 3]. weight [classes] or null.
// Labels are in [0, classes) or ignore_index; a backend that cannot check them before gives NaN.
template <class T>
struct CrossEntropyForwardArgs {
  const T* logits;
  const std::int64_t* labels;
  const T* weight;
  T* loss;
  T* count;
  T* scale;
};
template <class T>
using CrossEntropyForward = void(const CrossEntropyGeometry&,
                                 const CrossEntropyForwardArgs<T>& args, Workspace&);
// dloss [1]; rows that do not count get 0.
template <class T>
struct CrossEntropyGradientArgs {
  const T* logits;
  const std::int64_t* labels;
  const T* weight;
  const T* count;
  const T* scale;
  const T* dloss;
  T* dlogits;
};
template <class T>
using CrossEntropyGradient = void(const CrossEntropyGeometry&,
                                  const CrossEntropyGradientArgs<T>& args);

// The rows' own losses, loss [rows], 0 where a row does not count; scale as above.
template <class T>
using CrossEntropyRowsForward = void(const CrossEntropyGeometry&, const T* logits,
                                     const std::int64_t* labels, const T* weight, T* loss,
                                     T* scale);
// dloss [rows].
template <class T>
struct CrossEntropyRowsGradientArgs {
  const T* logits;
  const std::int64_t* labels;
  const T* weight;
  const T* scale;
  const T* dloss;
  T* dlogits;
};
template <class T>
using CrossEntropyRowsGradient = void(const CrossEntropyGeometry&,
                                      const CrossEntropyRowsGradientArgs<T>& args);

namespace cpu {
extern FloatKernel<CrossEntropyForward> cross_entropy_forward;
extern FloatKernel<CrossEntropyGradient> cross_entropy_gradient;
extern FloatKernel<CrossEntropyRowsForward> cross_entropy_rows_forward;
extern FloatKernel<CrossEntropyRowsGradient> cross_entropy_rows_gradient;
}  // namespace cpu

namespace cuda {
extern FloatKernel<CrossEntropyForward> cross_entropy_forward;
extern FloatKernel<CrossEntropyGradient> cross_entropy_gradient;
extern FloatKernel<CrossEntropyRowsForward> cross_entropy_rows_forward;
extern FloatKernel<CrossEntropyRowsGradient> cross_entropy_rows_gradient;
}  // namespace cuda

}  // namespace pliant
