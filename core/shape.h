// Shape: the extents of a tensor, outermost first.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <ostream>
#include <span>
#include <string>

#include <pliant/core/error.h>

namespace pliant {

// Up to eight extents, each >= 0, in place (no allocation). Prints as [2 28 28 1]. The product of
// those that are not 0 is at most kMostElements, so that neither the bytes of a tensor nor a
// product of some of its extents overflows, empty or not (NumPy's rule).
class Shape {
 public:
  static constexpr int kMaxRank = 8;
  static constexpr std::int64_t kMostElements = std::numeric_limits<std::int64_t>::max() / 16;

  Shape() = default;
  Shape(std::initializer_list<std::int64_t> extents)
      : Shape(std::span(extents.begin(), extents.size())) {}
  explicit Shape(std::span<const std::int64_t> extents) {
    for (const std::int64_t extent : extents) append(extent);
    size();  // checks them
  }

  int rank() const { return rank_; }

  // Number of elements; 1 for a scalar. An Error if an extent was set to what no shape may have.
  std::int64_t size() const {
    std::int64_t product = 1;
    bool is_empty = false;
    for (const std::int64_t extent : *this) {
      require(extent >= 0, "shape: extent ", extent, " of ", *this, " is negative");
      is_empty = is_empty || extent == 0;
      const bool fits = !__builtin_mul_overflow(product, extent == 0 ? 1 : extent, &product) &&
                        product <= kMostElements;
      require(fits, "shape: ", *this, " is too large: the product of the extents, 0 counted as 1, ",
              "is above ", kMostElements, " and so the bytes may not fit in 64 bits");
    }
    return is_empty ? 0 : product;
  }

  // Negative axes count from the end; one out of range is an Error.
  std::int64_t operator[](int axis) const { return extents_[place(axis)]; }
  std::int64_t& operator[](int axis) { return extents_[place(axis)]; }
  std::int64_t back() const { return (*this)[-1]; }

  const std::int64_t* begin() const { return extents_.data(); }
  const std::int64_t* end() const { return extents_.data() + rank_; }

  void push_back(std::int64_t extent) {
    Shape longer = *this;
    longer.append(extent);
    longer.size();  // checks it
    *this = longer;
  }

  // Counts a negative axis from the end; an axis out of range is an Error that names `who`.
  int axis(int index, const char* who) const {
    require(index >= -rank_ && index < rank_, who, ": axis ", index, " is out of range for ",
            *this);
    return index < 0 ? index + rank_ : index;
  }

  friend bool operator==(const Shape& a, const Shape& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

  friend std::ostream& operator<<(std::ostream& out, const Shape& shape) {
    out << '[';
    for (int i = 0; i < shape.rank(); ++i) out << (i == 0 ? "" : " ") << std::to_string(shape[i]);
    return out << ']';
  }

 private:
  std::size_t place(int index) const { return static_cast<std::size_t>(axis(index, "shape")); }

  void append(std::int64_t extent) {
    require(rank_ < kMaxRank, "shape: more than ", kMaxRank, " axes");
    extents_[static_cast<std::size_t>(rank_++)] = extent;
  }

  std::array<std::int64_t, kMaxRank> extents_{};
  int rank_ = 0;
};

}  // namespace pliant
