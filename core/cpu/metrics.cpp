#include <pliant/core/kernels/metrics.h>

namespace pliant {
namespace {

template <class T>
void top_k(std::int64_t rows, std::int64_t classes, std::int64_t k, const T* scores,
           const std::int64_t* labels, double* right) {
  for (std::int64_t i = 0; i < rows; ++i) right[i] = is_in_top_k(i, classes, k, scores, labels);
}

void confusion(const ConfusionGeometry& g, const std::int64_t* guesses, const std::int64_t* labels,
               std::int64_t* counts) {
  for (std::int64_t i = 0; i < g.count; ++i)
    if (const std::int64_t cell = confusion_cell(g, i, guesses, labels); cell >= 0) ++counts[cell];
}

}  // namespace

constinit FloatKernel<InTopK> cpu::in_top_k{top_k, top_k};
constinit Kernel<CountConfusion> cpu::count_confusion{confusion};

}  // namespace pliant
