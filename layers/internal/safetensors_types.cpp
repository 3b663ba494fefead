#include <pliant/layers/internal/safetensors_types.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

namespace pliant {
namespace {

constexpr std::array<SafetensorsType, 20> kTypes = {{
    {"F64", 64, DType::float64},
    {"F32", 32, DType::float32},
    {"BF16", 16, DType::bfloat16},
    {"I64", 64, DType::int64},
    {"I32", 32, DType::int32},
    {"U8", 8, DType::uint8},
    {"F16", 16, DType::float32, true, true},
    {"F8_E4M3", 8, DType::float32, true, true},
    {"F8_E5M2", 8, DType::float32, true, true},
    {"U64", 64, DType::int64, true, true},
    {"U32", 32, DType::int64, true, true},
    {"U16", 16, DType::int32, true, true},
    {"I16", 16, DType::int32, true, true},
    {"I8", 8, DType::int32, true, true},
    {"BOOL", 8, DType::uint8, true, true},
    {"C64", 64, DType::float32, false},
    {"F8_E8M0", 8, DType::float32, false},
    {"F6_E2M3", 6, DType::float32, false},
    {"F6_E3M2", 6, DType::float32, false},
    {"F4", 4, DType::float32, false},
}};

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// A number of `exponent` and `mantissa` bits with IEEE 754's bias and subnormals.
float small_float(unsigned bits, int exponent_bits, int mantissa_bits) {
  const int exponent = static_cast<int>(bits >> mantissa_bits & ((1U << exponent_bits) - 1));
  const int mantissa = static_cast<int>(bits & ((1U << mantissa_bits) - 1));
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const bool negative = (bits >> (exponent_bits + mantissa_bits) & 1) != 0;
  const int whole = exponent == 0 ? mantissa : mantissa + (1 << mantissa_bits);
  const float size =
      std::ldexp(static_cast<float>(whole), std::max(exponent, 1) - bias - mantissa_bits);
  return negative ? -size : size;
}

// Infinities and NaNs have all bits of the exponent set.
float from_half(std::uint16_t bits) {
  if ((bits & 0x7C00) != 0x7C00) return small_float(bits, 5, 10);
  if ((bits & 0x03FF) != 0) return kNan;
  const float infinity = std::numeric_limits<float>::infinity();
  return (bits & 0x8000) != 0 ? -infinity : infinity;
}

// The first half of a half.
float from_e5m2(std::uint8_t bits) { return from_half(static_cast<std::uint16_t>(bits << 8)); }

// Has no infinities, and one NaN of each sign: the largest exponent holds numbers too.
float from_e4m3(std::uint8_t bits) {
  return (bits & 0x7F) == 0x7F ? kNan : small_float(bits, 4, 3);
}

// As in the file, at any address.
template <class T>
T element(std::span<const std::uint8_t> bytes, std::size_t i) {
  T value;
  std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
  return value;
}

template <class From, class To, class Convert>
void convert(std::span<const std::uint8_t> bytes, Tensor& to, std::int64_t begin,
             const Convert& one) {
  To* const out = to.mutable_data<To>() + begin;
  for (std::size_t i = 0; i < bytes.size() / sizeof(From); ++i)
    out[i] = one(element<From>(bytes, i));
}

template <class From, class To>
void widen(std::span<const std::uint8_t> bytes, Tensor& to, std::int64_t begin) {
  convert<From, To>(bytes, to, begin, [](From value) { return static_cast<To>(value); });
}

const char* convert_u64(std::span<const std::uint8_t> bytes, Tensor& to, std::int64_t begin) {
  for (std::size_t i = 0; i < bytes.size() / 8; ++i)
    if (element<std::uint64_t>(bytes, i) > std::numeric_limits<std::int64_t>::max())
      return "it holds numbers above 2^63 - 1";
  widen<std::uint64_t, std::int64_t>(bytes, to, begin);
  return nullptr;
}

const char* convert_bool(std::span<const std::uint8_t> bytes, Tensor& to, std::int64_t begin) {
  if (std::any_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte > 1; }))
    return "it is of truth values other than 0 and 1";
  widen<std::uint8_t, std::uint8_t>(bytes, to, begin);
  return nullptr;
}

}  // namespace

const SafetensorsType* safetensors_type(std::string_view name) {
  const auto found = std::find_if(kTypes.begin(), kTypes.end(),
                                  [&](const SafetensorsType& type) { return type.name == name; });
  return found == kTypes.end() ? nullptr : &*found;
}

const SafetensorsType& safetensors_type(DType dtype) {
  const auto found = std::find_if(kTypes.begin(), kTypes.end(), [&](const SafetensorsType& type) {
    return type.dtype == dtype && type.readable && !type.converted;
  });
  require(found != kTypes.end(), "safetensors: no name for ", dtype);
  return *found;
}

const char* convert_elements(const SafetensorsType& type, std::span<const std::uint8_t> bytes,
                             Tensor& to, std::int64_t begin) {
  if (type.name == "U64") return convert_u64(bytes, to, begin);
  if (type.name == "BOOL") return convert_bool(bytes, to, begin);
  if (type.name == "F16") convert<std::uint16_t, float>(bytes, to, begin, from_half);
  if (type.name == "F8_E4M3") convert<std::uint8_t, float>(bytes, to, begin, from_e4m3);
  if (type.name == "F8_E5M2") convert<std::uint8_t, float>(bytes, to, begin, from_e5m2);
  if (type.name == "U32") widen<std::uint32_t, std::int64_t>(bytes, to, begin);
  if (type.name == "U16") widen<std::uint16_t, std::int32_t>(bytes, to, begin);
  if (type.name == "I16") widen<std::int16_t, std::int32_t>(bytes, to, begin);
  if (type.name == "I8") widen<std::int8_t, std::int32_t>(bytes, to, begin);
  return nullptr;
}

}  // namespace pliant
