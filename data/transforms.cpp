#include <pliant/data/transforms.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <pliant/core/parallel.h>

namespace pliant {
namespace {

constexpr std::int64_t kBytesPerTask = 1 << 16;
constexpr std::int64_t kImagesPerTask = 64;

// Where one row (or column) of the output reads: two neighbours and the weight of the second.
// The nearest pixel is the case weight 0.
struct AxisTap {
  std::int64_t first, second;
  float weight;
};

// `v` is clamped before it is rounded, as scipy's affine_transform does with mode="nearest".
AxisTap axis_tap(double v, std::int64_t extent, Interpolation interpolation) {
  const std::int64_t last = extent - 1;
  v = std::clamp(v, 0.0, static_cast<double>(last));
  if (interpolation == Interpolation::nearest) {
    const auto nearest = static_cast<std::int64_t>(std::floor(v + 0.5));
    return {nearest, nearest, 0.0f};
  }
  const double low = std::floor(v);
  const auto first = static_cast<std::int64_t>(low);
  return {first, std::min(first + 1, last), static_cast<float>(v - low)};
}

std::vector<AxisTap> axis_taps(std::int64_t extent, double zoom, double shift,
                               Interpolation interpolation) {
  const double center = static_cast<double>(extent) / 2.0 + 0.5;
  std::vector<AxisTap> taps(static_cast<std::size_t>(extent));
  for (std::int64_t i = 0; i < extent; ++i)
    taps[static_cast<std::size_t>(i)] =
        axis_tap(zoom * (static_cast<double>(i) - center) + center + shift, extent, interpolation);
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

void check(const char* who, const ScaleAugmentation& augmentation) {
  const ScaleAugmentation& a = augmentation;
  require(a.zoom_low > 0 && a.zoom_low <= a.zoom_high && std::isfinite(a.zoom_high), who,
          ": zoom is from ", a.zoom_low, " to ", a.zoom_high, ", expected 0 < low <= high");
  require(a.shift >= 0 && std::isfinite(a.shift), who, ": shift is ", a.shift,
          ", expected a share of the picture, at least 0");
}

ScaleDraw draw_scale(const ScaleAugmentation& augmentation, std::int64_t height, std::int64_t width,
                     const Rng& rng) {
  const ScaleAugmentation& a = augmentation;
  ScaleDraw draw;
  draw.shift_rows = rng.uniform(0, -a.shift, a.shift) * static_cast<double>(height);
  draw.shift_columns = rng.uniform(1, -a.shift, a.shift) * static_cast<double>(width);
  if (a.zoom_low == 1.0 && a.zoom_high == 1.0) return draw;
  draw.zoom_rows = rng.uniform(2, a.zoom_low, a.zoom_high);
  draw.zoom_columns = rng.uniform(3, a.zoom_low, a.zoom_high);
  return draw;
}

void scale_image(const std::uint8_t* image, std::int64_t height, std::int64_t width,
                 std::int64_t channels, const ScaleDraw& draw, Interpolation interpolation,
                 float* out) {
  const auto rows = axis_taps(height, draw.zoom_rows, draw.shift_rows, interpolation);
  const auto columns = axis_taps(width, draw.zoom_columns, draw.shift_columns, interpolation);
  const bool nearest = interpolation == Interpolation::nearest;
  const auto pixel = [&](std::int64_t row, std::int64_t column) {
    return image + (row * width + column) * channels;
  };
  for (const AxisTap& y : rows)
    for (const AxisTap& x : columns) {
      const std::uint8_t* const top_left = pixel(y.first, x.first);
      const std::uint8_t* const top_right = pixel(y.first, x.second);
      const std::uint8_t* const bottom_left = pixel(y.second, x.first);
      const std::uint8_t* const bottom_right = pixel(y.second, x.second);
      for (std::int64_t c = 0; c < channels; ++c) {
        float value = static_cast<float>(top_left[c]);
        if (!nearest) {
          const float top = value + x.weight * (static_cast<float>(top_right[c]) - value);
          const auto left = static_cast<float>(bottom_left[c]);
          const float bottom = left + x.weight * (static_cast<float>(bottom_right[c]) - left);
          value = top + y.weight * (bottom - top);
        }
        *out++ = value / 255.0f;
      }
    }
}

void scale_bytes(const std::uint8_t* image, std::int64_t height, std::int64_t width,
                 std::int64_t channels, const ScaleDraw& draw, std::uint8_t* out) {
  const auto rows = axis_taps(height, draw.zoom_rows, draw.shift_rows, Interpolation::nearest);
  const auto columns =
      axis_taps(width, draw.zoom_columns, draw.shift_columns, Interpolation::nearest);
  for (const AxisTap& y : rows)
    for (const AxisTap& x : columns)
      out = std::copy_n(image + (y.first * width + x.first) * channels, channels, out);
}

Tensor scaled(const Tensor& images, const ScaleAugmentation& augmentation, const Rng& rng) {
  check("scaled", augmentation);
  require(images.defined() && images.dtype() == DType::uint8 && images.rank() == 4,
          "scaled: needs uint8 [N H W C], got ", images);
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
