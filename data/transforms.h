// What is done to images between the file and the net: bytes to floats, and random scaling.
#pragma once

#include <cstdint>

#include <pliant/core/kernels/scale_image.h>
#include <pliant/core/random.h>
#include <pliant/core/tensor.h>

namespace pliant {

// uint8 -> float32, divided by 255; any shape.
Tensor to_float(const Tensor& images);

// Random zoom and shift (ScaleAugmentation) as Keras 2.0's ImageDataGenerator(zoom_range,
// width_shift_range, height_shift_range) did it for the published scaled MNIST: shifts of both axes
// uniform in [-shift, shift) times the image's extent, then a zoom factor per axis uniform in
// [zoom_low, zoom_high); both equal to 1 means no zoom is drawn. A factor above 1 shrinks what the
// image shows. Row r of the output reads row
//   zoom * (r - center) + center + shift_rows,   center = height/2 + 0.5   (14.5 for 28 rows)
// of the input and columns likewise; coordinates outside are clamped to the edge. Keras 2.0 took
// the nearest pixel, floor(v + 0.5); later versions interpolate bilinearly.
//
// An Error that names `who` unless 0 < zoom_low <= zoom_high and shift >= 0, all finite.
void check_scale(const char* who, const ScaleAugmentation& augmentation);

// One image [height width channels] of bytes to floats in 0..1 of the same shape.
void scale_image(const std::uint8_t* image, std::int64_t height, std::int64_t width,
                 std::int64_t channels, const ScaleDraw& draw, Interpolation interpolation,
                 float* out);

// The same by the nearest pixel, from bytes to bytes.
void scale_bytes(const std::uint8_t* image, std::int64_t height, std::int64_t width,
                 std::int64_t channels, const ScaleDraw& draw, std::uint8_t* out);

// Every image of a uint8 set [N H W C] once, image i with rng.fork(i): float32 [N H W C].
// A pure function of its arguments: this fixes a scaled test set.
Tensor scale_images(const Tensor& images, const ScaleAugmentation& augmentation, const Rng& rng);

}  // namespace pliant
