// One bilinear sample of a map: which four pixels it reads, with which weights, and its derivatives
// by the row and column coordinate. Every operator that samples at real positions uses this tap.
//
//   S(y, x) = sum over i of weight[i] * v[i],  v = pixels (y0, x0), (y0, x0+1), (y0+1, x0),
//   (y0+1, x0+1),  y0 = floor(y), x0 = floor(x)
//
// S is linear in the pixels, and so are its derivatives: dS/dy = sum of d_row[i] * v[i], dS/dx =
// sum of d_column[i] * v[i]. At an integer coordinate they are the right-hand derivatives (pixel
// floor + 1 minus pixel floor), so that an offset that starts at zero can learn, unless AtIntegers
// says otherwise. That holds at -1 too, where a zero-padded map begins: the first row and column of
// taps of a padded convolution lie there.
#pragma once

#include <cmath>
#include <cstdint>

#include <pliant/core/portable.h>

namespace pliant {

// What lies beyond a map.
enum class Border : unsigned char {
  zeros,       // S is 0 unless -1 < y < H and -1 < x < W, without gradient unless -1 <= y < H and
               // -1 <= x < W
  dcn_v1,      // the first deformable convolution's: S is 0 unless 0 <= y < H and 0 <= x < W;
               // inside, row floor + 1 stops at H - 1
  clamp,       // y is first clamped to [0, H-1] and x to [0, W-1]; no gradient at or past H - 1
  reflection,  // clamp, of coordinates that were mirrored at the borders: grid_sample.h
};

constexpr const char* name_of(Border border) {
  constexpr const char* kNames[] = {"zeros", "dcn_v1", "clamp", "reflection"};
  return kNames[static_cast<int>(border)];
}

// The derivative by a coordinate that is an integer.
enum class AtIntegers : unsigned char {
  right_derivative,
  zero,  // as code that interpolates between floor and ceil has it, where the two are one pixel
};

// The two pixels along one axis; -1 stands for a pixel that is not there.
template <class T>
struct AxisTap {
  std::int32_t low, high;
  T low_weight, high_weight;
  T slope;  // derivative of high_weight by the coordinate: 1, or 0 where S does not follow it
};

// NaN, infinite and huge coordinates are sorted out before anything is cast to an integer; NaN
// reads nothing under any rule. Selections instead of branches, so that compilers vectorise a loop
// over it (g++ with -fno-trapping-math).
template <class T>
PLIANT_HD inline AxisTap<T> axis_tap(T at, std::int32_t size, Border border,
                                     AtIntegers at_integers = AtIntegers::right_derivative) {
  const T end = static_cast<T>(size - 1);
  const bool inside = border == Border::zeros    ? (at >= T(-1)) & (at < static_cast<T>(size))
                      : border == Border::dcn_v1 ? (at >= T(0)) & (at < static_cast<T>(size))
                                                 : at == at;
  const bool follows = inside & (border == Border::zeros || ((at >= T(0)) & (at < end)));
  T safe = inside ? at : T(0);
  if (border != Border::zeros) {
    safe = safe > T(0) ? safe : T(0);
    safe = safe < end ? safe : end;
  }
  const T floor = std::floor(safe);
  const T fraction = safe - floor, rest = T(1) - fraction;
  // -1 in the band before the map. A large map's `end` may have been rounded up, beyond the map.
  const std::int32_t low =
      floor < static_cast<T>(size) ? static_cast<std::int32_t>(floor) : size - 1;
  const bool next = inside & (low + 1 < size);
  const bool sloped = follows & (at_integers == AtIntegers::right_derivative || fraction > T(0));
  return {inside ? low : -1, next ? low + 1 : -1, inside ? rest : T(0), fraction,
          sloped ? T(1) : T(0)};
}

template <class T>
struct BilinearTap {
  std::int32_t pixel[4];  // row * width + column, or -1: a pixel that is not there counts as 0
  T weight[4];
  T d_row[4];
  T d_column[4];
};

// The tap at (y, x) of a map of fewer than 2^31 pixels.
template <class T>
PLIANT_HD inline BilinearTap<T> bilinear_tap(
    T y, T x, std::int64_t height, std::int64_t width, Border border,
    AtIntegers at_integers = AtIntegers::right_derivative) {
  const std::int32_t columns = static_cast<std::int32_t>(width);
  const AxisTap<T> r = axis_tap(y, static_cast<std::int32_t>(height), border, at_integers);
  const AxisTap<T> c = axis_tap(x, columns, border, at_integers);
  const auto pixel = [columns](std::int32_t row, std::int32_t column) {
    const std::int32_t at = row * columns + column;
    return (row | column) < 0 ? -1 : at;
  };
  return {{pixel(r.low, c.low), pixel(r.low, c.high), pixel(r.high, c.low), pixel(r.high, c.high)},
          {r.low_weight * c.low_weight, r.low_weight * c.high_weight, r.high_weight * c.low_weight,
           r.high_weight * c.high_weight},
          {-r.slope * c.low_weight, -r.slope * c.high_weight, r.slope * c.low_weight,
           r.slope * c.high_weight},
          {-r.low_weight * c.slope, r.low_weight * c.slope, -r.high_weight * c.slope,
           r.high_weight * c.slope}};
}

// Applies one of a tap's four-term rows (weight, d_row or d_column) to the four pixels' values.
template <class T>
PLIANT_HD T apply(const T (&row)[4], const T (&value)[4]) {
  return row[0] * value[0] + row[1] * value[1] + row[2] * value[2] + row[3] * value[3];
}

}  // namespace pliant
