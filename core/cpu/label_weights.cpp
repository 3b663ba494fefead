#include <pliant/core/kernels/label_weights.h>

namespace pliant {
namespace {

template <class T>
void all_rows(const LabelGeometry& g, const std::int64_t* labels, const T* weight,
              std::int64_t* index, T* share) {
  for (std::int64_t i = 0; i < g.rows; ++i) label_weight(g, i, labels, weight, index, share);
}

}  // namespace

constinit FloatKernel<LabelWeights> cpu::label_weights{all_rows, all_rows};

}  // namespace pliant
