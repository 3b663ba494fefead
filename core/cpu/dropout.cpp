#include <pliant/core/kernels/dropout.h>

#include <algorithm>

#include <pliant/core/parallel.h>

namespace pliant {
namespace {

constexpr std::int64_t kWords = 4;   // of one call of philox: elements 4 i to 4 i + 3
constexpr std::int64_t kCalls = 64;  // worked out side by side, so that they are vectors
constexpr std::int64_t kBlock = 64 * kWords * kCalls;  // elements a task

// The bits of the elements from 4 * first on: of element 4 i + k, bits[k][i]. Written so that
// compilers make vectors of it.
using Bits = std::uint32_t[kWords][kCalls];
void draw(std::uint64_t key, std::uint64_t first, Bits& bits) {
  for (std::uint64_t i = 0; i < kCalls; ++i) {
    const Philox4 r = philox(key, first + i, 0);
    bits[0][i] = r.word[0];
    bits[1][i] = r.word[1];
    bits[2][i] = r.word[2];
    bits[3][i] = r.word[3];
  }
}

// Elements before the first whole call.
template <class T>
std::int64_t drop_head(const DropoutGeometry& g, const T* x, T* y) {
  const std::int64_t head = std::min(g.n, (kWords - g.first % kWords) % kWords);
  const Rng key = g.key_of_step();
  for (std::int64_t i = 0; i < head; ++i)
    y[i] = pliant::dropout(x[i], key.bits(static_cast<std::uint64_t>(g.first + i)), g.threshold(),
                           static_cast<T>(g.scale()));
  return head;
}

template <class T>
void drop(const DropoutGeometry& g, const T* x, T* y) {
  const std::int64_t head = drop_head(g, x, y);
  x += head;
  y += head;
  const std::uint64_t threshold = g.threshold(), key = g.key_of_step().key();
  const T scale = static_cast<T>(g.scale());
  const std::int64_t first = (g.first + head) / kWords;
  parallel_blocks(g.n - head, kBlock, [=](std::int64_t begin, std::int64_t end) {
    Bits bits;
    for (std::int64_t at = begin; at < end; at += kWords * kCalls) {
      draw(key, static_cast<std::uint64_t>(first + at / kWords), bits);
      const std::int64_t count = std::min(end - at, kWords * kCalls), calls = count / kWords;
      for (std::int64_t i = 0; i < calls; ++i)
        for (std::int64_t k = 0; k < kWords; ++k) {
          const std::int64_t j = at + kWords * i + k;
          y[j] = pliant::dropout(x[j], bits[k][i], threshold, scale);
        }
      for (std::int64_t i = calls * kWords; i < count; ++i)
        y[at + i] = pliant::dropout(x[at + i], bits[i % kWords][calls], threshold, scale);
    }
  });
}

}  // namespace

constinit FloatKernel<Dropped> cpu::dropout{drop, drop};

}  // namespace pliant
