// Vectors of the CPU kernels that are not products: GCC's vector extensions, which compile for any
// processor.
#pragma once

#include <cstdint>
#include <cstring>

namespace pliant::cpu {

// Sixteen floats or eight doubles, and a quarter of that.
template <class T>
struct VectorOf {
  typedef T type __attribute__((vector_size(64)));
  typedef T quarter __attribute__((vector_size(16)));
};

// Elements may lie anywhere, so vectors are copied in and out. They go by reference: how one is
// passed by value differs between instruction sets.
template <class V, class T>
void load(const T* p, V& v) {
  std::memcpy(&v, p, sizeof(V));
}
template <class V, class T>
void store(const V& v, T* p) {
  std::memcpy(p, &v, sizeof(V));
}

// Calls f(c, V*) for vectors V, then quarters of them, then single elements along `count` channels.
// The pointer, null, tells V.
template <class T, class F>
inline void along_channels(std::int64_t count, F&& f) {
  using Vector = typename VectorOf<T>::type;
  using Quarter = typename VectorOf<T>::quarter;
  constexpr std::int64_t kLanes = sizeof(Vector) / sizeof(T), kFew = kLanes / 4;
  std::int64_t c = 0;
  for (; c + kLanes <= count; c += kLanes) f(c, static_cast<Vector*>(nullptr));
  for (; c + kFew <= count; c += kFew) f(c, static_cast<Quarter*>(nullptr));
  for (; c < count; ++c) f(c, static_cast<T*>(nullptr));
}

}  // namespace pliant::cpu
