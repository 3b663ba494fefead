#include <pliant/data/transforms.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <pliant/core/parallel.h>

namespace pliant {
namespace {

constexpr std::int64_t kBytesPerTask = 1 << 16;
constexpr std::int64_t kImagesPerTask = 64;

std::vector<ScaleTap> scale_taps(std::int64_t extent, double zoom, double shift,
                                 Interpolation interpolation) {
  std::vector<ScaleTap> taps(static_cast<std::size_t>(extent));
  for (std::int64_t i = 0; i < extent; ++i)
    taps[static_cast<std::size_t>(i)] = scale_tap(i, extent, zoom, shift, interpolation);
  return taps;
}

}  // namespace

Tensor to_float(const Tensor& images) {
  require(images.defined() && images.dtype() == DType::uint8, "to_float: needs uint8, got ",
          images);
  const auto from = images.span<std::uint8_t>();
  Tensor result = Tensor::empty(images.shape());
  float* const to = result.mutable_data<float>();
  parallel_blocks(images.size(), kBytesPerTask, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      to[i] = static_cast<float>(from[static_cast<std::size_t>(i)]) / 255.0f;
  });
  return result;
}

void check_scale(const char* who, const ScaleAugmentation& augmentation) {
  const ScaleAugmentation& a = augmentation;
  require(a.zoom_low > 0 && a.zoom_low <= a.zoom_high && std::isfinite(a.zoom_high), who,
          ": zoom is from ", a.zoom_low, " to ", a.zoom_high, ", expected 0 < low <= high");
  require(a.shift >= 0 && std::isfinite(a.shift), who, ": shift is ", a.shift,
          ", expected a share of the image, at least 0");
}

void scale_image(const std::uint8_t* image, std::int64_t height, std::int64_t width,
                 std::int64_t channels, const ScaleDraw& draw, Interpolation interpolation,
                 float* out) {
  const auto rows = scale_taps(height, draw.zoom_rows, draw.shift_rows, interpolation);
  const auto columns = scale_taps(width, draw.zoom_columns, draw.shift_columns, interpolation);
  for (const ScaleTap& y : rows)
    for (const ScaleTap& x : columns)
      for (std::int64_t c = 0; c < channels; ++c)
        *out++ = scaled_pixel(image, width, channels, y, x, c, interpolation);
}

void scale_bytes(const std::uint8_t* image, std::int64_t height, std::int64_t width,
                 std::int64_t channels, const ScaleDraw& draw, std::uint8_t* out) {
  const auto rows = scale_taps(height, draw.zoom_rows, draw.shift_rows, Interpolation::nearest);
  const auto columns =
      scale_taps(width, draw.zoom_columns, draw.shift_columns, Interpolation::nearest);
  for (const ScaleTap& y : rows)
    for (const ScaleTap& x : columns)
      out = std::copy_n(image + (y.first * width + x.first) * channels, channels, out);
}

Tensor scale_images(const Tensor& images, const ScaleAugmentation& augmentation, const Rng& rng) {
  check_scale("scale_images", augmentation);
  require(images.defined() && images.dtype() == DType::uint8 && images.rank() == 4,
          "scale_images: needs uint8 [N H W C], got ", images);
  const std::int64_t height = images.dim(1), width = images.dim(2), channels = images.dim(3);
  const std::int64_t row = height * width * channels;
  const std::uint8_t* const from = images.span<std::uint8_t>().data();
  Tensor result = Tensor::empty(images.shape());
  float* const to = result.mutable_data<float>();
  parallel_blocks(images.dim(0), kImagesPerTask, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const ScaleDraw draw =
          draw_scale(augmentation, height, width, rng.fork(static_cast<std::uint64_t>(i)));
      scale_image(from + i * row, height, width, channels, draw, augmentation.interpolation,
                  to + i * row);
    }
  });
  return result;
}

}  // namespace pliant
