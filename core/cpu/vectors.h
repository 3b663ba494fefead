// Vectors of the CPU's kernels: GCC's vector extensions, which compile for any processor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace pliant::cpu {

template <class T, std::size_t bytes>
struct VectorOf {
  typedef T type __attribute__((vector_size(bytes)));
  // The same at any address of an element: rows of maps are not aligned.
  typedef T unaligned __attribute__((vector_size(bytes), aligned(alignof(T)), may_alias));
};
// Sixteen floats or eight doubles, where nothing else is said.
template <class T, std::size_t bytes = 64>
using Vector = typename VectorOf<T, bytes>::type;

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
  using Whole = Vector<T>;
  using Quarter = Vector<T, 16>;
  constexpr std::int64_t kLanes = sizeof(Whole) / sizeof(T), kFew = kLanes / 4;
  std::int64_t c = 0;
  for (; c + kLanes <= count; c += kLanes) f(c, static_cast<Whole*>(nullptr));
  for (; c + kFew <= count; c += kFew) f(c, static_cast<Quarter*>(nullptr));
  for (; c < count; ++c) f(c, static_cast<T*>(nullptr));
}

}  // namespace pliant::cpu
