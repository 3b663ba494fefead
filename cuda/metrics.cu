#include <pliant/core/kernels/metrics.h>

#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

template <class T>
void top_k(std::int64_t rows, std::int64_t classes, std::int64_t k, const T* scores,
           const std::int64_t* labels, double* right) {
  cuda::each("in_top_k", rows, [=] __device__(std::int64_t i) {
    right[i] = is_in_top_k(i, classes, k, scores, labels);
  });
}

// Whole numbers add up to the same in any order, so these may meet.
void confusion(const ConfusionGeometry& g, const std::int64_t* guesses, const std::int64_t* labels,
               std::int64_t* counts) {
  cuda::each("ConfusionMatrix", g.count, [=] __device__(std::int64_t i) {
    const std::int64_t cell = confusion_cell(g, i, guesses, labels);
    if (cell >= 0) atomicAdd(reinterpret_cast<unsigned long long*>(counts) + cell, 1ULL);
  });
}

}  // namespace

constinit FloatKernel<InTopK> cuda::in_top_k{top_k, top_k};
constinit Kernel<CountConfusion> cuda::count_confusion{confusion};

}  // namespace pliant
