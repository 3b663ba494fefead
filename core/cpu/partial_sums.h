// Sums that several tasks make part of: the parts are added up in order, so that no bit depends on
// the number of threads.
#pragma once

#include <cstdint>

#include <pliant/core/kernels/workspace.h>
#include <pliant/core/parallel.h>

namespace pliant::cpu {

// A sum that several tasks share has at most so many parts, each of which one adds up in order.
inline constexpr std::int64_t kMostPartials = 16;

// Sums partials [count][size] in order, in float64.
template <class From, class T>
void sum_partials(std::int64_t count, std::int64_t size, const From* partials, T* total) {
  parallel_blocks(size, std::int64_t{1} << 14, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      auto sum = static_cast<double>(partials[i]);
      for (std::int64_t part = 1; part < count; ++part)
        sum += static_cast<double>(partials[part * size + i]);
      total[i] = static_cast<T>(sum);
    }
  });
}

// A sum over all channels whose shares are summed by several tasks, one buffer for each share; the
// first is the result itself, which may be null.
template <class T>
class SharedSum {
 public:
  SharedSum(T* whole, std::int64_t size, std::int64_t shares, Workspace& workspace)
      : whole_(whole), size_(size), shares_(shares) {
    if (whole != nullptr && shares > 1) more_ = workspace.take<T>((shares - 1) * size);
  }
  T* of(std::int64_t share) const {
    return more_ == nullptr || share == 0 ? whole_ : more_ + (share - 1) * size_;
  }
  void add_up() const {
    if (more_ == nullptr) return;
    parallel_blocks(size_, std::int64_t{1} << 14, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t share = 1; share < shares_; ++share)
        for (std::int64_t i = begin; i < end; ++i) whole_[i] += of(share)[i];
    });
  }

 private:
  T* whole_;
  T* more_ = nullptr;
  std::int64_t size_, shares_;
};

}  // namespace pliant::cpu
