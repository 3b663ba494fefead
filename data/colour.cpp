#include <pliant/data/colour.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace pliant {
namespace {

void check_image(const char* who, const Tensor& image) {
  require(image.defined() && image.rank() == 3 && image.dtype() == DType::uint8 &&
              image.device().is_cpu() && (image.dim(2) == 1 || image.dim(2) == 3),
          who, ": needs uint8 [H W C] of 1 or 3 channels on the cpu, got ", image);
}

void check_factor(const char* who, double factor) {
  require(factor >= 0 && std::isfinite(factor), who, ": the factor is ", factor,
          ", expected a number of at least 0");
}

std::uint8_t byte_of(double value) {
  return static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 255.0)));
}

// BT.601, as PIL and torchvision weigh them.
double luma(const std::uint8_t* rgb) { return 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]; }

// Each pixel as change(pixel, result) makes it.
template <class F>
Tensor each_pixel(const Tensor& image, const F& change) {
  Tensor result = Tensor::empty(image.shape(), DType::uint8);
  const std::int64_t channels = image.dim(2);
  const std::uint8_t* from = image.data<std::uint8_t>();
  std::uint8_t* to = result.mutable_data<std::uint8_t>();
  for (std::int64_t i = 0; i < image.size(); i += channels) change(from + i, to + i);
  return result;
}

// Each value by a table of its channel.
using Table = std::array<std::uint8_t, 256>;
Tensor by_table(const Tensor& image, const std::vector<Table>& tables) {
  return each_pixel(image, [&](const std::uint8_t* from, std::uint8_t* to) {
    for (std::size_t c = 0; c < tables.size(); ++c) to[c] = tables[c][from[c]];
  });
}

template <class F>
Tensor each_value(const Tensor& image, const F& change) {
  Table table{};
  for (std::size_t v = 0; v < 256; ++v) table[v] = change(static_cast<int>(v));
  return by_table(image, std::vector<Table>(static_cast<std::size_t>(image.dim(2)), table));
}

using Histogram = std::array<std::int64_t, 256>;
std::vector<Histogram> histograms_of(const Tensor& image) {
  const auto channels = static_cast<std::size_t>(image.dim(2));
  std::vector<Histogram> counts(channels, Histogram{});
  const auto all = image.span<std::uint8_t>();
  for (std::size_t i = 0; i < all.size(); ++i) ++counts[i % channels][all[i]];
  return counts;
}

Tensor blend(const Tensor& image, const Tensor& other, double factor) {
  Tensor result = Tensor::empty(image.shape(), DType::uint8);
  const auto a = image.span<std::uint8_t>(), b = other.span<std::uint8_t>();
  std::uint8_t* const to = result.mutable_data<std::uint8_t>();
  for (std::size_t i = 0; i < a.size(); ++i) to[i] = byte_of(b[i] + factor * (a[i] - b[i]));
  return result;
}

// One axis of a convolution by `weights` about each pixel: `stride` values on is the next along it.
void blur_lines(const std::vector<double>& from, std::vector<double>& to, std::int64_t extent,
                std::int64_t stride, const std::vector<double>& weights) {
  const auto reach = static_cast<std::int64_t>(weights.size() / 2);
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(from.size()); ++i) {
    const std::int64_t at = i / stride % extent;
    double sum = 0;
    for (std::int64_t k = -reach; k <= reach; ++k) {
      const std::int64_t read = std::clamp<std::int64_t>(at + k, 0, extent - 1);
      sum += weights[static_cast<std::size_t>(k + reach)] *
             from[static_cast<std::size_t>(i + (read - at) * stride)];
    }
    to[static_cast<std::size_t>(i)] = sum;
  }
}

Tensor blurred(const Tensor& image, const std::vector<double>& weights) {
  const auto bytes = image.span<std::uint8_t>();
  std::vector<double> from(bytes.begin(), bytes.end()), to(from.size());
  blur_lines(from, to, image.dim(1), image.dim(2), weights);
  blur_lines(to, from, image.dim(0), image.dim(1) * image.dim(2), weights);
  Tensor result = Tensor::empty(image.shape(), DType::uint8);
  std::transform(from.begin(), from.end(), result.mutable_data<std::uint8_t>(), byte_of);
  return result;
}

}  // namespace

Tensor adjust_brightness(const Tensor& image, double factor) {
  check_image("adjust_brightness", image);
  check_factor("adjust_brightness", factor);
  return each_value(image, [factor](int v) { return byte_of(factor * v); });
}

Tensor adjust_contrast(const Tensor& image, double factor) {
  check_image("adjust_contrast", image);
  check_factor("adjust_contrast", factor);
  const std::uint8_t* const from = image.data<std::uint8_t>();
  const std::int64_t channels = image.dim(2);
  double sum = 0;
  for (std::int64_t i = 0; i < image.size(); i += channels)
    sum += channels == 3 ? luma(from + i) : from[i];
  const double mean =
      std::round(sum / static_cast<double>(std::max<std::int64_t>(1, image.size() / channels)));
  return each_value(image, [=](int v) { return byte_of(mean + factor * (v - mean)); });
}

Tensor adjust_saturation(const Tensor& image, double factor) {
  check_image("adjust_saturation", image);
  check_factor("adjust_saturation", factor);
  if (image.dim(2) == 1) return image.clone();
  return each_pixel(image, [factor](const std::uint8_t* from, std::uint8_t* to) {
    const double gray = luma(from);
    for (int c = 0; c < 3; ++c) to[c] = byte_of(gray + factor * (from[c] - gray));
  });
}

