// Points and polygons in a picture, in pixels: x to the right, y down, and the pixel of row r and
// column c covers [c, c + 1] x [r, r + 1]. So do boxes: x1, y1, x2, y2.
#pragma once

#include <vector>

namespace pliant {

struct Point {
  double x = 0, y = 0;
};

// Its corners in order; the last is joined with the first.
using Polygon = std::vector<Point>;

}  // namespace pliant
