// Warping a feature map by one offset field per channel.
#pragma once

#include <pliant/autograd/tape.h>
#include <pliant/core/kernels/bilinear.h>

namespace pliant {

struct MapOffsetsOptions {
  AtIntegers at_integers = AtIntegers::right_derivative;  // the result is the same under either
};

// y[n,h,w,c] = channel c of x at (h + offset[n,h,w,2c], w + offset[n,h,w,2c+1]), bilinear, the
// coordinate clamped to the map. x [N H W C], offset [N H W 2C] -> [N H W C]. Derivatives by an
// offset are 0 outside the map; where the coordinate is an integer they are the right-hand ones, or
// 0 as in the published code, under which offsets that start at zero never move.
Var map_offsets(const Var& x, const Var& offset, const MapOffsetsOptions& options = {});

}  // namespace pliant
