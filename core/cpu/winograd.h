// Winograd's convolution F(2x2, 3x3) on the CPU (Lavin and Gray, "Fast Algorithms for Convolutional
// Neural Networks", 2016): four neighbouring outputs of a 3x3 filter by 16 products instead of 36.
//
// A tile of 2x2 outputs reads a patch d of 4x4 inputs. With the transforms
//
//   B^T = 1  0 -1  0     G =  1   0   0     A^T = 1  1  1  0
//         0  1  1  0         1/2 1/2 1/2          0  1 -1 -1
//         0 -1  1  0         1/2-1/2 1/2
//         0  1  0 -1          0   0   1
//
// a channel's part of the outputs is A^T [(G g G^T) . (B^T d B)] A, so that the sum over channels
// is a product of matrices at each of the 16 positions. The gradients are the transposes of the
// same.
#pragma once

#include <cstdint>
#include <vector>

#include <pliant/core/kernels/conv2d.h>

namespace pliant::cpu {

// Whether it pays: with few channels the transforms cost what the products save, and a map of odd
// size has tiles that stand half outside. Does not depend on the batch, whose images would else
// have other bits in company than alone.
inline bool has_winograd(const Conv2dGeometry& g) {
  constexpr std::int64_t kChannels = 32;
  const std::int64_t tiles = (g.p + 1) / 2 * ((g.q + 1) / 2);
  return g.r == 3 && g.s == 3 && g.stride_h == 1 && g.stride_w == 1 && g.dilation_h == 1 &&
         g.dilation_w == 1 && g.groups == 1 && g.c >= kChannels && g.k >= kChannels &&
         3 * tiles <= g.p * g.q;
}

// The three passes; arguments as in conv2d.h. In float32 alone: float64 is for those who want the
// last digits, of which these sums lose one or two.
//
// An infinity or NaN spreads over its whole tile, also to results that do not depend on it. The
// first two give the images in which there is one, for their results to be worked out otherwise; of
// the third all are in doubt if one is not finite.
std::vector<std::int64_t> winograd_forward(const Conv2dGeometry& g, const float* x,
                                           const float* weight, const float* bias, float* y,
                                           Workspace& workspace);
std::vector<std::int64_t> winograd_data_gradient(const Conv2dGeometry& g, const float* dy,
                                                 const float* weight, float* dx,
                                                 Workspace& workspace);
void winograd_weight_gradient(const Conv2dGeometry& g, const float* x, const float* dy,
                              float* dweight, Workspace& workspace);

}  // namespace pliant::cpu
