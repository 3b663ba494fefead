// RoI pooling: the maximum of each bin (Girshick 2015), and the position-sensitive mean (Dai 2016).
#pragma once

#include <pliant/autograd/ops/conv2d.h>

namespace pliant {

struct RoIPoolOptions {
  Size2 output_size = 7;     // bins
  double spatial_scale = 1;  // of the map: its pixels per pixel of the network's input
};

// Maximum over the whole pixels of each bin, 0 where it has none: x [N H W C], rois [R 5] = (image
// index, x1, y1, x2, y2) in input pixels -> [R P Q C]. Corners are rounded (half away from zero)
// and both belong to the region. The gradient goes to the first largest pixel; NaN counts as
// largest. Regions have no gradient. An image index that is none or a coordinate that is not
// finite is an Error on the CPU; elsewhere that region's result is NaN.
Var roi_pool(const Var& x, const Tensor& rois, const RoIPoolOptions& options = {});

// Mean over the whole pixels of each bin, 0 where it has none, where bin (i, j) of P x Q and output
// channel o read input channel (o*P + i)*Q + j: x [N H W K*P*Q] -> [R P Q K]. Corners are rounded;
// the region ends before the second. A region has at least one pixel along each axis.
Var ps_roi_pool(const Var& x, const Tensor& rois, const RoIPoolOptions& options = {});

}  // namespace pliant