Tensor adjust_sharpness(const Tensor& image, double factor) {
  check_image("adjust_sharpness", image);
  check_factor("adjust_sharpness", factor);
  return blend(image, blurred(image, {0.25, 0.5, 0.25}), factor);
}

Tensor adjust_hue(const Tensor& image, double turns) {
  check_image("adjust_hue", image);
  require(std::isfinite(turns), "adjust_hue: the turn is ", turns);
  if (image.dim(2) == 1) return image.clone();
  return each_pixel(image, [turns](const std::uint8_t* from, std::uint8_t* to) {
    const double r = from[0], g = from[1], b = from[2];
    const double high = std::max({r, g, b}), span = high - std::min({r, g, b});
    if (span == 0) {
      std::copy_n(from, 3, to);
      return;
    }
    const double sixths = high == r   ? (g - b) / span
                          : high == g ? (b - r) / span + 2
                                      : (r - g) / span + 4;
    const double hue = 6 * turns + sixths;
    // From HSV: https://en.wikipedia.org/wiki/HSL_and_HSV#HSV_to_RGB_alternative.
    for (int c = 0; c < 3; ++c) {
      double k = std::fmod(5 - 2.0 * c + hue, 6);
      if (k < 0) k += 6;
      to[c] = byte_of(high - span * std::clamp(std::min(k, 4 - k), 0.0, 1.0));
    }
  });
}

Tensor posterize(const Tensor& image, int bits) {
  check_image("posterize", image);
  require(bits >= 0 && bits <= 8, "posterize: ", bits, " bits, expected 0 to 8");
  return each_value(
      image, [bits](int v) { return static_cast<std::uint8_t>(v >> (8 - bits) << (8 - bits)); });
}

Tensor solarize(const Tensor& image, int threshold) {
  check_image("solarize", image);
  return each_value(
      image, [threshold](int v) { return static_cast<std::uint8_t>(v < threshold ? v : 255 - v); });
}

Tensor autocontrast(const Tensor& image) {
  check_image("autocontrast", image);
  std::vector<Table> tables;
  for (const Histogram& counts : histograms_of(image)) {
    const auto is_there = [](std::int64_t count) { return count > 0; };
    const auto low = std::find_if(counts.begin(), counts.end(), is_there) - counts.begin();
    const auto high =
        255 - (std::find_if(counts.rbegin(), counts.rend(), is_there) - counts.rbegin());
    Table& table = tables.emplace_back();
    for (int v = 0; v < 256; ++v)
      table[static_cast<std::size_t>(v)] =
          high > low
              ? byte_of(255.0 * static_cast<double>(v - low) / static_cast<double>(high - low))
              : static_cast<std::uint8_t>(v);
  }
  return by_table(image, tables);
}

// As PIL has it: the last value that is there counts for nothing, and half a step is added.
Tensor equalize(const Tensor& image) {
  check_image("equalize", image);
  std::vector<Table> tables;
  for (const Histogram& counts : histograms_of(image)) {
    const auto last =
        std::find_if(counts.rbegin(), counts.rend(), [](std::int64_t count) { return count > 0; });
    const std::int64_t step =
        last == counts.rend() ? 0 : (image.size() / image.dim(2) - *last) / 255;
    std::int64_t sum = step / 2;
    Table& table = tables.emplace_back();
    for (std::size_t v = 0; v < 256; sum += counts[v++])
      table[v] = step == 0 ? static_cast<std::uint8_t>(v)
                           : static_cast<std::uint8_t>(std::min<std::int64_t>(255, sum / step));
  }
  return by_table(image, tables);
}

Tensor gaussian_blur(const Tensor& image, double sigma) {
  check_image("gaussian_blur", image);
  require(sigma >= 0 && sigma <= 1000, "gaussian_blur: sigma is ", sigma, ", expected 0 to 1000");
  if (sigma == 0) return image.clone();
  const auto reach = static_cast<std::int64_t>(std::ceil(3 * sigma));
  std::vector<double> weights;
  double sum = 0;
  for (std::int64_t k = -reach; k <= reach; ++k) {
    const double distance = static_cast<double>(k) / sigma;
    weights.push_back(std::exp(-0.5 * distance * distance));
    sum += weights.back();
  }
  for (double& weight : weights) weight /= sum;
  return blurred(image, weights);
}

Tensor normalize(const Tensor& image, const std::vector<float>& mean,
                 const std::vector<float>& deviation) {
  check_image("normalize", image);
  const auto channels = static_cast<std::size_t>(image.dim(2));
  require(mean.size() == channels && deviation.size() == channels, "normalize: ", mean.size(),
          " means and ", deviation.size(), " deviations for ", channels, " channels");
  for (const float one : deviation)
    require(one > 0, "normalize: a deviation is ", one, ", expected above 0");
  Tensor result = Tensor::empty(image.shape());
  const auto from = image.span<std::uint8_t>();
  float* const to = result.mutable_data<float>();
  for (std::size_t i = 0; i < from.size(); ++i) {
    const std::size_t c = i % channels;
    to[i] = (static_cast<float>(from[i]) / 255.0f - mean[c]) / deviation[c];
  }
  return result;
}

}  // namespace pliant
