// Changes of a picture's colours and sharpness. Each takes uint8 [H W C] of one channel or three and
// gives another of that shape; what it needs of three it leaves alone in one.
#pragma once

#include <cstdint>
#include <vector>

#include <pliant/core/tensor.h>

namespace pliant {

// image + (factor - 1) * (image - other), rounded and cut to 0..255: factor 1 changes nothing, 0
// gives the other image, which is black, the mean gray, the picture's own grays, or a smoothed one.
// A factor that is negative or not finite is an Error.
Tensor adjust_brightness(const Tensor& image, double factor);
Tensor adjust_contrast(const Tensor& image, double factor);
Tensor adjust_saturation(const Tensor& image, double factor);
Tensor adjust_sharpness(const Tensor& image, double factor);
// Turns the colours by `turns` of the circle of hues (HSV): 0.5 makes red cyan.
Tensor adjust_hue(const Tensor& image, double turns);

Tensor posterize(const Tensor& image, int bits);          // 0..8 highest bits stay
Tensor solarize(const Tensor& image, int threshold);      // values from it on are inverted
Tensor autocontrast(const Tensor& image);                 // each channel stretched to 0..255
Tensor equalize(const Tensor& image);                     // each channel's histogram made even
Tensor gaussian_blur(const Tensor& image, double sigma);  // in pixels; edges repeat; 0: as it is

// float32 [H W C]: (image / 255 - mean) / deviation, by channel. A deviation not above 0 is an
// Error.
Tensor normalize(const Tensor& image, const std::vector<float>& mean,
                 const std::vector<float>& deviation);

// Of ImageNet's pictures, which most published nets were trained with.
inline const std::vector<float> kImageNetMean = {0.485f, 0.456f, 0.406f};
inline const std::vector<float> kImageNetDeviation = {0.229f, 0.224f, 0.225f};

}  // namespace pliant
