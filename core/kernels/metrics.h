// What classifiers are judged by, counted where their results are.
#pragma once

#include <cstdint>
#include <limits>

#include <pliant/core/kernel.h>
#include <pliant/core/kernels/takes_over.h>
#include <pliant/core/portable.h>

namespace pliant {

// Whether the label of row i is among the k largest scores [rows classes], equals in the order of
// the classes: 1 or 0. NaN for a label that is no class (a GPU's are not checked before).
template <class T>
PLIANT_HD double is_in_top_k(std::int64_t i, std::int64_t classes, std::int64_t k, const T* scores,
                             const std::int64_t* labels) {
  const std::int64_t label = labels[i];
  if (label < 0 || label >= classes) return std::numeric_limits<double>::quiet_NaN();
  const T* const row = scores + i * classes;
  std::int64_t before = 0;
  for (std::int64_t c = 0; c < classes; ++c)
    if (c < label ? !takes_over(row[label], row[c]) : takes_over(row[c], row[label])) ++before;
  return before < k ? 1 : 0;
}

template <class T>
using InTopK = void(std::int64_t rows, std::int64_t classes, std::int64_t k, const T* scores,
                    const std::int64_t* labels, double* right);

struct ConfusionGeometry {
  std::int64_t count = 0, classes = 0;
  bool ignores = false;
  std::int64_t ignored = 0;  // the label that is not counted, if it ignores one
};

// The cell of counts [classes * classes + 1] that element i belongs to: its label's row and its
// guess's column; the last one where either is no class; -1 where it is not counted.
PLIANT_HD inline std::int64_t confusion_cell(const ConfusionGeometry& g, std::int64_t i,
                                             const std::int64_t* guesses,
                                             const std::int64_t* labels) {
  const std::int64_t guess = guesses[i], label = labels[i];
  if (g.ignores && label == g.ignored) return -1;
  const bool known = guess >= 0 && guess < g.classes && label >= 0 && label < g.classes;
  return known ? label * g.classes + guess : g.classes * g.classes;
}

// Adds to the counts.
using CountConfusion = void(const ConfusionGeometry&, const std::int64_t* guesses,
                            const std::int64_t* labels, std::int64_t* counts);

namespace cpu {
extern FloatKernel<InTopK> in_top_k;
extern Kernel<CountConfusion> count_confusion;
}  // namespace cpu

namespace cuda {
extern FloatKernel<InTopK> in_top_k;
extern Kernel<CountConfusion> count_confusion;
}  // namespace cuda

}  // namespace pliant
