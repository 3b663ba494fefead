// Random zoom and shift of images (see data/transforms.h): what is drawn, where a pixel of the
// result reads and what it becomes.
#pragma once

#include <cmath>
#include <cstdint>

#include <pliant/core/portable.h>
#include <pliant/core/random.h>

namespace pliant {

enum class Interpolation { nearest, bilinear };

struct ScaleAugmentation {
  double zoom_low = 1.0;
  double zoom_high = 2.5;
  double shift = 0.2;
  Interpolation interpolation = Interpolation::nearest;
};

// What is drawn for one image; shifts in pixels.
struct ScaleDraw {
  double shift_rows = 0.0, shift_columns = 0.0;
  double zoom_rows = 1.0, zoom_columns = 1.0;
};

// Numbers 0 to 3 of `rng` in the published order: shift of rows, of columns, zoom of rows, of
// columns.
PLIANT_HD inline ScaleDraw draw_scale(const ScaleAugmentation& a, std::int64_t height,
                                      std::int64_t width, const Rng& rng) {
  ScaleDraw draw;
  draw.shift_rows = rng.uniform(0, -a.shift, a.shift) * static_cast<double>(height);
  draw.shift_columns = rng.uniform(1, -a.shift, a.shift) * static_cast<double>(width);
  if (a.zoom_low == 1.0 && a.zoom_high == 1.0) return draw;
  draw.zoom_rows = rng.uniform(2, a.zoom_low, a.zoom_high);
  draw.zoom_columns = rng.uniform(3, a.zoom_low, a.zoom_high);
  return draw;
}

// Where one row (or column) of the output reads: two neighbours and the weight of the second.
// The nearest pixel is the case weight 0.
struct ScaleTap {
  std::int64_t first, second;
  float weight;
};

// Of row i. The place is clamped before it is rounded, as scipy's affine_transform does with
// mode="nearest"; NaN, of draws whose zoom and shift are both beyond a double, reads pixel 0.
PLIANT_HD inline ScaleTap scale_tap(std::int64_t i, std::int64_t extent, double zoom, double shift,
                                    Interpolation interpolation) {
  const double center = static_cast<double>(extent) / 2.0 + 0.5;
  const std::int64_t last = extent - 1;
  double v = zoom * (static_cast<double>(i) - center) + center + shift;
  v = !(v > 0.0) ? 0.0 : v > static_cast<double>(last) ? static_cast<double>(last) : v;
  if (interpolation == Interpolation::nearest) {
    const auto nearest = static_cast<std::int64_t>(std::floor(v + 0.5));
    return {nearest, nearest, 0.0f};
  }
  const double low = std::floor(v);
  const auto first = static_cast<std::int64_t>(low);
  return {first, first + 1 < last ? first + 1 : last, static_cast<float>(v - low)};
}

// Channel c of the pixel that reads through these taps, in 0..1. image [.. width channels].
PLIANT_HD inline float scaled_pixel(const std::uint8_t* image, std::int64_t width,
                                    std::int64_t channels, const ScaleTap& y, const ScaleTap& x,
                                    std::int64_t c, Interpolation interpolation) {
  const auto pixel = [&](std::int64_t row, std::int64_t column) {
    return static_cast<float>(image[(row * width + column) * channels + c]);
  };
  float value = pixel(y.first, x.first);
  if (interpolation == Interpolation::bilinear) {
    const float top = value + x.weight * (pixel(y.first, x.second) - value);
    const float left = pixel(y.second, x.first);
    const float bottom = left + x.weight * (pixel(y.second, x.second) - left);
    value = top + y.weight * (bottom - top);
  }
  return value / 255.0f;
}

}  // namespace pliant
