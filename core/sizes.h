// Arithmetic of sizes that a caller gives: exact, or an Error that begins with `who` and names the
// numbers as they were given. Doors compute with these; kernels behind them with plain integers.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <utility>

#include <pliant/core/error.h>

namespace pliant {

using SizeList = std::initializer_list<std::int64_t>;

std::int64_t checked_sum(const char* who, SizeList terms);
// 0 if one of them is, however large the others are.
std::int64_t checked_product(const char* who, SizeList factors);

// The same number as another integer type.
template <std::integral To, std::integral From>
To narrowed(const char* who, From value) {
  require(std::in_range<To>(value), who, ": ", value, " does not fit in ", 8 * sizeof(To), " bits");
  return static_cast<To>(value);
}

// a / b rounded up; a >= 0, b >= 1, of any size.
constexpr std::int64_t ceil_quotient(std::int64_t a, std::int64_t b) {
  return a / b + (a % b == 0 ? 0 : 1);
}

// What a window's extents, stride, dilation and padding may be at most, in pixels. With these no
// place of a window overflows 64 bits.
inline constexpr std::int64_t kMostPixels = std::numeric_limits<std::int32_t>::max();

// None of the `numbers`, which are the `what` of `who`, is below `least` or above kMostPixels.
void require_pixels(const char* who, const char* what, std::int64_t least, SizeList numbers);

// What attributes alone may ask of an op, in elements that it has to visit. More is a slip, and
// would keep a processor for hours.
inline constexpr std::int64_t kMostOperations = std::int64_t{1} << 40;

// The product of `factors`, each counted as at least 1 (a loop over nothing takes its steps too),
// is at most kMostOperations. `what` says what is multiplied: "regions, bins, samples".
void require_operations(const char* who, const char* what, SizeList factors);

}  // namespace pliant
