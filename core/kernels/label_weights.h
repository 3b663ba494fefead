// What the labels of a loss mean, row by row: which class, and how much the row counts.
#pragma once

#include <cstdint>

#include <pliant/core/kernel.h>
#include <pliant/core/portable.h>

namespace pliant {

struct LabelGeometry {
  std::int64_t rows = 0, classes = 0;
  std::int64_t ignore_index = -100;  // rows with this label do not count
};

// Row i: index[i] is its class and share[i] that class's weight [classes], 1 where `weight` is
// null; 0 and 0 of a row that does not count. A label that is no class (a GPU's are not checked
// before) stays one in the index.
template <class T>
PLIANT_HD void label_weight(const LabelGeometry& g, std::int64_t i, const std::int64_t* labels,
                            const T* weight, std::int64_t* index, T* share) {
  const std::int64_t label = labels[i];
  const bool counts = label != g.ignore_index, known = label >= 0 && label < g.classes;
  index[i] = counts ? label : 0;
  share[i] = !counts ? T(0) : weight == nullptr || !known ? T(1) : weight[label];
}

template <class T>
using LabelWeights = void(const LabelGeometry&, const std::int64_t* labels, const T* weight,
                          std::int64_t* index, T* share);

namespace cpu {
extern FloatKernel<LabelWeights> label_weights;
}  // namespace cpu

namespace cuda {
extern FloatKernel<LabelWeights> label_weights;
}  // namespace cuda

}  // namespace pliant
