// Neighbouring elements that one thread takes together, so that it reads and writes 16 bytes at a
// time: channels of a pixel above all.
#pragma once

#include <cstdint>
#include <type_traits>

#include <pliant/core/bfloat16.h>

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

// From memory and back: in between, elements are wide.
template <int kCount, class T>
__device__ Vector<Wide<T>, kCount> load(const T* from) {
  const auto values = *reinterpret_cast<const Vector<T, kCount>*>(from);
  if constexpr (std::is_same_v<T, Wide<T>>) {
    return values;
  } else {
    Vector<Wide<T>, kCount> wide;
    for (int i = 0; i < kCount; ++i) wide.value[i] = values.value[i];
    return wide;
  }
}
template <int kCount, class T, class To>
__device__ void store(const Vector<T, kCount>& values, To* to) {
  if constexpr (std::is_same_v<T, To>) {
    *reinterpret_cast<Vector<T, kCount>*>(to) = values;
  } else {
    Vector<To, kCount> rounded;
    for (int i = 0; i < kCount; ++i) rounded.value[i] = To(values.value[i]);
    *reinterpret_cast<Vector<To, kCount>*>(to) = rounded;
  }
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

// Sums of any number of terms, which float64 holds: after every run of them, so that a GPU that is
// slow at it loses nothing.
template <class T, int kCount>
class LongSums {
 public:
  // What to add the next term to.
  __device__ Vector<T, kCount>& next() {
    if (++terms_ > kRun) hold();
    return run_;
  }
  __device__ Vector<T, kCount> total() {
    hold();
    Vector<T, kCount> sums;
    for (int i = 0; i < kCount; ++i) sums.value[i] = static_cast<T>(held_.value[i]);
    return sums;
  }

 private:
  static constexpr int kRun = 32;

  __device__ void hold() {
    for (int i = 0; i < kCount; ++i) held_.value[i] += static_cast<double>(run_.value[i]);
    run_ = {};
    terms_ = 1;
  }

  Vector<T, kCount> run_{};
  Vector<double, kCount> held_{};
  int terms_ = 0;
};

// Whether the code that is being compiled may add four float32 atomically by one request.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
inline constexpr bool kAddsFour = true;
#else
inline constexpr bool kAddsFour = false;
#endif

// to += a, safe against other threads and in no order.
template <int kCount, class T>
__device__ void add_atomically(const Vector<T, kCount>& a, T* to) {
  if constexpr (kAddsFour && kCount % 4 == 0 && std::is_same_v<T, float>)
    for (int i = 0; i < kCount; i += 4)
      atomicAdd(reinterpret_cast<float4*>(to + i),
                make_float4(a.value[i], a.value[i + 1], a.value[i + 2], a.value[i + 3]));
  else
    for (int i = 0; i < kCount; ++i) atomicAdd(to + i, a.value[i]);
}

}  // namespace pliant::cuda
