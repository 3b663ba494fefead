#include <pliant/core/kernels/cross_entropy.h>

#include <algorithm>

#include <pliant/core/parallel.h>

namespace pliant {
namespace {

constexpr std::int64_t kMaxParts = 16;
constexpr std::int64_t kTaskElements = 4096;

template <class T>
SoftmaxScale<T> softmax_scale(const T* logits, std::int64_t classes) {
  T largest = logits[0];
  for (std::int64_t j = 1; j < classes; ++j) largest = std::max(largest, logits[j]);
  T sum = 0;
  for (std::int64_t j = 0; j < classes; ++j) sum += std::exp(logits[j] - largest);
  return {largest, std::log(sum)};
}

template <class T>
T row_loss(const CrossEntropyGeometry& g, const T* logits, std::int64_t label,
           SoftmaxScale<T> scale) {
  T mean = 0;
  if (g.smoothing != 0) {
    for (std::int64_t j = 0; j < g.classes; ++j) mean += log_probability(logits[j], scale);
    mean /= static_cast<T>(g.classes);
  }
  return cross_entropy(log_probability(logits[label], scale), mean, static_cast<T>(g.smoothing));
}

template <class T>
void forward(const CrossEntropyGeometry& g, const T* logits, const std::int64_t* labels, T* loss,
             T* count, T* scale, Workspace& workspace) {
  const std::int64_t parts =
      std::clamp<std::int64_t>(g.rows * g.classes / kTaskElements, 1, kMaxParts);
  const std::int64_t part_rows = (g.rows + parts - 1) / parts;
  double* const partial = workspace.take<double>(2 * parts);  // [parts]: loss, rows that count
  parallel_for(parts, [&](std::int64_t part) {
    double sum = 0, counted = 0;
    for (std::int64_t i = part * part_rows; i < std::min(g.rows, (part + 1) * part_rows); ++i) {
      if (labels[i] == g.ignore_index) continue;
      const T* const row = logits + i * g.classes;
      const SoftmaxScale<T> of_row = softmax_scale(row, g.classes);
      scale[2 * i] = of_row.largest;
      scale[2 * i + 1] = of_row.log_sum;
      sum += static_cast<double>(row_loss(g, row, labels[i], of_row));
      counted += 1;
    }
    partial[2 * part] = sum;
    partial[2 * part + 1] = counted;
  });
  double sum = 0, counted = 0;
  for (std::int64_t part = 0; part < parts; ++part) {
    sum += partial[2 * part];
    counted += partial[2 * part + 1];
  }
  *loss = static_cast<T>(sum / counted);
  *count = static_cast<T>(counted);
}

template <class T>
void gradient(const CrossEntropyGeometry& g, const T* logits, const std::int64_t* labels,
              const T* count, const T* scale, const T* dloss, T* dlogits) {
  const T factor = *dloss / *count;
  const auto smoothing = static_cast<T>(g.smoothing), classes = static_cast<T>(g.classes);
  const std::int64_t block = std::max<std::int64_t>(1, kTaskElements / g.classes);
  parallel_blocks(g.rows, block, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const T* const row = logits + i * g.classes;
      T* const out = dlogits + i * g.classes;
      if (labels[i] == g.ignore_index) {
        std::fill_n(out, g.classes, T(0));
        continue;
      }
      const SoftmaxScale<T> of_row{scale[2 * i], scale[2 * i + 1]};
      for (std::int64_t j = 0; j < g.classes; ++j)
        out[j] = factor * cross_entropy_derivative(log_probability(row[j], of_row), j == labels[i],
                                                   smoothing, classes);
    }
  });
}

}  // namespace

void cpu::cross_entropy_forward(const CrossEntropyGeometry& g, const float* logits,
                                const std::int64_t* labels, float* loss, float* count, float* scale,
                                Workspace& workspace) {
  forward(g, logits, labels, loss, count, scale, workspace);
}
void cpu::cross_entropy_forward(const CrossEntropyGeometry& g, const double* logits,
                                const std::int64_t* labels, double* loss, double* count,
                                double* scale, Workspace& workspace) {
  forward(g, logits, labels, loss, count, scale, workspace);
}
void cpu::cross_entropy_gradient(const CrossEntropyGeometry& g, const float* logits,
                                 const std::int64_t* labels, const float* count, const float* scale,
                                 const float* dloss, float* dlogits) {
  gradient(g, logits, labels, count, scale, dloss, dlogits);
}
void cpu::cross_entropy_gradient(const CrossEntropyGeometry& g, const double* logits,
                                 const std::int64_t* labels, const double* count,
                                 const double* scale, const double* dloss, double* dlogits) {
  gradient(g, logits, labels, count, scale, dloss, dlogits);
}

}  // namespace pliant
