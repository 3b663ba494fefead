// Element types, and the way from a run-time DType to a C++ type.
#pragma once

#include <cstdint>
#include <ostream>

#include <pliant/core/bfloat16.h>
#include <pliant/core/error.h>

namespace pliant {

enum class DType : std::uint8_t { float32, float64, bfloat16, int64, int32, uint8 };

constexpr std::int64_t size_of(DType dtype) {
  switch (dtype) {
    case DType::float64:
    case DType::int64:
      return 8;
    case DType::float32:
    case DType::int32:
      return 4;
    case DType::bfloat16:
      return 2;
    case DType::uint8:
      return 1;
  }
  return 0;
}

constexpr const char* name_of(DType dtype) {
  switch (dtype) {
    case DType::float32:
      return "float32";
    case DType::float64:
      return "float64";
    case DType::bfloat16:
      return "bfloat16";
    case DType::int64:
      return "int64";
    case DType::int32:
      return "int32";
    case DType::uint8:
      return "uint8";
  }
  return "?";
}

inline std::ostream& operator<<(std::ostream& out, DType dtype) { return out << name_of(dtype); }

constexpr bool is_floating(DType dtype) {
  return dtype == DType::float32 || dtype == DType::float64 || dtype == DType::bfloat16;
}

// The dtype of sums over elements of dtype: Wide<T> of a run-time dtype.
constexpr DType wide_of(DType dtype) { return dtype == DType::bfloat16 ? DType::float32 : dtype; }

template <class T>
struct DTypeOf;
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::float32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::float64;
};
template <>
struct DTypeOf<BFloat16> {
  static constexpr DType value = DType::bfloat16;
};
template <>
struct DTypeOf<std::int64_t> {
  static constexpr DType value = DType::int64;
};
template <>
struct DTypeOf<std::int32_t> {
  static constexpr DType value = DType::int32;
};
template <>
struct DTypeOf<std::uint8_t> {
  static constexpr DType value = DType::uint8;
};

template <class T>
inline constexpr DType dtype_of = DTypeOf<T>::value;

// Calls f.operator()<float>() or <double>(): visit_floating("relu", x.dtype(), []<class T>()
// {...}).
template <class F>
decltype(auto) visit_floating(const char* who, DType dtype, F&& f) {
  if (dtype == DType::float32) return f.template operator()<float>();
  require(dtype == DType::float64, who, ": needs float32 or float64, got ", dtype);
  return f.template operator()<double>();
}

// The same for ops whose kernels take bfloat16 too.
template <class F>
decltype(auto) visit_any_floating(const char* who, DType dtype, F&& f) {
  if (dtype == DType::bfloat16) return f.template operator()<BFloat16>();
  return visit_floating(who, dtype, f);
}

// The same over every element type.
template <class F>
decltype(auto) visit_any(DType dtype, F&& f) {
  switch (dtype) {
    case DType::float32:
      return f.template operator()<float>();
    case DType::float64:
      return f.template operator()<double>();
    case DType::bfloat16:
      return f.template operator()<BFloat16>();
    case DType::int64:
      return f.template operator()<std::int64_t>();
    case DType::int32:
      return f.template operator()<std::int32_t>();
    case DType::uint8:
      return f.template operator()<std::uint8_t>();
  }
  fail("unknown dtype");
}

}  // namespace pliant
