#include <pliant/core/kernels/dropout.h>

#include <pliant/cuda/launch.cuh>
#include <pliant/cuda/vectors.cuh>

namespace pliant {
namespace {

constexpr const char* kOp = "dropout";
constexpr int kWords = 4;  // of one call of philox: elements 4 i to 4 i + 3, one thread's

// Elements one by one, for a start within a call.
template <class T>
void drop_each(const DropoutGeometry& g, const T* x, T* y) {
  const std::uint64_t threshold = g.threshold();
  const T scale = static_cast<T>(g.scale());
  cuda::each(kOp, g.n, [=] __device__(std::int64_t i) {
    y[i] = dropout(x[i], g.key_of_step().bits(static_cast<std::uint64_t>(g.first + i)), threshold,
                   scale);
  });
}

// Elements 4 i to 4 i + count - 1, count being kWords unless the array ends before.
template <class T>
void drop_one_by_one(const DropoutGeometry& g, std::int64_t first, const T* x, T* y) {
  const std::uint64_t threshold = g.threshold();
  const T scale = static_cast<T>(g.scale());
  cuda::each(kOp, (g.n + kWords - 1) / kWords - first, [=] __device__(std::int64_t i) {
    const std::int64_t at = (first + i) * kWords;
    const std::int64_t call = g.first / kWords + first + i;
    const Philox4 bits = philox(g.key_of_step().key(), static_cast<std::uint64_t>(call), 0);
    for (int k = 0; k < kWords; ++k)
      if (at + k < g.n) y[at + k] = dropout(x[at + k], bits.word[k], threshold, scale);
  });
}

template <class T>
void drop_in_vectors(const DropoutGeometry& g, const T* x, T* y) {
  const std::uint64_t threshold = g.threshold();
  const T scale = static_cast<T>(g.scale());
  cuda::each(kOp, g.n / kWords, [=] __device__(std::int64_t i) {
    const std::int64_t call = g.first / kWords + i;
    const Philox4 bits = philox(g.key_of_step().key(), static_cast<std::uint64_t>(call), 0);
    auto values = cuda::load<kWords>(x + i * kWords);
    for (int k = 0; k < kWords; ++k)
      values.value[k] = dropout(values.value[k], bits.word[k], threshold, scale);
    cuda::store(values, y + i * kWords);
  });
}

template <class T>
void drop(const DropoutGeometry& g, const T* x, T* y) {
  if (g.first % kWords != 0) {
    drop_each(g, x, y);
    return;
  }
  const bool vectors = cuda::are_vectors<T>(kWords, x, y);
  if (vectors) drop_in_vectors(g, x, y);
  drop_one_by_one(g, vectors ? g.n / kWords : 0, x, y);
}

}  // namespace

constinit FloatKernel<Dropped> cuda::dropout{drop, drop};

}  // namespace pliant
