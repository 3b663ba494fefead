#include <pliant/layers/initialisers.h>

#include <cmath>

#include <pliant/core/parallel.h>

namespace pliant {
namespace {

// Element i becomes f(rng, i).
template <class F>
Initialiser each(F f) {
  return [f](Tensor& tensor, const Rng& rng) {
    float* const to = tensor.mutable_data<float>();
    parallel_blocks(tensor.size(), 16384, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        to[i] = static_cast<float>(f(rng, static_cast<std::uint64_t>(i)));
    });
  };
}

}  // namespace

Initialiser init::constant(double value) {
  return [value](Tensor& tensor, const Rng&) { tensor.fill(value); };
}

Initialiser init::uniform(double bound) {
  return each([bound](const Rng& rng, std::uint64_t i) { return rng.uniform(i, -bound, bound); });
}

Initialiser init::he_normal(std::int64_t fan_in) {
  const double deviation = std::sqrt(2.0 / static_cast<double>(fan_in));
  return each([deviation](const Rng& rng, std::uint64_t i) { return deviation * rng.normal(i); });
}

}  // namespace pliant
