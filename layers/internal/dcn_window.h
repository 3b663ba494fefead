// Where DCN v3 and v4 read, in the terms of deform_conv2d, for Observers.
#pragma once

#include <pliant/autograd/ops/dcn.h>
#include <pliant/layers/observer.h>

namespace pliant {

// Offsets and masks that deform_conv2d would read the same places by: taps row by row, (dy, dx),
// every tap of the kernel; one that is left out has mask 0. offset and mask as dcn_v3 takes them.
WindowCall dcn_window(const Shape& input, const DCNOptions& options, const Var& offset,
                      const Var& mask);
// The same of what dcn_v4 takes.
WindowCall dcn_window(const Shape& input, const DCNOptions& options, const Var& offset_mask);

}  // namespace pliant
