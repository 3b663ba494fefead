#include <pliant/layers/initialisers.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include <pliant/core/distributions.h>
#include <pliant/core/parallel.h>

namespace pliant {
namespace {

// Element i becomes f(rng, i).
template <class F>
void fill_each(Tensor& tensor, const Rng& rng, const F& f) {
  float* const to = tensor.mutable_data<float>();
  parallel_blocks(tensor.size(), 16384, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      to[i] = static_cast<float>(f(rng, static_cast<std::uint64_t>(i)));
  });
}

template <class F>
Initialiser each(F f) {
  return [f](Tensor& tensor, const Rng& rng) { fill_each(tensor, rng, f); };
}

auto normals(double deviation, double mean = 0) {
  return [=](const Rng& rng, std::uint64_t i) { return mean + deviation * rng.normal(i); };
}

auto uniforms(double bound) {
  return [=](const Rng& rng, std::uint64_t i) { return rng.uniform(i, -bound, bound); };
}

double fan_of(const char* who, const Shape& shape, init::Fan fan) {
  require(shape.rank() >= 2, who, ": a tensor ", shape, " has no fans; needs [out .. in]");
  const std::int64_t channels = fan == init::Fan::in ? shape[0] : shape.back();
  return static_cast<double>(shape.size()) / static_cast<double>(channels);
}

// The deviation that an initialiser by fans asks for.
double kaiming(const char* who, const Shape& shape, const init::KaimingOptions& options) {
  return init::gain(options.nonlinearity, options.negative_slope) /
         std::sqrt(fan_of(who, shape, options.fan));
}

double xavier(const char* who, const Shape& shape, double gain) {
  return gain *
         std::sqrt(2 / (fan_of(who, shape, init::Fan::in) + fan_of(who, shape, init::Fan::out)));
}

}  // namespace

Initialiser init::constant(double value) {
  return [value](Tensor& tensor, const Rng&) { tensor.fill(value); };
}

Initialiser init::uniform(double bound) { return each(uniforms(bound)); }

Initialiser init::normal(double deviation, double mean) { return each(normals(deviation, mean)); }

Initialiser init::he_normal(std::int64_t fan_in) {
  require(fan_in >= 1, "he_normal: a fan of ", fan_in, ", expected at least 1");
  return init::normal(std::sqrt(2.0 / static_cast<double>(fan_in)));
}

double init::gain(Nonlinearity nonlinearity, double negative_slope) {
  switch (nonlinearity) {
    case Nonlinearity::linear:
    case Nonlinearity::sigmoid:
      return 1;
    case Nonlinearity::tanh:
      return 5.0 / 3;
    case Nonlinearity::relu:
      return std::numbers::sqrt2;
    case Nonlinearity::leaky_relu:
      return std::sqrt(2 / (1 + negative_slope * negative_slope));
    case Nonlinearity::selu:
      return 0.75;
  }
  fail("gain: unknown nonlinearity");
}

Initialiser init::kaiming_normal(const KaimingOptions& options) {
  return [options](Tensor& tensor, const Rng& rng) {
    fill_each(tensor, rng, normals(kaiming("kaiming_normal", tensor.shape(), options)));
  };
}

Initialiser init::kaiming_uniform(const KaimingOptions& options) {
  return [options](Tensor& tensor, const Rng& rng) {
    const double deviation = kaiming("kaiming_uniform", tensor.shape(), options);
    fill_each(tensor, rng, uniforms(std::numbers::sqrt3 * deviation));
  };
}

Initialiser init::xavier_normal(double gain) {
  return [gain](Tensor& tensor, const Rng& rng) {
    fill_each(tensor, rng, normals(xavier("xavier_normal", tensor.shape(), gain)));
  };
}

Initialiser init::xavier_uniform(double gain) {
  return [gain](Tensor& tensor, const Rng& rng) {
    const double deviation = xavier("xavier_uniform", tensor.shape(), gain);
    fill_each(tensor, rng, uniforms(std::numbers::sqrt3 * deviation));
  };
}

Initialiser init::truncated_normal(const TruncatedNormalOptions& options) {
  const double mean = options.mean, deviation = options.deviation, low = options.low,
               high = options.high;
  require(deviation > 0 && low < high, "truncated_normal: deviation ", deviation, ", bounds ", low,
          " and ", high, "; the deviation must be above 0 and the bounds in order");
  // The side of the smaller tail, where probabilities near 1 would lose their digits.
  const bool mirrored = low + high > 2 * mean;
  const double a = mirrored ? (mean - high) / deviation : (low - mean) / deviation,
               b = mirrored ? (mean - low) / deviation : (high - mean) / deviation;
  const double below = normal_cdf(a), above = normal_cdf(b);
  require(below < above, "truncated_normal: there is no probability between ", low, " and ", high,
          " (mean ", mean, ", deviation ", deviation, ")");
  const double sign = mirrored ? -1 : 1;
  return each([=](const Rng& rng, std::uint64_t i) {
    const double z = normal_quantile(rng.uniform(i, below, above));
    return std::clamp(mean + sign * deviation * z, low, high);
  });
}

Initialiser init::orthogonal(double gain) {
  return [gain](Tensor& tensor, const Rng& rng) {
    const Shape& shape = tensor.shape();
    require(shape.rank() >= 2, "orthogonal: a tensor ", shape, " is no matrix; needs [out .. in]");
    if (shape.size() == 0) return;
    const std::vector<double> values = orthogonal_matrix(shape[0], shape.size() / shape[0], rng);
    std::transform(values.begin(), values.end(), tensor.mutable_data<float>(),
                   [=](double v) { return static_cast<float>(gain * v); });
  };
}

Initialiser init::identity() {
  return [](Tensor& tensor, const Rng&) {
    const Shape& shape = tensor.shape();
    require(shape.rank() == 4 && shape[0] == shape[3] && shape[1] % 2 == 1 && shape[2] % 2 == 1,
            "identity: a weight ", shape, "; needs [C R S C] with odd R and S");
    tensor.fill(0);
    float* const to = tensor.mutable_data<float>();
    const std::int64_t c = shape[0], taps = shape[1] * shape[2];
    for (std::int64_t i = 0; i < c; ++i) to[(i * taps + taps / 2) * c + i] = 1;
  };
}

}  // namespace pliant
