// Polygons as masks.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <pliant/core/polygon.h>
#include <pliant/core/tensor.h>

namespace pliant {

// uint8 [height width]: 1 where a pixel's centre lies inside one of the polygons (by the even-odd
// rule), else 0. A corner that is no finite number is an Error.
Tensor polygon_mask(std::span<const Polygon> polygons, std::int64_t height, std::int64_t width);

}  // namespace pliant
