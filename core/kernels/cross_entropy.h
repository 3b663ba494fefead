// Softmax cross entropy: logits [rows classes] and one label per row -> a mean over the rows.
#pragma once

#include <cmath>
#include <cstdint>

#include <pliant/core/kernels/workspace.h>
#include <pliant/core/portable.h>

namespace pliant {

struct CrossEntropyGeometry {
  std::int64_t rows = 0, classes = 0;  // classes >= 1
  double smoothing = 0;                // share of the target that is spread over all classes
  std::int64_t ignore_index = -100;    // rows with this label do not count
};

// What makes a row's logits into log-probabilities: log p = logit - largest - log_sum. Kept apart,
// so that large logits lose nothing.
template <class T>
struct SoftmaxScale {
  T largest, log_sum;  // log_sum = log(sum(exp(logit - largest)))
};
template <class T>
PLIANT_HD T log_probability(T logit, SoftmaxScale<T> scale) {
  return (logit - scale.largest) - scale.log_sum;
}

// Loss of a row: -(1-s) log p[label] - s mean(log p).
template <class T>
PLIANT_HD T cross_entropy(T of_label, T mean, T smoothing) {
  return smoothing == T(0) ? -of_label : -(T(1) - smoothing) * of_label - smoothing * mean;
}
// Its derivative by one logit, from that class's log-probability.
template <class T>
PLIANT_HD T cross_entropy_derivative(T log_p, bool is_label, T smoothing, T classes) {
  return std::exp(log_p) - smoothing / classes - (is_label ? T(1) - smoothing : T(0));
}

// loss and count [1]: the mean, and the number of rows that count; of those rows the
// SoftmaxScale, scale [rows 2].
// Labels are in [0, classes) or ignore_index; a backend that cannot check them before gives NaN.
template <class T>
using CrossEntropyForward = void(const CrossEntropyGeometry&, const T* logits,
                                 const std::int64_t* labels, T* loss, T* count, T* scale,
                                 Workspace&);
// dloss [1]; rows that do not count get 0.
template <class T>
using CrossEntropyGradient = void(const CrossEntropyGeometry&, const T* logits,
                                  const std::int64_t* labels, const T* count, const T* scale,
                                  const T* dloss, T* dlogits);

namespace cpu {
CrossEntropyForward<float> cross_entropy_forward;
CrossEntropyForward<double> cross_entropy_forward;
CrossEntropyGradient<float> cross_entropy_gradient;
CrossEntropyGradient<double> cross_entropy_gradient;
}  // namespace cpu

namespace cuda {
CrossEntropyForward<float> cross_entropy_forward;
CrossEntropyForward<double> cross_entropy_forward;
CrossEntropyGradient<float> cross_entropy_gradient;
CrossEntropyGradient<double> cross_entropy_gradient;
}  // namespace cuda

}  // namespace pliant
