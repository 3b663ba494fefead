#include <pliant/core/kernels/label_weights.h>

#include <pliant/cuda/launch.cuh>

namespace pliant {
namespace {

template <class T>
void all_rows(const LabelGeometry& g, const std::int64_t* labels, const T* weight,
              std::int64_t* index, T* share) {
  cuda::each("label_weights", g.rows,
             [=] __device__(std::int64_t i) { label_weight(g, i, labels, weight, index, share); });
}

}  // namespace

constinit FloatKernel<LabelWeights> cuda::label_weights{all_rows, all_rows};

}  // namespace pliant
