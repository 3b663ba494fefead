// Statistics of the channels of x [n rows c], for each of n images apart (batch normalisation has
// one): in double, by a tree whose shape follows from the geometry alone.
#pragma once

#include <cstdint>

#include <pliant/core/bfloat16.h>
#include <pliant/core/kernels/norm_scale.h>
#include <pliant/core/kernels/workspace.h>

namespace pliant::cuda {

struct ChannelsGeometry {
  std::int64_t n, rows, c;
};

// Of each image the means [c], then the sums of squared deviations [c]; 0 where there are no rows.
template <class T>
const double* channel_moments(const char* op, const ChannelsGeometry& g, const T* x,
                              Workspace& workspace);

// Of each image the sums of dy [c], then those of dy * row.deviation(x) [c], or 0 where x is null;
// row [n c], null with x. They exist for T = float, double and BFloat16.
template <class T>
const double* channel_gradient_sums(const char* op, const ChannelsGeometry& g, const T* x,
                                    const T* dy, const NormRow<Wide<T>>* row, Workspace& workspace);

}  // namespace pliant::cuda
