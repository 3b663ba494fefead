#include <pliant/data/mix.h>

#include <algorithm>
#include <cmath>

#include <pliant/data/loader.h>

namespace pliant {
namespace {

// Gamma(alpha, 1) by rejection (Marsaglia and Tsang 2000), and below 1 by Gamma(alpha + 1).
double draw_gamma(double alpha, const Rng& rng) {
  const double d = (alpha < 1 ? alpha + 1 : alpha) - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (std::uint64_t i = 0;; ++i) {
    const double x = rng.normal(i), v = std::pow(std::max(0.0, 1 + c * x), 3);
    const double u = 1 - rng.uniform(i, 0, 1);
    if (v <= 0 || std::log(u) >= 0.5 * x * x + d * (1 - v + std::log(v))) continue;
    if (alpha >= 1) return d * v;
    return d * v * std::pow(1 - rng.fork("boost").uniform(0, 0, 1), 1 / alpha);
  }
}

double draw_beta(double alpha, const Rng& rng) {
  const double a = draw_gamma(alpha, rng.fork("a")), b = draw_gamma(alpha, rng.fork("b"));
  return a + b > 0 ? a / (a + b) : (rng.uniform(0) < 0.5f ? 0.0 : 1.0);  // both below the smallest
}

// The batch, and the images that are mixed into it.
struct Pairs {
  LabelledImages others;
  double share;
};

Pairs draw_pairs(const char* who, const LabelledImages& batch, double alpha, const Rng& rng) {
  batch.check(who);
  require(batch.images.dtype() == DType::float32, who, ": needs float32 images, got ",
          batch.images.dtype());
  require(alpha > 0 && alpha <= 1000, who, ": alpha is ", alpha, ", expected above 0, to 1000");
  return {batch.take(randperm(batch.size(), rng.fork("others"))),
          draw_beta(alpha, rng.fork("share"))};
}

}  // namespace

MixedImages mixup(const LabelledImages& batch, double alpha, const Rng& rng) {
  const Pairs pairs = draw_pairs("mixup", batch, alpha, rng);
  Tensor images = Tensor::empty(batch.images.shape());
  const auto a = batch.images.span<float>(), b = pairs.others.images.span<float>();
  float* const to = images.mutable_data<float>();
  const auto share = static_cast<float>(pairs.share);
  for (std::size_t i = 0; i < a.size(); ++i) to[i] = share * a[i] + (1 - share) * b[i];
  return {images, batch.labels.clone(), pairs.others.labels, pairs.share};
}

MixedImages cutmix(const LabelledImages& batch, double alpha, const Rng& rng) {
  const Pairs pairs = draw_pairs("cutmix", batch, alpha, rng);
  const std::int64_t height = batch.images.dim(1), width = batch.images.dim(2);
  const double side = std::sqrt(1 - pairs.share);
  // The first and the last row or column of the rectangle.
  const auto part = [&](std::uint64_t index, std::int64_t extent) {
    const auto length = static_cast<std::int64_t>(side * static_cast<double>(extent));
    const auto begin = static_cast<std::int64_t>(rng.fork("place").below(
                           index, static_cast<std::uint64_t>(std::max<std::int64_t>(1, extent)))) -
                       length / 2;
    return std::pair(std::max<std::int64_t>(0, begin), std::min(extent, begin + length));
  };
  const auto [top, bottom] = part(0, height);
  const auto [left, right] = part(1, width);
  Tensor images = batch.images.clone();
  const std::int64_t channels = images.dim(3), row = width * channels;
  const float* const from = pairs.others.images.data<float>();
  float* const to = images.mutable_data<float>();
  for (std::int64_t n = 0; n < batch.size(); ++n)
    for (std::int64_t r = top; r < bottom; ++r) {
      const std::int64_t begin = (n * height + r) * row;
      std::copy(from + begin + left * channels, from + begin + right * channels,
                to + begin + left * channels);
    }
  const double area = static_cast<double>((bottom - top) * (right - left));
  return {images, batch.labels.clone(), pairs.others.labels,
          1 - area / static_cast<double>(std::max<std::int64_t>(1, height * width))};
}

}  // namespace pliant
