// Warping a feature map by one offset field per channel.
#pragma once

#include <pliant/autograd/tape.h>

namespace pliant {

// y[n,h,w,c] = channel c of x at (h + offset[n,h,w,2c], w + offset[n,h,w,2c+1]), bilinear, the
// coordinate clamped to the map. x [N H W C], offset [N H W 2C] -> [N H W C]. Derivatives by an
// offset are the right-hand ones at integers and 0 outside the map.
Var map_offsets(const Var& x, const Var& offset);

}  // namespace pliant
