// The three passes of conv2d by cuDNN 9's graph API, in a build that has it (kHasCudnn).
#pragma once

#include <string>
#include <vector>

#include <pliant/core/conv_plans.h>
#include <pliant/core/kernels/conv2d.h>

namespace pliant::cuda {

#ifdef PLIANT_WITH_CUDNN
inline constexpr bool kHasCudnn = true;
#else
inline constexpr bool kHasCudnn = false;
#endif

enum class ConvPass : unsigned char { forward, data_gradient, weight_gradient };

// The arrays of a pass: a convolution's input, weight and output, or their gradients. The one that
// the pass computes is written: y by forward, x by data_gradient, weight by weight_gradient.
struct ConvArrays {
  const void *x, *weight, *y;
};

// Computes a pass without bias; false, and nothing done, where cuDNN has no way that gives the same
// bits in every run at the precision that gpu_options() asks for, or fails at it, which is said once
// on standard error. The way is chosen once per geometry from cuDNN's heuristics, never from timing,
// and kept. T is float, double or BFloat16.
template <class T>
bool cudnn_conv2d(ConvPass pass, const Conv2dGeometry& g, const ConvArrays& arrays,
                  Workspace& workspace);

// The ways that were chosen so far.
std::vector<ConvPlan> cudnn_conv_plans();

// The way that would be chosen on a GPU described by cuDNN's JSON of its properties, which needs
// none, for arrays aligned to 16 bytes; `tf32` concerns float.
template <class T>
ConvPlan conv_plan(ConvPass pass, const Conv2dGeometry& g, bool tf32,
                   const std::string& device_properties, std::int64_t workspace_limit);

// The most workspace that a plan may have on a GPU with so many bytes free.
std::int64_t conv_workspace_limit(std::int64_t free_bytes);

}  // namespace pliant::cuda
