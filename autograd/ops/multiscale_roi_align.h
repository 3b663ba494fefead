// RoIAlign on the maps of a feature pyramid (Lin 2017).
#pragma once

#include <vector>

#include <pliant/autograd/ops/roi_align.h>

namespace pliant {

// A region of area s^2 belongs to level floor(canonical_level + log2(s / canonical_size) + 1e-6),
// brought into first .. last.
struct PyramidLevels {
  std::int64_t first = 2, last = 5;
  double canonical_size = 224;
  std::int64_t canonical_level = 4;
};

// rois [R 5] = (image index, x1, y1, x2, y2) -> int64 [R]: the levels, counted from `first` as 0.
// Read on the host. A region without area belongs to the first.
Tensor roi_levels(const Tensor& rois, const PyramidLevels& levels);

struct MultiScaleRoIAlignOptions {
  Size2 output_size = 7;
  std::vector<double> spatial_scales = {1.0 / 4, 1.0 / 8, 1.0 / 16, 1.0 / 32};  // of each map
  std::int64_t sampling_ratio = 2;
  bool aligned = false;  // as torchvision's
  double canonical_size = 224;
  std::int64_t canonical_level = 4;
};

// maps, each [N H W C] with an H and W of its own, finest first, and rois [R 5] -> [R P Q C]: each
// region from the map of its level, in the order of the regions. The scales are powers of 2 that
// halve from map to map, and name the levels: level k has scale 2^-k. (torchvision's
// MultiScaleRoIAlign, for maps with one scale in both directions)
Var multiscale_roi_align(const Vars& maps, const Tensor& rois,
                         const MultiScaleRoIAlignOptions& options = {});

}  // namespace pliant
