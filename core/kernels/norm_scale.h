// What normalisations share: moments of any finite values, and what x is normalised by.
//
// Statistics are double: the mean, and rstd = 1 / sqrt(var + eps). Elements are normalised in their
// own type T:
//
//   (x - mean) * rstd = (x * unit - mean') * rstd' + rest
//
// `unit` is 1, but a power of two where x - mean or rstd would leave T's range; mean' is mean *
// unit rounded to T, rstd' = rstd / unit, and the rest is what that rounding lost: beside a large
// mean, all that there is.
#pragma once

#include <cmath>
#include <cstdint>
#include <type_traits>

#include <pliant/core/portable.h>

namespace pliant {

// ---- moments ----

// Of x * unit: the mean, and the sum of squared deviations from it.
struct Moments {
  double mean = 0, m2 = 0, unit = 1;

  PLIANT_HD double true_mean() const { return mean / unit; }
  PLIANT_HD double rstd(double count, double eps) const {
    return unit / std::sqrt(m2 / count + eps * unit * unit);
  }
  // May lie beyond T, and then is infinite.
  PLIANT_HD double variance(double count) const { return m2 / count / unit / unit; }
};

// Mean and sum of squared deviations of two sets of values, na and nb of them, as those of both:
// b joins a. na + nb >= 1. Chan, Golub and LeVeque 1983, "Algorithms for Computing the Sample
// Variance".
PLIANT_HD inline void join_moments(double na, double& mean_a, double& m2_a, double nb,
                                   double mean_b, double m2_b) {
  const double delta = mean_b - mean_a, share = nb / (na + nb);
  mean_a += delta * share;
  m2_a += m2_b + delta * delta * (na * share);
}

// The sum of f(0) ... f(n - 1), in lanes that compilers make a vector of; the order depends on n
// alone.
template <class T, class F>
PLIANT_HD T sum_in_lanes(std::int64_t n, F f) {
  constexpr int kLanes = 16;
  T lanes[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int j = 0; j < kLanes; ++j) lanes[j] += f(i + j);
  for (int half = kLanes / 2; half > 0; half /= 2)
    for (int j = 0; j < half; ++j) lanes[j] += lanes[j + half];
  T sum = lanes[0];
  for (; i < n; ++i) sum += f(i);
  return sum;
}

// Sums are cut into runs, short enough for T, which are added up in double.
inline constexpr std::int64_t kNormRun = 256;
template <class T, class F>
PLIANT_HD double sum_in_runs(std::int64_t n, F f) {
  double sum = 0;
  for (std::int64_t at = 0; at < n; at += kNormRun) {
    const std::int64_t count = n - at < kNormRun ? n - at : kNormRun;
    sum += static_cast<double>(sum_in_lanes<T>(count, [=](std::int64_t i) { return f(at + i); }));
  }
  return sum;
}

// Of n neighbours, n >= 1: each run about its own mean, and that about its first value, so that a
// large mean costs no digits and equal values have no deviation.
template <class T>
PLIANT_HD Moments row_moments(const T* x, std::int64_t n) {
  Moments held;
  for (std::int64_t at = 0; at < n; at += kNormRun) {
    const std::int64_t count = n - at < kNormRun ? n - at : kNormRun;
    const T* const run = x + at;
    const T first = run[0];
    const T mean = sum_in_lanes<T>(count, [=](std::int64_t i) { return run[i] - first; }) /
                   static_cast<T>(count);
    const T m2 = sum_in_lanes<T>(count, [=](std::int64_t i) {
      const T deviation = run[i] - first - mean;
      return deviation * deviation;
    });
    const double exact = static_cast<double>(first) + static_cast<double>(mean);
    if (at == 0)
      held = {exact, static_cast<double>(m2), 1};
    else
      join_moments(static_cast<double>(at), held.mean, held.m2, static_cast<double>(count), exact,
                   static_cast<double>(m2));
  }
  return held;
}

// Of x(0) ... x(n - 1) in double, n >= 1.
template <class F>
PLIANT_HD Moments moments_in(double unit, std::int64_t n, F x) {
  const double first = x(0) * unit;
  const double mean = first + sum_in_lanes<double>(n, [=](std::int64_t i) {
                                return x(i) * unit - first;
                              }) / static_cast<double>(n);
  const double m2 = sum_in_lanes<double>(n, [=](std::int64_t i) {
    const double deviation = x(i) * unit - mean;
    return deviation * deviation;
  });
  return {mean, m2, unit};
}

// Moments that were taken in T; taken once more, as float64 and in another unit if that is T, where
// squares overflowed or, eps being no larger, fell below its range. Not fast: such values are rare.
template <class T, class F>
PLIANT_HD Moments moments_again(const Moments& held, double eps, std::int64_t n, F x) {
  constexpr bool is_double = std::is_same_v<T, double>;
  constexpr double kLargest = is_double ? 0x1p1000 : 0x1p120;
  constexpr double kSmallest = is_double ? 0x1p-900 : 0x1p-80;
  constexpr double kUnit = is_double ? 0x1p576 : 1;
  const bool is_small = held.m2 < kSmallest && eps < kSmallest;
  if (n == 0 || (held.m2 < kLargest && !is_small)) return held;
  return moments_in(is_small ? kUnit : 1 / kUnit, n, x);
}

// The squares of n neighbours, as their moments about 0.
template <class T>
PLIANT_HD Moments row_squares(const T* x, std::int64_t n, double eps) {
  constexpr bool is_double = std::is_same_v<T, double>;
  constexpr double kLargest = is_double ? 0x1p1000 : 0x1p120;
  constexpr double kSmallest = is_double ? 0x1p-900 : 0x1p-80;
  constexpr double kUnit = is_double ? 0x1p576 : 1;
  const double m2 = sum_in_runs<T>(n, [=](std::int64_t i) { return x[i] * x[i]; });
  const bool is_small = m2 < kSmallest && eps < kSmallest;
  if (m2 < kLargest && !is_small) return {0, m2, 1};
  const double unit = is_small ? kUnit : 1 / kUnit;
  return {0,
          sum_in_lanes<double>(n,
                               [=](std::int64_t i) {
                                 const double value = static_cast<double>(x[i]) * unit;
                                 return value * value;
                               }),
          unit};
}

// ---- elements ----

template <class T>
struct NormRange {  // values from 1 / kUsual to kUsual need no unit
  static constexpr double kUsual = std::is_same_v<T, double> ? 0x1p480 : 0x1p60;
  static constexpr double kUnit = std::is_same_v<T, double> ? 0x1p576 : 0x1p68;
};

template <class T>
struct NormRow {
  T unit, mean;       // mean * unit
  double rstd, lost;  // rstd / unit; what is to be added to x * unit - mean

