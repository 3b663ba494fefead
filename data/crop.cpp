#include <pliant/data/crop.h>

#include <algorithm>
#include <cmath>

#include <pliant/core/sizes.h>

namespace pliant {
namespace {

void check(const char* who, const Tensor& image) {
  require(image.defined() && image.rank() == 3 && image.dtype() == DType::uint8 &&
              image.size() > 0 && image.device().is_cpu(),
          who, ": expected an image uint8 [H W C] on the CPU, got ", image);
}

}  // namespace

std::vector<double> channel_means(const Tensor& image) {
  check("channel_means", image);
  const auto channels = static_cast<std::size_t>(image.dim(2));
  std::vector<double> sums(channels, 0);
  const auto bytes = image.span<std::uint8_t>();
  for (std::size_t i = 0; i < bytes.size(); ++i) sums[i % channels] += bytes[i];
  for (double& sum : sums) sum /= static_cast<double>(bytes.size() / channels);
  return sums;
}

SquareCrop crop_square(const Tensor& image, double cx, double cy, std::int64_t size,
                       const std::vector<double>& border) {
  const char* const who = "crop_square";
  check(who, image);
  const std::int64_t height = image.dim(0), width = image.dim(1), channels = image.dim(2);
  require(std::abs(cx) < kMostPixels && std::abs(cy) < kMostPixels && size >= 1, who, ": ", size,
          " pixels about (", cx, ", ", cy, "), expected at least 1 about finite numbers");
  require_pixels(who, "size", 1, {size});
  require(std::ssize(border) == channels, who, ": a border of ", border.size(),
          " values, expected one for each of ", channels, " channels");
  for (const double value : border)
    require(value >= 0 && value < 256, who, ": a border value is ", value, ", expected 0 to 255");
  const double half = static_cast<double>(size + 1) / 2;
  SquareCrop crop{static_cast<std::int64_t>(std::floor(cx - half + 0.5)),
                  static_cast<std::int64_t>(std::floor(cy - half + 0.5)),
                  Tensor::empty({size, size, channels}, DType::uint8)};
  const std::uint8_t* const from = image.data<std::uint8_t>();
  std::uint8_t* to = crop.image.mutable_data<std::uint8_t>();
  for (std::int64_t y = crop.top; y < crop.top + size; ++y)
    for (std::int64_t x = crop.left; x < crop.left + size; ++x) {
      const bool inside = y >= 0 && y < height && x >= 0 && x < width;
      for (std::int64_t c = 0; c < channels; ++c)
        *to++ = inside ? from[(y * width + x) * channels + c]
                       : static_cast<std::uint8_t>(border[static_cast<std::size_t>(c)]);
    }
  return crop;
}

CentreCrop centre_crop(std::int64_t width, std::int64_t height, std::int64_t size) {
  const char* const who = "centre_crop";
  require_pixels(who, "width, height and size", 1, {width, height, size});
  const auto scaled = [&](std::int64_t side, std::int64_t short_side) {
    return static_cast<std::int64_t>(static_cast<double>(side) * static_cast<double>(size) /
                                     static_cast<double>(short_side));
  };
  CentreCrop crop;
  crop.width = width > height ? scaled(width, height) : size;
  crop.height = width > height ? size : scaled(height, width);
  crop.left = static_cast<std::int64_t>(std::nearbyint(static_cast<double>(crop.width - size) / 2));
  crop.top = static_cast<std::int64_t>(std::nearbyint(static_cast<double>(crop.height - size) / 2));
  return crop;
}

}  // namespace pliant
