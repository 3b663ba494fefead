#include <pliant/data/polygon.h>

#include <algorithm>
#include <cmath>

namespace pliant {
namespace {

// The first column whose centre lies at or beyond x, inside 0 .. width.
std::int64_t first_column(double x, std::int64_t width) {
  return static_cast<std::int64_t>(std::ceil(std::clamp(x - 0.5, 0.0, static_cast<double>(width))));
}

// Where the polygon's edges cross the line through the centres of a row, from left to right.
void find_crossings(const Polygon& polygon, double y, std::vector<double>& crossings) {
  crossings.clear();
  for (std::size_t i = 0; i < polygon.size(); ++i) {
    const Point& a = polygon[i];
    const Point& b = polygon[i + 1 == polygon.size() ? 0 : i + 1];
    if ((a.y <= y) == (b.y <= y)) continue;
    crossings.push_back(a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x));
  }
  std::sort(crossings.begin(), crossings.end());
}

}  // namespace

Tensor polygon_mask(std::span<const Polygon> polygons, std::int64_t height, std::int64_t width) {
  for (const Polygon& polygon : polygons)
    for (const Point& corner : polygon)
      require(std::isfinite(corner.x) && std::isfinite(corner.y), "polygon_mask: a corner is at ",
              corner.x, ", ", corner.y);
  Tensor mask = Tensor::zeros({height, width}, DType::uint8);
  std::uint8_t* const to = mask.mutable_data<std::uint8_t>();
  std::vector<double> crossings;
  for (const Polygon& polygon : polygons)
    for (std::int64_t r = 0; r < height; ++r) {
      find_crossings(polygon, static_cast<double>(r) + 0.5, crossings);
      for (std::size_t i = 0; i + 1 < crossings.size(); i += 2)
        std::fill(to + r * width + first_column(crossings[i], width),
                  to + r * width + first_column(crossings[i + 1], width), std::uint8_t{1});
    }
  return mask;
}

}  // namespace pliant
