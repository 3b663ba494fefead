// What the parts of pliant-numerics share: inputs, errors, and the cases of the table.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <pliant/core/tensor.h>

namespace pliant::numerics {

using Exact = std::vector<long double>;
using Index = std::int64_t;

// ---- inputs: uniform in [0, 1), by number alone, so that every language has the same ----

inline float uniform(std::uint64_t seed, std::uint64_t i) {
  std::uint64_t z = (seed << 32U) + i + 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  z ^= z >> 31U;
  return static_cast<float>(z >> 40U) * 0x1p-24F;
}
// from + scale * uniform, in float32.
inline Tensor values(std::uint64_t seed, const Shape& shape, float scale = 1, float from = 0) {
  Tensor t = Tensor::empty(shape, DType::float32);
  float* const to = t.mutable_data<float>();
  for (Index i = 0; i < t.size(); ++i) {
    const float scaled = scale * uniform(seed, static_cast<std::uint64_t>(i));
    to[i] = from + scaled;
  }
  return t;
}
inline Exact exact(const Tensor& t) {
  const std::vector<double> all = t.to_vector();
  return {all.begin(), all.end()};
}

// ---- errors ----

inline long double last_place(long double x) {  // of float32
  return x == 0 ? 0x1p-149L : std::ldexp(1.0L, std::max(std::ilogb(x), -126) - 23);
}
enum class In : unsigned char { own_places, places_of_largest };

// The largest error of a result, in places of each value or of the largest.
inline double error_of(const Tensor& result, const Exact& want, In in = In::own_places) {
  const Exact got = exact(result);
  long double largest = 0, most = 0;
  for (const long double w : want) largest = std::max(largest, std::fabs(w));
  for (std::size_t i = 0; i < want.size(); ++i) {
    const long double place = last_place(in == In::own_places ? want[i] : largest);
    most = std::max(most, std::fabs(got[i] - want[i]) / place);
  }
  return static_cast<double>(most);
}

template <class F>
long double sum_over(Index n, F f) {
  long double sum = 0;
  for (Index i = 0; i < n; ++i) sum += f(static_cast<std::size_t>(i));
  return sum;
}

struct Case {
  const char* name;
  double (*error)(std::uint64_t seed, Index n);
  Index most = 10000000;
};
// Sums of terms that are scattered over a map, and of a Var's uses (numerics_scattered.cpp).
std::vector<Case> scattered_cases();

}  // namespace pliant::numerics
