// Which of cuDNN's engines compute this process's convolutions on the GPU: for figures beside times.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <pliant/core/portable.h>

namespace pliant {

struct ConvPlan {
  std::string convolution;     // what it computes, in words
  std::int64_t engine = -1;    // cuDNN's number; -1: none, columns take its place
  std::int64_t workspace = 0;  // bytes
  std::string refusal = {};    // why there is none
};

namespace cuda {
std::vector<ConvPlan> conv_plans();
}  // namespace cuda

// Of every geometry so far; none on the CPU and without cuDNN.
inline std::vector<ConvPlan> conv_plans() {
  if constexpr (kHasCuda) return cuda::conv_plans();
  return {};
}

}  // namespace pliant
