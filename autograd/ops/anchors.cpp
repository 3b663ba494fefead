#include <pliant/autograd/ops/anchors.h>

#include <algorithm>
#include <cmath>

#include <pliant/core/sizes.h>

namespace pliant {
namespace {

using Numbers = std::vector<double>;

void require_positive(const char* op, const char* what, const Numbers& numbers) {
  require(!numbers.empty(), op, ": no ", what, ", expected at least one");
  for (const double number : numbers)
    require(number > 0 && std::isfinite(number), op, ": one of the ", what, " is ", number,
            ", expected a positive number");
}

void require_grid(const char* op, std::int64_t size, std::int64_t stride) {
  require(size >= 0 && stride >= 1, op, ": ", size, " places ", stride,
          " pixels apart, expected at least 0 and 1");
  require_pixels(op, "size and stride", 0, {size, stride});
}

void add(Numbers& all, std::initializer_list<double> box) {
  all.insert(all.end(), box.begin(), box.end());
}

Tensor boxes(const Numbers& all, const Shape& shape, DType dtype) {
  return Tensor::from(all, shape).to(dtype);
}

Tensor rows(const Numbers& all, DType dtype) {
  return boxes(all, {static_cast<std::int64_t>(all.size() / 4), 4}, dtype);
}

}  // namespace

Tensor cell_anchors(const Numbers& sizes, const Numbers& ratios, DType dtype) {
  require_positive("cell_anchors", "sizes", sizes);
  require_positive("cell_anchors", "ratios", ratios);
  Numbers all;
  for (const double ratio : ratios)
    for (const double size : sizes) {
      const double tall = std::sqrt(ratio);
      const double w = std::nearbyint(1 / tall * size / 2), h = std::nearbyint(tall * size / 2);
      add(all, {-w, -h, w, h});
    }
  return rows(all, dtype);
}

Tensor classic_cell_anchors(std::int64_t base, const Numbers& ratios, const Numbers& scales,
                            DType dtype) {
  const char* const op = "classic_cell_anchors";
  require_positive(op, "bases", {static_cast<double>(base)});
  require_positive(op, "ratios", ratios);
  require_positive(op, "scales", scales);
  const auto side = static_cast<double>(base);
  const double centre = (side - 1) / 2;
  Numbers all;
  for (const double ratio : ratios) {
    const double w = std::nearbyint(std::sqrt(side * side / ratio)), h = std::nearbyint(w * ratio);
    for (const double scale : scales) {
      const double x = (w * scale - 1) / 2, y = (h * scale - 1) / 2;
      add(all, {centre - x, centre - y, centre + x, centre + y});
    }
  }
  return rows(all, dtype);
}

Tensor grid_anchors(const Tensor& cells, Size2 map, Size2 stride) {
  const char* const op = "grid_anchors";
  require(cells.defined() && cells.rank() == 2 && cells.dim(1) == 4, op,
          ": expected cells [K 4], got ", cells);
  require_grid(op, map.h, stride.h);
  require_grid(op, map.w, stride.w);
  checked_product(op, {map.h, map.w, cells.size()});
  const Numbers cell = cells.to_vector();
  Numbers all;
  for (std::int64_t r = 0; r < map.h; ++r)
    for (std::int64_t c = 0; c < map.w; ++c)
      for (std::size_t i = 0; i < cell.size(); ++i)
        all.push_back(cell[i] + static_cast<double>(i % 2 == 0 ? c * stride.w : r * stride.h));
  return rows(all, cells.dtype());
}

Tensor siamrpn_anchors(const SiamRPNAnchors& o, DType dtype) {
  const char* const op = "siamrpn_anchors";
  require_positive(op, "ratios", o.ratios);
  require_positive(op, "scales", o.scales);
  require_grid(op, o.size, o.stride);
  const auto stride = static_cast<double>(o.stride);
  const double first = o.centre - static_cast<double>(o.size / 2) * stride;
  Numbers all;
  for (const double ratio : o.ratios)
    for (const double scale : o.scales) {
      const double w = std::trunc(std::sqrt(stride * stride / ratio)), h = std::trunc(w * ratio);
      for (std::int64_t r = 0; r < o.size; ++r)
        for (std::int64_t c = 0; c < o.size; ++c)
          add(all, {first + static_cast<double>(c) * stride,
                    first + static_cast<double>(r) * stride, w * scale, h * scale});
    }
  const auto count = static_cast<std::int64_t>(o.ratios.size() * o.scales.size());
  return boxes(all, {count, o.size, o.size, 4}, dtype);
}

Tensor siamrpn_classic_anchors(const SiamRPNClassicAnchors& o, DType dtype) {
  const char* const op = "siamrpn_classic_anchors";
  require_positive(op, "ratios", o.ratios);
  require_positive(op, "bases", {o.base});
  require_grid(op, o.size, o.stride);
  const auto first = static_cast<double>((o.stride - 1) / 2);
  const auto at = [&](std::int64_t i) { return first + static_cast<double>(i * o.stride); };
  Numbers all;
  for (std::int64_t r = 0; r < o.size; ++r)
    for (std::int64_t c = 0; c < o.size; ++c)
      for (const double ratio : o.ratios)
        add(all, {at(c), at(r), std::sqrt(o.base * o.base / ratio) - 1,
                  std::sqrt(o.base * o.base * ratio) - 1});
  return rows(all, dtype);
}

}  // namespace pliant