  PLIANT_HD NormRow(double exact_mean, double exact_rstd) {
    const double size = std::fabs(exact_mean);
    constexpr double kUsual = NormRange<T>::kUsual, kUnit = NormRange<T>::kUnit;
    const bool is_large = size > kUsual || exact_rstd < 1 / kUsual;
    const bool is_small = size < 1 / kUsual && exact_rstd > kUsual;
    const double in = is_large ? 1 / kUnit : is_small ? kUnit : 1.0;
    unit = static_cast<T>(in);
    mean = static_cast<T>(exact_mean * in);
    rstd = exact_rstd * (is_large ? kUnit : is_small ? 1 / kUnit : 1.0);
    lost = static_cast<double>(mean) - exact_mean * in;
  }
  PLIANT_HD T deviation(T x) const { return x * unit - mean; }
  // The sum of slope * normalised x, from those of slope and of slope * deviation(x).
  PLIANT_HD double along(double sum, double sum_x) const { return (sum_x + lost * sum) * rstd; }
};

// y = normalised x * weight + bias
template <class T>
struct NormScale {
  T unit, mean, scale, offset;

  PLIANT_HD T y(T x) const { return (x * unit - mean) * scale + offset; }
};
template <class T>
PLIANT_HD NormScale<T> norm_scale(const NormRow<T>& row, T weight, T bias) {
  const double scale = static_cast<double>(weight) * row.rstd;
  return {row.unit, row.mean, static_cast<T>(scale),
          static_cast<T>(static_cast<double>(bias) + row.lost * scale)};
}

// The gradient through statistics of the data. With s = weight * dy and n the normalised x,
//   dx = rstd * (s - mean(s) - n * mean(s * n))
// over the values that share the statistics.
template <class T>
struct NormSlope {
  T unit, mean, weight, constant, along, rstd;

  PLIANT_HD T dx(T x, T dy) const {
    return (weight * dy - constant - (x * unit - mean) * along) * rstd * unit;
  }
};
// From the means of s and of s * row.deviation(x).
template <class T>
PLIANT_HD NormSlope<T> norm_slope(const NormRow<T>& row, T weight, double mean_s, double mean_s_x) {
  const double along = row.along(mean_s, mean_s_x) * row.rstd;
  return {row.unit,
          row.mean,
          weight,
          static_cast<T>(mean_s + row.lost * along),
          static_cast<T>(along),
          static_cast<T>(row.rstd)};
}

}  // namespace pliant
