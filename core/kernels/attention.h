// Attention by scaled dot products (Vaswani et al. 2017): geometry, formulas of one element and
// signatures. For every matrix of the batch
//
//   score[i,j] = scale * (query[i] . key[j]) + bias[i,j]          (-infinity where j > i, if causal)
//   weight[i,j] = exp(score[i,j] - max_i) / sum_i                 over all j
//   y[i] = sum_j dropped(weight[i,j]) value[j]
//
// No kernel holds all scores at once: they are made by blocks, with max_i and sum_i kept up as the
// blocks come (Milakov and Gimelshein 2018; Dao et al. 2022), and made again for the gradient. A
// row that may attend to nothing has the weights 0.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include <pliant/core/kernel.h>
#include <pliant/core/kernels/dropout.h>
#include <pliant/core/kernels/exponential.h>
#include <pliant/core/kernels/workspace.h>
#include <pliant/core/portable.h>
#include <pliant/core/shape.h>

namespace pliant {

// Where the bias of a batch's matrices lies, which is broadcast to them.
struct AttentionBias {
  int rank = 0;  // of the batch
  std::int64_t extent[Shape::kMaxRank] = {}, stride[Shape::kMaxRank] = {};
  std::int64_t row = 0, column = 0;  // strides of a matrix

  PLIANT_HD std::int64_t start(std::int64_t batch) const {
    std::int64_t at = 0;
    for (int axis = rank - 1; axis >= 0; --axis) {
      at += batch % extent[axis] * stride[axis];
      batch /= extent[axis];
    }
    return at;
  }
};

struct AttentionGeometry {
  std::int64_t batch, l, s, e, v;  // query [batch l e], key [batch s e], value [batch s v]
  double scale = 1;
  bool is_causal = false;
  AttentionBias bias = {};
  DropoutGeometry dropout = {0, Rng(), 0};  // of weight [batch l s], n of them or none

  // How many keys row i may attend to, from the first on.
  PLIANT_HD std::int64_t keys_of(std::int64_t i) const {
    return is_causal && i + 1 < s ? i + 1 : s;
  }
};

// The running maximum of a row's scores, and the sum of exp(score - max).
template <class T>
struct ScoreSum {
  T max = -std::numeric_limits<T>::infinity();
  T sum = 0;

  PLIANT_HD static T base(T max) { return max == -std::numeric_limits<T>::infinity() ? T(0) : max; }
  // What the sum is multiplied by where the maximum grows.
  PLIANT_HD T shrunk(T larger) const {
    return max == larger ? T(1) : exponential(max - base(larger));
  }
  PLIANT_HD ScoreSum joined(const ScoreSum& other) const {
    const T larger = max > other.max ? max : other.max;
    return {larger, sum * shrunk(larger) + other.sum * other.shrunk(larger)};
  }
};

// What the weights of a row are made with again.
template <class T>
struct AttentionRow {
  T base, inverse;

  PLIANT_HD static AttentionRow of(const ScoreSum<T>& all) {
    return {ScoreSum<T>::base(all.max), all.sum == T(0) ? T(0) : T(1) / all.sum};
  }
  PLIANT_HD T weight(T score) const { return exponential(score - base) * inverse; }
};

// The gradient by a score, from that by its weight and the row's sum of weight * its gradient.
template <class T>
PLIANT_HD T score_gradient(T weight, T dweight, T along) {
  return weight * (dweight - along);
}

template <class T>
struct AttentionForwardArgs {
  const T *query, *key, *value;
  const T* bias;          // or null
  T* y;                   // [batch l v]
  AttentionRow<T>* rows;  // [batch l]
};
template <class T>
using AttentionForward = void(const AttentionGeometry&, const AttentionForwardArgs<T>&, Workspace&);

// Each of the results may be null. dbias [batch l s] is that of every score.
template <class T>
struct AttentionGradientArgs {
  const T *query, *key, *value;
  const T* bias;  // or null
  const T* y;
  const AttentionRow<T>* rows;
  const T* dy;
  T *dquery, *dkey, *dvalue, *dbias;
};
template <class T>
using AttentionGradient = void(const AttentionGeometry&, const AttentionGradientArgs<T>&,
                               Workspace&);

namespace cpu {
extern FloatKernel<AttentionForward> attention_forward;
extern FloatKernel<AttentionGradient> attention_gradient;
}  // namespace cpu

namespace cuda {
extern FloatKernel<AttentionForward> attention_forward;
extern FloatKernel<AttentionGradient> attention_gradient;
}  // namespace cuda

}  // namespace pliant
