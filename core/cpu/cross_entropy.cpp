#include <pliant/core/kernels/cross_entropy.h>

#include <algorithm>

#include <pliant/core/cpu/partial_sums.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {

constexpr std::int64_t kTaskElements = 4096;

// Loss of row i; its SoftmaxScale goes to scale.
template <class T>
T row_loss(const CrossEntropyGeometry& g, std::int64_t i, const T* logits,
           const std::int64_t* labels, const T* weight, T* scale) {
  const T* const row = logits + i * g.classes;
  const SoftmaxScale<T> of_row = softmax_scale(g, row, weight, labels[i]);
  scale[3 * i] = of_row.largest;
  scale[3 * i + 1] = of_row.log_sum;
  scale[3 * i + 2] = of_row.target;
  return cross_entropy(g, row, weight, labels[i], of_row);
}

template <class T>
void forward(const CrossEntropyGeometry& g, const CrossEntropyForwardArgs<T>& args,
             Workspace& workspace) {
  const std::int64_t parts =
      std::clamp<std::int64_t>(g.rows * g.classes / kTaskElements, 1, cpu::kMostPartials);
  const std::int64_t part_rows = (g.rows + parts - 1) / parts;
  double* const partial = workspace.take<double>(2 * parts);  // [parts]: loss, weight that counts
  parallel_for(parts, [&](std::int64_t part) {
    double sum = 0, counted = 0;
    for (std::int64_t i = part * part_rows; i < std::min(g.rows, (part + 1) * part_rows); ++i) {
      if (args.labels[i] == g.ignore_index) continue;
      sum += static_cast<double>(row_loss(g, i, args.logits, args.labels, args.weight, args.scale));
      counted += static_cast<double>(class_weight(args.weight, args.labels[i]));
    }
    partial[2 * part] = sum;
    partial[2 * part + 1] = counted;
  });
  double sum = 0, counted = 0;
  for (std::int64_t part = 0; part < parts; ++part) {
    sum += partial[2 * part];
    counted += partial[2 * part + 1];
  }
  *args.loss = static_cast<T>(sum / counted);
  *args.count = static_cast<T>(counted);
}

// Rows of so many classes in a task.
std::int64_t rows_of_task(const CrossEntropyGeometry& g) {
  return std::max<std::int64_t>(1, kTaskElements / g.classes);
}

template <class T>
void rows_forward(const CrossEntropyGeometry& g, const T* logits, const std::int64_t* labels,
                  const T* weight, T* loss, T* scale) {
  parallel_blocks(g.rows, rows_of_task(g), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      loss[i] = labels[i] == g.ignore_index ? T(0) : row_loss(g, i, logits, labels, weight, scale);
  });
}

// The label's logit last: a loop without it has no branch and goes by vectors.
template <class T>
void row_gradient(const CrossEntropyGeometry& g, const T* row, const T* weight, std::int64_t label,
                  const SoftmaxScale<T> scale, const T factor, T* out) {
  if (weight == nullptr)
    for (std::int64_t j = 0; j < g.classes; ++j)
      out[j] = factor * cross_entropy_derivative<T>(g, row[j], nullptr, j, false, scale);
  else
    for (std::int64_t j = 0; j < g.classes; ++j)
      out[j] = factor * cross_entropy_derivative(g, row[j], weight, j, false, scale);
  out[label] = factor * cross_entropy_derivative(g, row[label], weight, label, true, scale);
}

// factor_of(i): the cotangent of row i's loss.
template <class T, class F>
void gradient(const CrossEntropyGeometry& g, const T* logits, const std::int64_t* labels,
              const T* weight, const T* scale, F factor_of, T* dlogits) {
  parallel_blocks(g.rows, rows_of_task(g), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const T* const row = logits + i * g.classes;
      T* const out = dlogits + i * g.classes;
      if (labels[i] == g.ignore_index) {
        std::fill_n(out, g.classes, T(0));
        continue;
      }
      const SoftmaxScale<T> of_row{scale[3 * i], scale[3 * i + 1], scale[3 * i + 2]};
      row_gradient(g, row, weight, labels[i], of_row, factor_of(i), out);
    }
  });
}

template <class T>
void mean_gradient(const CrossEntropyGeometry& g, const CrossEntropyGradientArgs<T>& args) {
  const T factor = *args.dloss / *args.count;
  gradient(
      g, args.logits, args.labels, args.weight, args.scale, [=](std::int64_t) { return factor; },
      args.dlogits);
}

template <class T>
void rows_gradient(const CrossEntropyGeometry& g, const CrossEntropyRowsGradientArgs<T>& args) {
  gradient(
      g, args.logits, args.labels, args.weight, args.scale,
      [=](std::int64_t i) { return args.dloss[i]; }, args.dlogits);
}

}  // namespace

constinit FloatKernel<CrossEntropyForward> cpu::cross_entropy_forward{forward, forward};
constinit FloatKernel<CrossEntropyGradient> cpu::cross_entropy_gradient{mean_gradient,
                                                                        mean_gradient};
constinit FloatKernel<CrossEntropyRowsForward> cpu::cross_entropy_rows_forward{rows_forward,
                                                                               rows_forward};
constinit FloatKernel<CrossEntropyRowsGradient> cpu::cross_entropy_rows_gradient{rows_gradient,
                                                                                 rows_gradient};

}  // namespace pliant
