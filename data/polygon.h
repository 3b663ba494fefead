// Points and polygons in a picture, in pixels: x to the right, y down, and the pixel of row r and
// column c covers [c, c + 1] x [r, r + 1]. So do boxes: x1, y1, x2, y2.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <pliant/core/tensor.h>

namespace pliant {

struct Point {
  double x, y;
};

// Its corners in order; the last is joined with the first.
using Polygon = std::vector<Point>;

// uint8 [height width]: 1 where a pixel's centre lies inside one of the polygons (by the even-odd
// rule), else 0. A corner that is no finite number is an Error.
Tensor polygon_mask(std::span<const Polygon> polygons, std::int64_t height, std::int64_t width);

}  // namespace pliant
