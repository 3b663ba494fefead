// Anchors: the boxes that a detector's predictions are steps from, on the CPU. Each rule is that of
// a published detector, to the pixel.
#pragma once

#include <vector>

#include <pliant/autograd/ops/conv2d.h>
#include <pliant/core/tensor.h>

namespace pliant {

// Cells: the anchors of one place, around the origin, [K 4] corners. A ratio is height / width;
// sizes, ratios and scales are above 0, and there is at least one of each.
//
// torchvision's: sides size / sqrt(ratio) and size * sqrt(ratio), halved and rounded (halves to
// even). All sizes of the first ratio first.
Tensor cell_anchors(const std::vector<double>& sizes, const std::vector<double>& ratios,
                    DType dtype = DType::float32);
// Of the first Faster R-CNN, whose corners name pixels: the square 0 .. base-1 in every ratio, its
// sides rounded (halves to even), times every scale. All scales of the first ratio first.
Tensor classic_cell_anchors(std::int64_t base, const std::vector<double>& ratios,
                            const std::vector<double>& scales, DType dtype = DType::float32);

// cells [K 4] at every place of a map: [H*W*K 4], row by row, column by column. Place (r, c) is
// stride.h * r pixels down and stride.w * c to the right.
Tensor grid_anchors(const Tensor& cells, Size2 map, Size2 stride);

// SiamRPN's, as centre and sides (cx, cy, w, h).
struct SiamRPNAnchors {
  std::int64_t size = 17;  // places along each axis
  std::int64_t stride = 8;
  std::vector<double> ratios = {0.33, 0.5, 1, 2, 3};
  std::vector<double> scales = {8};
  double centre = 127;  // of the search image; the place size/2 lies there
};
// pysot's, with sides of whole pixels: w = int(sqrt(stride^2 / ratio)) * scale, h = int(int(..) *
// ratio) * scale; [K size size 4], of K = ratios x scales the scales of the first ratio first.
Tensor siamrpn_anchors(const SiamRPNAnchors& options = {}, DType dtype = DType::float32);

// Of an earlier implementation (songdejia/Siamese-RPN-pytorch): the first centre at (stride - 1)/2,
// sides a pixel less than base / sqrt(ratio) and base * sqrt(ratio); [size*size*K 4], row, column,
// ratio.
struct SiamRPNClassicAnchors {
  std::int64_t size = 17;
  std::int64_t stride = 15;
  double base = 64;
  std::vector<double> ratios = {1.0 / 3, 0.5, 1, 2, 3};
};
Tensor siamrpn_classic_anchors(const SiamRPNClassicAnchors& options = {},
                               DType dtype = DType::float32);

}  // namespace pliant
