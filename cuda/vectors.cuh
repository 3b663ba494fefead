// Neighbouring elements that one thread takes together, so that it reads and writes 16 bytes at a
// time: channels of a pixel above all.
#pragma once

#include <cstdint>
#include <type_traits>

namespace pliant::cuda {

template <class T, int kCount>
struct alignas(sizeof(T) * kCount < 16 ? sizeof(T) * kCount : 16) Vector {
  T value[kCount];
};

// Elements of 16 bytes.
template <class T>
inline constexpr int kVector = static_cast<int>(16 / sizeof(T));

// Whether rows of c elements that begin at these addresses (null: of nothing) are whole vectors.
template <class T, class... Pointers>
bool are_vectors(std::int64_t c, const Pointers*... rows) {
  return c % kVector<T> == 0 && ((reinterpret_cast<std::uintptr_t>(rows) % 16 == 0) && ...);
}

template <int kCount, class T>
__device__ Vector<T, kCount> load(const T* from) {
  return *reinterpret_cast<const Vector<T, kCount>*>(from);
}
template <int kCount, class T>
__device__ void store(const Vector<T, kCount>& values, T* to) {
  *reinterpret_cast<Vector<T, kCount>*>(to) = values;
}

// sums += a * b, element by element.
template <int kCount, class T>
__device__ void add_products(const Vector<T, kCount>& a, const Vector<T, kCount>& b,
                             Vector<T, kCount>& sums) {
  for (int i = 0; i < kCount; ++i) sums.value[i] += a.value[i] * b.value[i];
}
// sum += a . b
template <int kCount, class T>
__device__ void add_dot(const Vector<T, kCount>& a, const Vector<T, kCount>& b, T& sum) {
  for (int i = 0; i < kCount; ++i) sum += a.value[i] * b.value[i];
}
// sums += weight * a.
template <int kCount, class T>
__device__ void add_scaled(T weight, const Vector<T, kCount>& a, Vector<T, kCount>& sums) {
  for (int i = 0; i < kCount; ++i) sums.value[i] += weight * a.value[i];
}

// Whether the code that is being compiled may add four float32 atomically by one request.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
inline constexpr bool kAddsFour = true;
#else
inline constexpr bool kAddsFour = false;
#endif

// to += a, safe against other threads and in no order.
template <int kCount, class T>
__device__ void add_atomically(const Vector<T, kCount>& a, T* to) {
  if constexpr (kAddsFour && kCount == 4 && std::is_same_v<T, float>)
    atomicAdd(reinterpret_cast<float4*>(to),
              make_float4(a.value[0], a.value[1], a.value[2], a.value[3]));
  else
    for (int i = 0; i < kCount; ++i) atomicAdd(to + i, a.value[i]);
}

}  // namespace pliant::cuda
