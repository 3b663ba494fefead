#include <pliant/data/augment.h>

#include <algorithm>
#include <cmath>

#include <pliant/core/error.h>

namespace pliant {
namespace {

std::int64_t scaled(std::int64_t extent, double factor) {
  return std::max<std::int64_t>(1, std::llround(static_cast<double>(extent) * factor));
}

// Where a part of `wanted` pixels begins in `given`, uniform; at 0 if there are no more.
std::int64_t place_of_part(std::int64_t given, std::int64_t wanted, const Rng& rng,
                           std::uint64_t index) {
  if (given <= wanted) return 0;
  return static_cast<std::int64_t>(
      rng.below(index, static_cast<std::uint64_t>(given - wanted + 1)));
}

void check(const RandomWarpOptions& o) {
  require(o.flip >= 0 && o.flip <= 1, "random_warp: flip is ", o.flip, ", expected 0 to 1");
  require(o.rotate >= 0 && std::isfinite(o.rotate), "random_warp: rotate is ", o.rotate,
          ", expected degrees of at least 0");
  require(o.shear >= 0 && o.shear < 1, "random_warp: shear is ", o.shear, ", expected 0 to 1");
  require(o.scale_low > 0 && o.scale_low <= o.scale_high && std::isfinite(o.scale_high),
          "random_warp: scale is from ", o.scale_low, " to ", o.scale_high,
          ", expected 0 < low <= high");
  require(o.stretch >= 1 && std::isfinite(o.stretch), "random_warp: stretch is ", o.stretch,
          ", expected at least 1");
  require(o.height >= 0 && o.width >= 0, "random_warp: the result is ", o.width, " x ", o.height,
          ", expected 0 (as the picture) or more");
}

double factor_of(double most, const Rng& rng, std::uint64_t index) {
  return rng.uniform(index, std::max(0.0, 1 - most), 1 + most);
}

template <class T>
void fill_square(Tensor& image, std::int64_t top, std::int64_t left, std::int64_t side, T value) {
  T* const to = image.mutable_data<T>();
  const std::int64_t channels = image.dim(2), width = image.dim(1);
  const std::int64_t first = std::max<std::int64_t>(0, left);
  const std::int64_t last = std::min(width, left + side);
  for (std::int64_t r = std::max<std::int64_t>(0, top); r < std::min(image.dim(0), top + side); ++r)
    std::fill(to + (r * width + first) * channels, to + (r * width + last) * channels, value);
}

enum Change : unsigned char {
  identity,
  shear_x,
  shear_y,
  shift_x,
  shift_y,
  rotate,
  brightness,
  saturation,
  contrast,
  sharpness,
  posterized,
  solarized,
  stretched,
  equalized,
  kChanges
};

// Change number i of a key and how strong it is, 0 to 1; of those with a direction, -1 to 1.
Change drawn(const Rng& rng, int i) {
  return static_cast<Change>(rng.below(2 * static_cast<std::uint64_t>(i), kChanges));
}
double strength(const Rng& rng, int i, int magnitude) {
  const double most = magnitude / 30.0;
  return rng.uniform(2 * static_cast<std::uint64_t>(i) + 1) < 0.5f ? -most : most;
}

}  // namespace

Warp random_warp(std::int64_t height, std::int64_t width, const RandomWarpOptions& options,
                 const Rng& rng) {
  check(options);
  Warp warp(height, width);
  if (static_cast<double>(rng.uniform(0)) < options.flip) warp.flip_horizontal();
  if (options.rotate > 0) warp.rotate(rng.uniform(1, -options.rotate, options.rotate));
  if (options.shear > 0)
    warp.shear(rng.uniform(2, -options.shear, options.shear), 0)
        .shear(0, rng.uniform(3, -options.shear, options.shear));
  const double scale = rng.uniform(4, options.scale_low, options.scale_high);
  const double log_stretch = std::log(options.stretch);
  const double aspect = std::exp(0.5 * rng.uniform(5, -log_stretch, log_stretch));
  const std::int64_t rows = scaled(height, scale / aspect), columns = scaled(width, scale * aspect);
  if (rows != height || columns != width) warp.resize(rows, columns);
  const std::int64_t to_height = options.height == 0 ? height : options.height;
  const std::int64_t to_width = options.width == 0 ? width : options.width;
  return warp.crop(place_of_part(rows, to_height, rng, 6), place_of_part(columns, to_width, rng, 7),
                   to_height, to_width);
}

Tensor colour_jitter(const Tensor& image, const ColourJitterOptions& options, const Rng& rng) {
  for (const double most : {options.brightness, options.contrast, options.saturation, options.hue})
    require(most >= 0 && std::isfinite(most), "colour_jitter: a strength is ", most,
            ", expected at least 0");
  Tensor changed = image;
  if (options.brightness > 0)
    changed = adjust_brightness(changed, factor_of(options.brightness, rng, 0));
  if (options.contrast > 0) changed = adjust_contrast(changed, factor_of(options.contrast, rng, 1));
  if (options.saturation > 0)
    changed = adjust_saturation(changed, factor_of(options.saturation, rng, 2));
  if (options.hue > 0) changed = adjust_hue(changed, rng.uniform(3, -options.hue, options.hue));
  return changed;
}

Tensor cutout(const Tensor& image, std::int64_t side, float fill, const Rng& rng) {
  require(image.defined() && image.rank() == 3 && image.size() > 0 &&
              (image.dtype() == DType::uint8 || image.dtype() == DType::float32),
          "cutout: needs uint8 or float32 [H W C], got ", image);
  require(side >= 0 && side <= (std::int64_t{1} << 26), "cutout: the side is ", side,
          ", expected 0 to 2^26");
  Tensor cut = image.clone();
  const auto place = [&](std::uint64_t index, std::int64_t extent) {
    return static_cast<std::int64_t>(rng.below(index, static_cast<std::uint64_t>(extent))) -
           side / 2;
  };
  const std::int64_t top = place(0, image.dim(0)), left = place(1, image.dim(1));
  if (image.dtype() == DType::float32) {
    fill_square<float>(cut, top, left, side, fill);
  } else {
    require(fill >= 0 && fill <= 255, "cutout: a byte cannot be filled with ", fill);
    fill_square<std::uint8_t>(cut, top, left, side, static_cast<std::uint8_t>(fill));
  }
  return cut;
}

RandAugment::RandAugment(const RandAugmentOptions& options, std::int64_t height, std::int64_t width,
                         const Rng& rng)
    : warp(height, width), options_(options), rng_(rng) {
  require(options.count >= 0 && options.magnitude >= 0 && options.magnitude <= 30,
          "rand_augment: ", options.count, " changes of magnitude ", options.magnitude,
          ", expected 0 or more of 0 to 30");
  constexpr double kShift = 150.0 / 331.0;  // of the width or height
  for (int i = 0; i < options.count; ++i) {
    const double by = strength(rng, i, options.magnitude);
    switch (drawn(rng, i)) {
      case shear_x:
        warp.shear(0.3 * by, 0);
        break;
      case shear_y:
        warp.shear(0, 0.3 * by);
        break;
      case shift_x:
        warp.shift(std::trunc(kShift * by * static_cast<double>(width)), 0);
        break;
      case shift_y:
        warp.shift(0, std::trunc(kShift * by * static_cast<double>(height)));
        break;
      case rotate:
        warp.rotate(30 * by);
        break;
      default:
        break;
    }
  }
}

Tensor RandAugment::colours(const Tensor& image) const {
  Tensor changed = image;
  for (int i = 0; i < options_.count; ++i) {
    const double by = strength(rng_, i, options_.magnitude), factor = 1 + 0.9 * by;
    switch (drawn(rng_, i)) {
      case brightness:
        changed = adjust_brightness(changed, factor);
        break;
      case saturation:
        changed = adjust_saturation(changed, factor);
        break;
      case contrast:
        changed = adjust_contrast(changed, factor);
        break;
      case sharpness:
        changed = adjust_sharpness(changed, factor);
        break;
      case posterized:
        changed = posterize(changed, 8 - static_cast<int>(std::lround(4 * std::abs(by))));
        break;
      case solarized:
        changed = solarize(changed, static_cast<int>(std::lround(255 * (1 - std::abs(by)))));
        break;
      case stretched:
        changed = autocontrast(changed);
        break;
      case equalized:
        changed = equalize(changed);
        break;
      default:
        break;
    }
  }
  return changed;
}

}  // namespace pliant
