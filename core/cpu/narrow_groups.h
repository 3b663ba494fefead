// Products of a convolution with its columns where weight groups have few outputs, depthwise
// convolution among them: no matrix product per group, but one pass over all channels at once.
//
//   forward            y[row][group*out + o] = bias + sum over t, i of columns[row][t][c] w[o][t][c]
//   columns' gradient  q[row][t][c] = sum over o of dy[row][group*out + o] w[o][t][c]
//   weight gradient    dw[o][t][c] += sum over rows of dy[row][group*out + o] columns[row][t][c]
//
// where c = group*in + i is a channel of the input, so that the vectors run along c; columns are
// [rows][taps][c]. Serial, to be called from inside a parallel region.
#pragma once

#include <algorithm>
#include <cstdint>

#include <pliant/core/kernels/conv2d.h>

namespace pliant::cpu {

struct NarrowGroups {
  std::int64_t groups, in, out, taps;

  explicit NarrowGroups(const Conv2dGeometry& g)
      : groups(g.groups), in(g.c / g.groups), out(g.k / g.groups), taps(g.r * g.s) {}
  // Some of the groups.
  NarrowGroups(const NarrowGroups& all, std::int64_t count) : NarrowGroups(all) { groups = count; }

  std::int64_t channels() const { return groups * in; }
  std::int64_t outputs() const { return groups * out; }
  std::int64_t weights() const { return out * taps * channels(); }
  std::int64_t weight_index(std::int64_t o, std::int64_t t, std::int64_t c) const {
    return (o * taps + t) * channels() + c;
  }
  static constexpr std::int64_t kTile = 16;  // rows of columns that stay in the first cache
  // Rows that are worked on together, and elements of scratch memory for them.
  static constexpr std::int64_t kRows = 8;
  std::int64_t scratch_size() const { return kRows * out * channels(); }
};

// Whether groups are too narrow for matrix products: these fill vectors of 16 outputs.
inline bool has_narrow_groups(const Conv2dGeometry& g) {
  return g.groups > 1 && g.k / g.groups < 16;
}

// The functions below exist for T = float and double.

// The weights [k][taps][in] of `g` from group `first` on as [out][taps][channels], and back.
template <class T>
void arrange_narrow(const NarrowGroups& g, std::int64_t first, const T* weight, T* arranged);
template <class T>
void restore_narrow(const NarrowGroups& g, const double* arranged, T* weight);

// bias may be null; y has row stride `outputs()`.
template <class T>
void narrow_forward(const NarrowGroups& g, std::int64_t rows, const T* columns, const T* arranged,
                    const T* bias, T* y, T* scratch);

// dy points to the first group's outputs and has row stride `dy_stride`.
template <class T>
void narrow_columns_gradient(const NarrowGroups& g, std::int64_t rows, const T* dy,
                             std::int64_t dy_stride, const T* arranged, T* columns_gradient,
                             T* scratch);

// Adds to arranged_gradient, which many rows go to and float64 holds; dy as above.
template <class T>
void narrow_weight_gradient(const NarrowGroups& g, std::int64_t rows, const T* dy,
                            std::int64_t dy_stride, const T* columns, double* arranged_gradient,
                            T* scratch);

}  // namespace pliant::cpu
