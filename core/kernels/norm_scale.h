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
  T sum = 0;
  for (const T lane : lanes) sum += lane;
  for (; i < n; ++i) sum += f(i);
  return sum;
}

// Of x(0) ... x(n - 1), n >= 1: in two passes, so that a large mean costs no digits, and about the
// first value, so that equal ones have no deviation.
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

// The unit that moments of T have to be taken in once more, their sum of squares being m2; 1 where
// it is right. Squares of float32 fit double.
template <class T>
PLIANT_HD double unit_of_moments(double m2, double eps) {
  if (!std::is_same_v<T, double>) return 1;
  if (!(m2 < 0x1p1000)) return 0x1p-576;
  return m2 < 0x1p-900 && eps < 0x1p-900 ? 0x1p576 : 1;
}

template <class T, class F>
PLIANT_HD Moments moments_again(const Moments& held, double eps, std::int64_t n, F x) {
  const double unit = n == 0 ? 1 : unit_of_moments<T>(held.m2, eps);
  return unit == 1 ? held : moments_in(unit, n, x);
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
    const double size = std::fabs(exact_mean), deviation = 1 / exact_rstd;
    const double most = size < deviation ? deviation : size;
    constexpr double kUsual = NormRange<T>::kUsual, kUnit = NormRange<T>::kUnit;
    const double in = most > kUsual ? 1 / kUnit : most < 1 / kUsual ? kUnit : 1.0;
    unit = static_cast<T>(in);
    mean = static_cast<T>(exact_mean * in);
    rstd = exact_rstd / in;
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
