// Vectors of the CPU kernels that are not products: GCC's vector extensions, which compile for any
// processor.
#pragma once

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

}  // namespace pliant::cpu
