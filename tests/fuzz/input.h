// What a fuzz target draws from its bytes: sizes, numbers and tensors, mostly sensible ones, now
// and then what nobody expects.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <vector>

#include <fuzzer/FuzzedDataProvider.h>

#include <pliant/core/tensor.h>

namespace pliant::fuzz {

// How strange the elements of a tensor may be.
enum class Values : unsigned char {
  tame,    // in [-2, 2], among them 0 and whole numbers
  finite,  // also 1e30, denormals and -0
  any,     // also infinities and NaN
};

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : data_(data, size) {}

  bool empty() { return data_.remaining_bytes() == 0; }
  bool coin() { return data_.ConsumeBool(); }
  // One time in `n`.
  bool rarely(int n = 32) { return data_.ConsumeIntegralInRange(0, n - 1) == n - 1; }
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return data_.ConsumeIntegralInRange(low, high);
  }
  template <class T>
  T one_of(std::initializer_list<T> choices) {
    return *(choices.begin() + between(0, static_cast<std::int64_t>(choices.size()) - 1));
  }

  // A number that nobody sensible gives.
  std::int64_t hostile() {
    constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
    return one_of<std::int64_t>({0, -1, -2, kMost, kMost - 1, kMost / 2, -kMost, -kMost - 1,
                                 std::int64_t{1} << 31, (std::int64_t{1} << 32) + 1,
                                 std::int64_t{1} << 40, std::int64_t{1} << 62,
                                 (std::int64_t{1} << 62) + 1, std::int64_t{1} << 48});
  }
  // Of an operator's options: in [low, high], now and then hostile.
  std::int64_t attribute(std::int64_t low, std::int64_t high) {
    return rarely(24) ? hostile() : between(low, high);
  }
  double real(double low, double high) {
    if (rarely(24))
      return one_of<double>(
          {0.0, -1.0, 1e-320, 1e30, 1e300, -1e300, std::numeric_limits<double>::infinity(),
           -std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()});
    return data_.ConsumeFloatingPointInRange(low, high);
  }
  int axis(int rank) {
    if (rarely(24)) return static_cast<int>(between(-12, 12));
    return rank == 0 ? 0 : static_cast<int>(between(-rank, rank - 1));
  }
  // An extent of a tensor's: now and then 0.
  std::int64_t extent(std::int64_t high = 5) { return rarely(24) ? 0 : between(1, high); }
  Shape shape(int most_axes = 4, std::int64_t high = 4) {
    Shape shape;
    for (std::int64_t axes = between(0, most_axes); axes > 0; --axes) shape.push_back(extent(high));
    return shape;
  }
  // The shape of an argument that is to be `wanted`: now and then something else.
  Shape near(const Shape& wanted) {
    if (!rarely(48) || wanted.rank() == 0) return wanted;
    Shape other = wanted;
    other[static_cast<int>(between(0, wanted.rank() - 1))] = between(0, 6);
    return other;
  }

  DType dtype() { return rarely(3) ? DType::float64 : DType::float32; }

  double value(Values values) {
    const std::int64_t kind = between(0, 15);
    if (kind < 10 || values == Values::tame) return static_cast<double>(between(-64, 64)) / 32;
    if (kind < 14 || values == Values::finite)
      return one_of<double>({1e30, -1e30, 1e-40, -1e-42, 0.0, -0.0, 1e19, 3e38, -3e38, 1e-30,
                             16777216.0, 90.0, -90.0, 1e5});
    return one_of<double>({std::numeric_limits<double>::infinity(),
                           -std::numeric_limits<double>::infinity(),
                           std::numeric_limits<double>::quiet_NaN()});
  }
  Tensor tensor(const Shape& shape, DType dtype, Values values = Values::any) {
    std::vector<double> elements(static_cast<std::size_t>(shape.size()));
    // A byte for each of the first ones; after that they repeat with a phase.
    constexpr std::size_t kDrawn = 96;
    for (std::size_t i = 0; i < elements.size(); ++i)
      elements[i] = i < kDrawn && !empty() ? value(values)
                                           : static_cast<double>((i * 37 + 11) % 129) / 32 - 2;
    return Tensor::from(elements, shape).to(dtype);
  }
  // int64 in [low, high], now and then outside.
  Tensor indices(const Shape& shape, std::int64_t low, std::int64_t high) {
    std::vector<std::int64_t> elements(static_cast<std::size_t>(shape.size()));
    const bool bad = rarely(24);
    for (std::int64_t& element : elements) {
      element = low <= high ? between(low, high) : low;
      if (bad && rarely(4)) element = hostile();
    }
    return Tensor::from(elements, shape);
  }
  std::string text() { return data_.ConsumeRandomLengthString(64); }

 private:
  FuzzedDataProvider data_;
};

}  // namespace pliant::fuzz
