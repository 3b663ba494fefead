// Deformable RoI pooling (Dai 2017; with a mask, Zhu 2018), plain or position-sensitive.
#pragma once

#include <pliant/autograd/tape.h>

namespace pliant {

enum class DeformRoIRule : unsigned char {
  original,   // of the first operator: corners are rounded, samples outside the map do not count
  roi_align,  // of mmcv's deform_roi_pool: roi_align() with pixel centres half a pixel in
};

struct DeformRoIPoolOptions {
  double spatial_scale = 1;          // of the map: its pixels per pixel of the network's input
  std::int64_t output_dim = 0;       // channels K of the result; 0: C / group_size^2
  std::int64_t group_size = 1;       // C = K * group_size^2; 1: every bin reads all channels
  std::int64_t pooled_size = 7;      // P: bins along each axis
  std::int64_t part_size = 0;        // cells of trans along each axis; 0: pooled_size
  std::int64_t sample_per_part = 4;  // samples of a bin along each axis; 0, by the rule roi_align:
                                     // its side, rounded up
  double trans_std = 0.1;            // a trans of 1 moves a bin by this part of its region's side
  DeformRoIRule rule = DeformRoIRule::original;
};

// Mean over the samples of each bin, times its mask (see core/kernels/deform_roi_pool.h): x [N H W C], rois [R 5] = (image index, x1, y1, x2, y2) in input
// pixels, trans [R part part 2*classes] or undefined (no bin moves), mask [R P P 1] or undefined
// (all ones) -> [R P P K]. trans holds pairs (dx, dy), x first; output channels divide evenly among
// the classes. By the original rule samples outside the map are left out of the mean, so the result
// jumps where one crosses its edge; by that of RoIAlign they count as 0 there; where a sample lies on a pixel, derivatives by trans are the right-hand ones.
// A trans that is not finite gives 0 without gradient. Regions have no gradient. An image index
// that is none or a region's coordinate that is not finite is an Error on the CPU; elsewhere its
// result is NaN.
Var deform_roi_pool(const Var& x, const Tensor& rois, const Var& trans = {}, const Var& mask = {},
                    const DeformRoIPoolOptions& options = {});

}  // namespace pliant
