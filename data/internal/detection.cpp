#include <pliant/data/internal/detection.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include <pliant/data/rle.h>

namespace pliant {
namespace {

Tensor masks_of(const DetectionPicture& picture) {
  const std::int64_t height = picture.height, width = picture.width;
  const auto count = static_cast<std::int64_t>(picture.objects.size());
  Tensor masks = Tensor::empty({count, height, width}, DType::uint8);
  std::uint8_t* to = masks.mutable_data<std::uint8_t>();
  for (const DetectionObject& object : picture.objects) {
    const Tensor one = object.runs.empty() ? polygon_mask(object.polygons, height, width)
                                           : rle_mask(object.runs, height, width);
    std::memcpy(to, one.raw(), static_cast<std::size_t>(one.bytes()));
    to += one.bytes();
  }
  return masks;
}

}  // namespace

void clip_objects(DetectionPicture& picture) {
  const auto width = static_cast<double>(picture.width);
  const auto height = static_cast<double>(picture.height);
  for (DetectionObject& object : picture.objects) {
    std::array<double, 4>& box = object.box;
    for (const std::size_t x : {0U, 2U}) box[x] = std::clamp(box[x], 0.0, width);
    for (const std::size_t y : {1U, 3U}) box[y] = std::clamp(box[y], 0.0, height);
  }
  picture.dropped +=
      static_cast<std::int64_t>(std::erase_if(picture.objects, [](const DetectionObject& object) {
        return !(object.box[2] > object.box[0] && object.box[3] > object.box[1]);
      }));
}

DetectionSample read_sample(const DetectionPicture& picture, ImageColour colour, bool masks) {
  DetectionSample sample;
  sample.image = read_image(picture.path, colour);
  sample.height = sample.image.dim(0);
  sample.width = sample.image.dim(1);
  require(sample.height == picture.height && sample.width == picture.width, picture.path.string(),
          ": the picture, upright, is ", sample.width, " x ", sample.height,
          " pixels, its annotation says ", picture.width, " x ", picture.height);
  const auto count = static_cast<std::int64_t>(picture.objects.size());
  sample.boxes = Tensor::empty({count, 4});
  sample.labels = Tensor::empty({count}, DType::int64);
  sample.difficult = Tensor::empty({count}, DType::uint8);
  sample.crowd = Tensor::empty({count}, DType::uint8);
  sample.id = picture.id;
  for (std::int64_t i = 0; i < count; ++i) {
    const DetectionObject& object = picture.objects[static_cast<std::size_t>(i)];
    std::transform(object.box.begin(), object.box.end(), sample.boxes.mutable_data<float>() + 4 * i,
                   [](double v) { return static_cast<float>(v); });
    sample.labels.mutable_data<std::int64_t>()[i] = object.label;
    sample.difficult.mutable_data<std::uint8_t>()[i] = object.difficult ? 1 : 0;
    sample.crowd.mutable_data<std::uint8_t>()[i] = object.crowd ? 1 : 0;
    sample.polygons.push_back(object.polygons);
    if (object.area >= 0) sample.areas.push_back(object.area);
  }
  if (sample.areas.size() != sample.polygons.size()) sample.areas.clear();
  if (masks) sample.masks = masks_of(picture);
  return sample;
}

std::int64_t objects_in(const std::vector<DetectionPicture>& pictures) {
  return std::accumulate(pictures.begin(), pictures.end(), std::int64_t{0},
                         [](std::int64_t sum, const auto& one) {
                           return sum + static_cast<std::int64_t>(one.objects.size());
                         });
}

std::int64_t dropped_in(const std::vector<DetectionPicture>& pictures) {
  return std::accumulate(pictures.begin(), pictures.end(), std::int64_t{0},
                         [](std::int64_t sum, const auto& one) { return sum + one.dropped; });
}

}  // namespace pliant
