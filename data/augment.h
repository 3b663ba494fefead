// Random changes of samples, for training: what is drawn is a pure function of the key, whatever the
// thread. The geometry is one Warp, so that picture, boxes, masks and polygons stay together.
#pragma once

#include <cstdint>

#include <pliant/core/random.h>
#include <pliant/data/colour.h>
#include <pliant/data/warp.h>

namespace pliant {

// Numbers are drawn uniformly, in the order of the fields, each from its own number of the key.
struct RandomWarpOptions {
  double flip = 0.5;  // how often left and right are exchanged
  double rotate = 0;  // up to so many degrees either way
  double shear = 0;   // up to so much either way, along x and along y
  double scale_low = 1, scale_high = 1;
  double stretch = 1;  // up to so much wider than high, or as much less
  // The result's size; 0: that of the picture. Where the picture, scaled, is larger, a part of it
  // is cut out at random; where it is smaller, it is padded on the right and at the bottom.
  std::int64_t height = 0, width = 0;
};

Warp random_warp(std::int64_t height, std::int64_t width, const RandomWarpOptions& options,
                 const Rng& rng);

// Each factor uniform in [max(0, 1 - x), 1 + x], the turn of hues in [-hue, hue]; in this order.
struct ColourJitterOptions {
  double brightness = 0, contrast = 0, saturation = 0, hue = 0;
};
Tensor colour_jitter(const Tensor& image, const ColourJitterOptions& options, const Rng& rng);

// Fills a square of `side` pixels whose centre is uniform in the picture, uint8 or float32 (DeVries
// and Taylor 2017). What lies outside is cut off.
Tensor cutout(const Tensor& image, std::int64_t side, float fill, const Rng& rng);

// RandAugment (Cubuk et al. 2019): `count` changes, each one of 14 at random, of one strength. The
// 14 and their ranges are torchvision's: identity, shear and shift along x and y, rotation,
// brightness, saturation, contrast, sharpness, posterize, solarize, autocontrast, equalize. Those
// of colours are done first; all of geometry are one warp.
struct RandAugmentOptions {
  int count = 2;
  int magnitude = 9;  // 0 .. 30
};

struct RandAugment {
  RandAugment(const RandAugmentOptions& options, std::int64_t height, std::int64_t width,
              const Rng& rng);
  Tensor colours(const Tensor& image) const;  // uint8 [H W C], of the size given

  Warp warp;

 private:
  RandAugmentOptions options_;
  Rng rng_;
};

// A sample as RandAugment changes it: all that belongs to the picture moves with it.
template <class Sample>
Sample rand_augment(const Sample& sample, const RandAugmentOptions& options, const Rng& rng,
                    const WarpOptions& outside = {}) {
  const RandAugment augment(options, sample.image.dim(0), sample.image.dim(1), rng);
  Sample changed = sample;
  changed.image = augment.colours(sample.image);
  return warped(changed, augment.warp, outside);
}

}  // namespace pliant
