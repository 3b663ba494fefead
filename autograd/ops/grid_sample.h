// Sampling of a map at places that a grid names (Jaderberg et al. 2015, Spatial Transformer
// Networks).
#pragma once

#include <pliant/autograd/tape.h>
#include <pliant/core/kernels/grid_sample.h>

namespace pliant {

struct GridSampleOptions {
  GridRule rule = GridRule::bilinear;
  Border border = Border::zeros;    // or clamp, or reflection
  GridSpan span = GridSpan::edges;  // centres: PyTorch's align_corners
};

// x [N H W C], grid [N P Q 2] -> y [N P Q C]: y[n,p,q] is x[n] at the place that grid[n,p,q] names
// as the pair (along W, along H), each -1 at one end of the map and 1 at the other. Gradients pass
// to both (nearest: none to the grid); at integer places (-1 among them where the border is
// zeros) the right-hand derivative is taken, none at or past the last pixel where it is not zeros;
// of a mirrored place (reflection) along the map, turned with it. nearest takes halves to the even
// pixel. NaN reads 0, and so does an infinite place unless the border is clamp (PyTorch's "border").
Var grid_sample(const Var& x, const Var& grid, const GridSampleOptions& options = {});

}  // namespace pliant
