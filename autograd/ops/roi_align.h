// RoIAlign (He 2017), and its position-sensitive form.
#pragma once

#include <pliant/autograd/ops/conv2d.h>

namespace pliant {

struct RoIAlignOptions {
  Size2 output_size = 7;            // bins
  double spatial_scale = 1;         // of the map: its pixels per pixel of the network's input
  std::int64_t sampling_ratio = 0;  // samples of a bin along each axis; 0: its side, rounded up
  // true: pixel centres lie half a pixel in (the corrected rule). false: the first rule, without
  // that half pixel and with region sides of at least 1.
  bool aligned = true;
};

// Mean over samples that lie evenly in each bin: x [N H W C], rois [R 5] = (image index, x1, y1,
// x2, y2) in input pixels -> [R P Q C]. Bilinear, clamped to the map; a sample more than a pixel
// outside [0, H-1] x [0, W-1] (as torchvision has it: outside [-1, H] x [-1, W]) counts as 0.
// Regions have no gradient. An image index that is none or a coordinate that is not finite is an
// Error on the CPU; elsewhere that region's result is NaN.
Var roi_align(const Var& x, const Tensor& rois, const RoIAlignOptions& options = {});

struct PSRoIAlignOptions {
  Size2 output_size = 7;
  double spatial_scale = 1;
  std::int64_t sampling_ratio = 0;
};

// The same with pixel centres half a pixel in, where bin (i, j) of P x Q and output channel o read
// input channel (o*P + i)*Q + j: x [N H W K*P*Q] -> [R P Q K].
Var ps_roi_align(const Var& x, const Tensor& rois, const PSRoIAlignOptions& options = {});

}  // namespace pliant
