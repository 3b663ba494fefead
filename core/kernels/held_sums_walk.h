// Sums of scattered terms, each added to a place of a map in the map's own type. Any number of them
// may meet in one place.
#pragma once

#include <cstdint>
#include <vector>

namespace pliant::cpu {

// Takes what a place holds into float64 after its first kFew terms and every `run` from there on,
// so that float32 sums of a million terms are exact too. A place of few terms costs but their
// count.
template <class T>
class HeldSums {
 public:
  // `places` of `width` neighbours each, `stride` elements apart; what they hold now counts too.
  HeldSums(T* sums, std::int64_t places, std::int64_t width, std::int64_t stride, int run = 8)
      : sums_(sums), width_(width), stride_(stride), run_(run) {
    if constexpr (kHolds) counts_.resize(static_cast<std::size_t>(places));
  }

  // Before a term is added to elements of this place.
  void count(std::int64_t place) {
    if constexpr (kHolds) {
      if (++counts_[static_cast<std::size_t>(place)] <= kFew) return;
      take(place);
      begin_run(place, kFew);
    }
  }
  // Before terms are added to the pixels of a bilinear tap (-1: none), which lie in a square, of a
  // map with lines of `line` places. One count serves the four: each is of four squares at most.
  void count_square(const std::int32_t (&pixel)[4], std::int64_t line) {
    if constexpr (kHolds) {
      std::int64_t first = pixel[0];
      for (int k = 1; k < 4 && first < 0; ++k) first = pixel[k];
      if (first >= 0 && ++counts_[static_cast<std::size_t>(first)] > kFew / 4)
        take_square(first, line);
    }
  }
  // After the last term.
  void finish() {
    for (std::size_t i = 0; i < places_.size(); ++i) {
      T* const sum = sums_ + places_[i] * stride_;
      const double* const held = held_.data() + static_cast<std::int64_t>(i) * width_;
      for (std::int64_t j = 0; j < width_; ++j)
        sum[j] = static_cast<T>(held[j] + static_cast<double>(sum[j]));
    }
  }

 private:
  static constexpr bool kHolds = sizeof(T) < sizeof(double);
  static constexpr int kFew = 128;

  void begin_run(std::int64_t place, int few) {
    counts_[static_cast<std::size_t>(place)] = static_cast<std::uint16_t>(few - run_ + 1);
  }
  [[gnu::noinline]] void take_square(std::int64_t first, std::int64_t line) {
    for (const std::int64_t place : {first, first + 1, first + line, first + line + 1})
      if (place < static_cast<std::int64_t>(counts_.size())) take(place);
    begin_run(first, kFew / 4);
  }
  [[gnu::noinline]] void take(std::int64_t place) {
    const auto at = static_cast<std::size_t>(place);
    if (rows_.empty()) rows_.assign(counts_.size(), -1);
    if (rows_[at] < 0) {
      rows_[at] = static_cast<std::int64_t>(places_.size());
      places_.push_back(place);
      held_.resize(held_.size() + static_cast<std::size_t>(width_));
    }
    T* const sum = sums_ + place * stride_;
    double* const held = held_.data() + rows_[at] * width_;
    for (std::int64_t j = 0; j < width_; ++j) {
      held[j] += static_cast<double>(sum[j]);
      sum[j] = T(0);
    }
  }

  T* sums_;
  std::int64_t width_, stride_;
  int run_;
  std::vector<std::uint16_t> counts_;  // terms of a place; a new run begins so far before kFew
  std::vector<std::int64_t> rows_;     // of held_, by place; -1: none
  std::vector<std::int64_t> places_;   // of the rows
  std::vector<double> held_;           // [rows width]
};

}  // namespace pliant::cpu
