#include <pliant/core/kernels/cross_entropy.h>

#include <limits>

#include <pliant/core/kernels/reduce.h>
#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

constexpr const char* kOp = "softmax_cross_entropy";

template <class T>
__device__ SoftmaxScale<T> softmax_scale(const T* logits, std::int64_t classes) {
  T largest = logits[0];
  for (std::int64_t j = 1; j < classes; ++j) largest = std::max(largest, logits[j]);
  T sum = 0;
  for (std::int64_t j = 0; j < classes; ++j) sum += std::exp(logits[j] - largest);
  return {largest, std::log(sum)};
}

template <class T>
__device__ T row_loss(const CrossEntropyGeometry& g, const T* logits, std::int64_t label,
                      SoftmaxScale<T> scale) {
  T mean = 0;
  if (g.smoothing != 0) {
    for (std::int64_t j = 0; j < g.classes; ++j) mean += log_probability(logits[j], scale);
    mean /= static_cast<T>(g.classes);
  }
  return cross_entropy(log_probability(logits[label], scale), mean, static_cast<T>(g.smoothing));
}

// Nobody checked the labels: one that is no class gives a scale of NaN, which is then found in the
// loss and in that row's gradient.
template <class T>
void forward(const CrossEntropyGeometry& g, const T* logits, const std::int64_t* labels, T* loss,
             T* count, T* scale, Workspace& workspace) {
  double* const rows = workspace.take<double>(2 * g.rows);  // [rows]: loss, whether it counts
  double* const sums = workspace.take<double>(2);
  cuda::each(kOp, g.rows, [=] __device__(std::int64_t i) {
    const std::int64_t label = labels[i];
    const T* const row = logits + i * g.classes;
    const bool counts = label != g.ignore_index, known = label >= 0 && label < g.classes;
    const T nan = std::numeric_limits<T>::quiet_NaN();
    const SoftmaxScale<T> of_row =
        known ? softmax_scale(row, g.classes) : SoftmaxScale<T>{nan, nan};
    scale[2 * i] = of_row.largest;
    scale[2 * i + 1] = of_row.log_sum;
    rows[2 * i] = !counts ? 0.0
                  : known ? static_cast<double>(row_loss(g, row, label, of_row))
                          : nan;
    rows[2 * i + 1] = counts ? 1.0 : 0.0;
  });
  cuda::sum_forward(ReduceGeometry{1, g.rows, 2}, rows, sums, workspace);
  cuda::each(kOp, 1, [=] __device__(std::int64_t) {
    *loss = static_cast<T>(sums[0] / sums[1]);
    *count = static_cast<T>(sums[1]);
  });
}

template <class T>
void gradient(const CrossEntropyGeometry& g, const T* logits, const std::int64_t* labels,
              const T* count, const T* scale, const T* dloss, T* dlogits) {
  cuda::each(kOp, g.rows * g.classes, [=] __device__(std::int64_t i) {
    const std::int64_t row = i / g.classes;
    if (labels[row] == g.ignore_index) {
      dlogits[i] = T(0);
      return;
    }
    const SoftmaxScale<T> of_row{scale[2 * row], scale[2 * row + 1]};
    const T slope =
        cross_entropy_derivative(log_probability(logits[i], of_row), i % g.classes == labels[row],
                                 static_cast<T>(g.smoothing), static_cast<T>(g.classes));
    dlogits[i] = *dloss / *count * slope;
  });
}

}  // namespace

void cuda::cross_entropy_forward(const CrossEntropyGeometry& g, const float* logits,
                                 const std::int64_t* labels, float* loss, float* count,
                                 float* scale, Workspace& workspace) {
  forward(g, logits, labels, loss, count, scale, workspace);
}
void cuda::cross_entropy_forward(const CrossEntropyGeometry& g, const double* logits,
                                 const std::int64_t* labels, double* loss, double* count,
                                 double* scale, Workspace& workspace) {
  forward(g, logits, labels, loss, count, scale, workspace);
}
void cuda::cross_entropy_gradient(const CrossEntropyGeometry& g, const float* logits,
                                  const std::int64_t* labels, const float* count,
                                  const float* scale, const float* dloss, float* dlogits) {
  gradient(g, logits, labels, count, scale, dloss, dlogits);
}
void cuda::cross_entropy_gradient(const CrossEntropyGeometry& g, const double* logits,
                                  const std::int64_t* labels, const double* count,
                                  const double* scale, const double* dloss, double* dlogits) {
  gradient(g, logits, labels, count, scale, dloss, dlogits);
}

}  // namespace pliant
