// What the ops on regions of interest check in common.
#pragma once

#include <pliant/autograd/internal/checks.h>
#include <pliant/autograd/ops/conv2d.h>
#include <pliant/core/kernels/roi.h>

namespace pliant {

// Checks the map x [N H W C] and the regions rois [R 5], which are (image index, x1, y1, x2, y2)
// with the corners in pixels of the network's input, and gives their geometry. Bins read all
// channels, or where `groups` is given C / (groups.h * groups.w) of them. A bin takes `samples` x
// `samples` samples; in all no more than kMostOperations. On the CPU an image index
// that is none and a coordinate that is not finite are Errors; elsewhere such a region's result is
// NaN, without gradient.
RoIGeometry roi_geometry(const char* op, const Var& x, const Tensor& rois, Size2 bins,
                         double spatial_scale, Size2 groups = 1, std::int64_t samples = 1);

}  // namespace pliant
