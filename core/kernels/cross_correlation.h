// Depthwise cross-correlation of each image with a template of its own: geometry and signatures.
//
//   y[n,p,q,c] = sum over r,s of search[n,p+r,q+s,c] * pattern[n,r,s,c]
//
// without padding. The head of the Siamese trackers (SiamRPN++, Li et al. 2019).
#pragma once

#include <cstdint>

#include <pliant/core/kernel.h>
#include <pliant/core/kernels/workspace.h>

namespace pliant {

struct CrossCorrelationGeometry {
  std::int64_t n, h, w, c;  // search [n h w c]
  std::int64_t r, s;        // pattern [n r s c], no larger than the search map

  // y is [n p q c].
  std::int64_t p() const { return h - r + 1; }
  std::int64_t q() const { return w - s + 1; }
};

template <class T>
using CrossCorrelationForward = void(const CrossCorrelationGeometry&, const T* search,
                                     const T* pattern, T* y, Workspace&);
template <class T>
using CrossCorrelationSearchGradient = void(const CrossCorrelationGeometry&, const T* dy,
                                            const T* pattern, T* dsearch, Workspace&);
template <class T>
using CrossCorrelationPatternGradient = void(const CrossCorrelationGeometry&, const T* search,
                                             const T* dy, T* dpattern, Workspace&);

namespace cpu {
extern FloatKernel<CrossCorrelationForward> cross_correlation_forward;
extern FloatKernel<CrossCorrelationSearchGradient> cross_correlation_search_gradient;
extern FloatKernel<CrossCorrelationPatternGradient> cross_correlation_pattern_gradient;
}  // namespace cpu

namespace cuda {
extern FloatKernel<CrossCorrelationForward> cross_correlation_forward;
extern FloatKernel<CrossCorrelationSearchGradient> cross_correlation_search_gradient;
extern FloatKernel<CrossCorrelationPatternGradient> cross_correlation_pattern_gradient;
}  // namespace cuda

}  // namespace pliant
