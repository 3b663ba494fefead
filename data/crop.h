// Where a picture is cut and how: the square about a target, and the fixed crop of an evaluation.
#pragma once

#include <cstdint>
#include <vector>

#include <pliant/core/tensor.h>

namespace pliant {

// The mean of each channel of an image [H W C], uint8.
std::vector<double> channel_means(const Tensor& image);

// The square of `size` pixels about (cx, cy) of an image [H W C], uint8 -> [size size C]. Its first
// column is floor(cx - (size + 1)/2 + 0.5), rows alike; pixels outside the image have the border's
// values, one for each channel, cut to whole numbers (pysot's get_subwindow).
struct SquareCrop {
  std::int64_t left = 0, top = 0;
  Tensor image;
};
SquareCrop crop_square(const Tensor& image, double cx, double cy, std::int64_t size,
                       const std::vector<double>& border);

// The crop of a segmentation's evaluation: the short side is made `size` long, the other one after
// it (cut to a whole number), and the middle size x size is taken, from (left, top) of the resized
// image on, rounded with halves to even.
struct CentreCrop {
  std::int64_t width = 0, height = 0;  // of the resized image
  std::int64_t left = 0, top = 0;
};
CentreCrop centre_crop(std::int64_t width, std::int64_t height, std::int64_t size);

}  // namespace pliant
