// Boxes, polygons and whole samples under a Warp.
#include <algorithm>
#include <cmath>
#include <cstring>

#include <pliant/data/warp.h>

namespace pliant {
namespace {

struct Bounds {
  double x1, y1, x2, y2;
  double area() const { return std::max(0.0, x2 - x1) * std::max(0.0, y2 - y1); }
};

Bounds bounds_after(const float* box, const Affine& map, TurnedBox turned) {
  const double half_x = (static_cast<double>(box[2]) - box[0]) / 2;
  const double half_y = (static_cast<double>(box[3]) - box[1]) / 2;
  const Point centre = map({box[0] + half_x, box[1] + half_y});
  // Of the corners the farthest, or of the ellipse; the same where nothing is turned or sheared.
  const auto reach = [&](double along, double across) {
    return turned == TurnedBox::corners ? std::abs(along * half_x) + std::abs(across * half_y)
                                        : std::hypot(along * half_x, across * half_y);
  };
  const double x = reach(map.xx, map.xy), y = reach(map.yx, map.yy);
  return {centre.x - x, centre.y - y, centre.x + x, centre.y + y};
}

// The rows `kept` of a tensor.
Tensor rows_of(const Tensor& tensor, const std::vector<std::int64_t>& kept) {
  Shape shape = tensor.shape();
  const std::int64_t row = shape[0] == 0 ? 0 : tensor.bytes() / shape[0];
  shape[0] = static_cast<std::int64_t>(kept.size());
  Tensor rows = Tensor::empty(shape, tensor.dtype());
  auto* to = static_cast<std::byte*>(rows.mutable_raw());
  for (const std::int64_t i : kept) {
    std::memcpy(to, static_cast<const std::byte*>(tensor.raw()) + i * row,
                static_cast<std::size_t>(row));
    to += row;
  }
  return rows;
}

// The rows of what there is of a sample's tensors.
void keep_rows(Tensor& tensor, const std::vector<std::int64_t>& kept) {
  if (tensor.defined()) tensor = rows_of(tensor, kept);
}

}  // namespace

Polygon warp_polygon(const Polygon& polygon, const Warp& warp) {
  Polygon moved;
  moved.reserve(polygon.size());
  for (const Point& corner : polygon) moved.push_back(warp.map()(corner));
  return moved;
}

WarpedBoxes warp_boxes(const Tensor& boxes, const Warp& warp, TurnedBox turned) {
  require(boxes.defined() && boxes.rank() == 2 && boxes.dim(1) == 4 &&
              boxes.dtype() == DType::float32 && boxes.device().is_cpu(),
          "warp_boxes: needs float32 [N 4] on the cpu, got ", boxes);
  WarpedBoxes moved{Tensor::empty(boxes.shape()), {}};
  const float* from = boxes.data<float>();
  float* to = moved.boxes.mutable_data<float>();
  const auto width = static_cast<double>(warp.width()), height = static_cast<double>(warp.height());
  for (std::int64_t i = 0; i < boxes.dim(0); ++i, from += 4) {
    const Bounds whole = bounds_after(from, warp.map(), turned);
    const Bounds cut = {std::clamp(whole.x1, 0.0, width), std::clamp(whole.y1, 0.0, height),
                        std::clamp(whole.x2, 0.0, width), std::clamp(whole.y2, 0.0, height)};
    for (const double v : {cut.x1, cut.y1, cut.x2, cut.y2}) *to++ = static_cast<float>(v);
    moved.visible.push_back(whole.area() > 0 ? cut.area() / whole.area() : 0.0);
  }
  return moved;
}

LabelledImage warped(const LabelledImage& sample, const Warp& warp, const WarpOptions& options) {
  return {warp_image(sample.image, warp, options.fill), sample.label};
}

SegmentationSample warped(const SegmentationSample& sample, const Warp& warp,
                          const WarpOptions& options) {
  return {warp_image(sample.image, warp, options.fill),
          warp_mask(sample.mask, warp, options.ignore), sample.id};
}

DetectionSample warped(const DetectionSample& sample, const Warp& warp,
                       const WarpOptions& options) {
  DetectionSample moved = sample;
  moved.image = warp_image(sample.image, warp, options.fill);
  const WarpedBoxes boxes = warp_boxes(sample.boxes, warp, options.turned);
  std::vector<std::int64_t> kept;
  for (std::size_t i = 0; i < boxes.visible.size(); ++i)
    if (boxes.visible[i] > 0 && boxes.visible[i] >= options.least_visible)
      kept.push_back(static_cast<std::int64_t>(i));
  moved.boxes = rows_of(boxes.boxes, kept);
  for (Tensor DetectionSample::*part : {&DetectionSample::labels, &DetectionSample::difficult,
                                        &DetectionSample::crowd, &DetectionSample::masks})
    keep_rows(moved.*part, kept);
  if (moved.masks.defined()) moved.masks = warp_mask(moved.masks, warp, 0);
  moved.polygons.clear();
  moved.areas.clear();
  const Affine& map = warp.map();
  const double larger = std::abs(map.xx * map.yy - map.xy * map.yx);
  for (std::size_t k = 0; k < kept.size(); ++k) {
    const auto i = static_cast<std::size_t>(kept[k]);
    if (moved.difficult.defined() && boxes.visible[i] < options.clearly_visible)
      moved.difficult.mutable_data<std::uint8_t>()[k] = 1;
    if (!sample.areas.empty()) moved.areas.push_back(larger * sample.areas[i]);
    if (sample.polygons.empty()) continue;
    std::vector<Polygon>& polygons = moved.polygons.emplace_back();
    for (const Polygon& polygon : sample.polygons[i])
      polygons.push_back(warp_polygon(polygon, warp));
  }
  return moved;
}

}  // namespace pliant
