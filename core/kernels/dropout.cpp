#include <pliant/core/kernels/dropout.h>

#include <algorithm>

#include <pliant/core/parallel.h>

namespace pliant {
namespace {

constexpr std::int64_t kWords = 4;   // of one call of philox: elements 4 i to 4 i + 3
constexpr std::int64_t kCalls = 64;  // worked out side by side, so that they are vectors
constexpr std::int64_t kBlock = 64 * kWords * kCalls;  // elements a task

template <class T>
void drop(const DropoutGeometry& g, const T* x, T* y) {
  const std::uint64_t threshold = g.threshold(), key = g.key.key();
  const T scale = static_cast<T>(g.scale());
  parallel_blocks(g.n, kBlock, [=](std::int64_t begin, std::int64_t end) {
    std::uint32_t bits[kWords][kCalls];
    for (std::int64_t at = begin; at < end; at += kWords * kCalls) {
      const auto first = static_cast<std::uint64_t>(at / kWords);
      for (std::int64_t i = 0; i < kCalls; ++i) {
        const Philox4 r = philox(key, first + static_cast<std::uint64_t>(i), 0);
        for (std::int64_t k = 0; k < kWords; ++k) bits[k][i] = r.word[k];
      }
      const std::int64_t count = std::min(end - at, kWords * kCalls);
      for (std::int64_t i = 0; i < count; ++i)
        y[at + i] = pliant::dropout(x[at + i], bits[i % kWords][i / kWords], threshold, scale);
    }
  });
}

}  // namespace

void cpu::dropout(const DropoutGeometry& g, const float* x, float* y) { drop(g, x, y); }
void cpu::dropout(const DropoutGeometry& g, const double* x, double* y) { drop(g, x, y); }

}  // namespace pliant
