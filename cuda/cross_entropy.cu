#include <pliant/core/kernels/cross_entropy.h>

#include <limits>

#include <pliant/core/kernels/reduce.h>
#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

constexpr const char* kOp = "softmax_cross_entropy";

// The scale of row i, which also goes to `scale`. Nobody checked the labels: one that is no class
// gives a scale of NaN, which is then found in the loss and in that row's gradient.
template <class T>
__device__ SoftmaxScale<T> scale_of_row(const CrossEntropyGeometry& g, std::int64_t i,
                                        const T* logits, const std::int64_t* labels,
                                        const T* weight, T* scale) {
  const std::int64_t label = labels[i];
  const T nan = std::numeric_limits<T>::quiet_NaN();
  const SoftmaxScale<T> of_row = label >= 0 && label < g.classes
                                     ? softmax_scale(g, logits + i * g.classes, weight, label)
                                     : SoftmaxScale<T>{nan, nan, nan};
  scale[3 * i] = of_row.largest;
  scale[3 * i + 1] = of_row.log_sum;
  scale[3 * i + 2] = of_row.target;
  return of_row;
}

// Loss of row i, 0 if it does not count.
template <class T>
__device__ T loss_of_row(const CrossEntropyGeometry& g, std::int64_t i, const T* logits,
                         const std::int64_t* labels, const T* weight, T* scale) {
  const std::int64_t label = labels[i];
  const SoftmaxScale<T> of_row = scale_of_row(g, i, logits, labels, weight, scale);
  if (label == g.ignore_index) return T(0);
  if (label < 0 || label >= g.classes) return std::numeric_limits<T>::quiet_NaN();
  return cross_entropy(g, logits + i * g.classes, weight, label, of_row);
}

template <class T>
void forward(const CrossEntropyGeometry& g, const CrossEntropyForwardArgs<T>& args,
             Workspace& workspace) {
  double* const rows = workspace.take<double>(2 * g.rows);  // [rows]: loss, weight that counts
  double* const sums = workspace.take<double>(2);
  cuda::each(kOp, g.rows, [=] __device__(std::int64_t i) {
    const std::int64_t label = args.labels[i];
    const bool known = label >= 0 && label < g.classes;
    rows[2 * i] =
        static_cast<double>(loss_of_row(g, i, args.logits, args.labels, args.weight, args.scale));
    rows[2 * i + 1] = label == g.ignore_index ? 0.0
                      : known ? static_cast<double>(class_weight(args.weight, label))
                              : 1.0;
  });
  cuda::sum_forward(ReduceGeometry{1, g.rows, 2}, rows, sums, workspace);
  cuda::each(kOp, 1, [=] __device__(std::int64_t) {
    *args.loss = static_cast<T>(sums[0] / sums[1]);
    *args.count = static_cast<T>(sums[1]);
  });
}

template <class T>
void rows_forward(const CrossEntropyGeometry& g, const T* logits, const std::int64_t* labels,
                  const T* weight, T* loss, T* scale) {
  cuda::each(kOp, g.rows, [=] __device__(std::int64_t i) {
    loss[i] = loss_of_row(g, i, logits, labels, weight, scale);
  });
}

// The cotangent of row i's loss: of its own, or of the mean's.
template <class T>
struct RowFactor {
  const T* dloss;
  const T* count;  // null: dloss [rows]
  __device__ T operator()(std::int64_t i) const {
    return count == nullptr ? dloss[i] : *dloss / *count;
  }
};

template <class T>
void gradient(const CrossEntropyGeometry& g, const T* logits, const std::int64_t* labels,
              const T* weight, const T* scale, const RowFactor<T>& factor, T* dlogits) {
  cuda::each(kOp, g.rows * g.classes, [=] __device__(std::int64_t i) {
    const std::int64_t row = i / g.classes;
    if (labels[row] == g.ignore_index) {
      dlogits[i] = T(0);
      return;
    }
    const SoftmaxScale<T> of_row{scale[3 * row], scale[3 * row + 1], scale[3 * row + 2]};
    const std::int64_t j = i % g.classes;
    const T slope = cross_entropy_derivative(g, logits[i], weight, j, j == labels[row], of_row);
    dlogits[i] = factor(row) * slope;
  });
}

template <class T>
void mean_gradient(const CrossEntropyGeometry& g, const CrossEntropyGradientArgs<T>& args) {
  gradient(g, args.logits, args.labels, args.weight, args.scale, {args.dloss, args.count},
           args.dlogits);
}

template <class T>
void rows_gradient(const CrossEntropyGeometry& g, const CrossEntropyRowsGradientArgs<T>& args) {
  gradient(g, args.logits, args.labels, args.weight, args.scale, {args.dloss, nullptr},
           args.dlogits);
}

}  // namespace

constinit FloatKernel<CrossEntropyForward> cuda::cross_entropy_forward{forward, forward};
constinit FloatKernel<CrossEntropyGradient> cuda::cross_entropy_gradient{mean_gradient,
                                                                         mean_gradient};
constinit FloatKernel<CrossEntropyRowsForward> cuda::cross_entropy_rows_forward{rows_forward,
                                                                                rows_forward};
constinit FloatKernel<CrossEntropyRowsGradient> cuda::cross_entropy_rows_gradient{rows_gradient,
                                                                                  rows_gradient};

}  // namespace pliant
