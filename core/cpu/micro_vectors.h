// The widest vectors that the including file is compiled for, by GCC's vector extensions: what the
// micro kernels are written in (portable_vectors.h has those of one width for any processor).
#pragma once

#include <cstdint>

#if defined(__AVX__) && defined(__FMA__)
#include <immintrin.h>
#endif

namespace pliant::cpu::micro {

#if defined(__AVX512F__)
inline constexpr int kVectorBytes = 64;
#elif defined(__AVX__) && defined(__FMA__)
inline constexpr int kVectorBytes = 32;
#else
inline constexpr int kVectorBytes = 16;
#endif

// Vectors that may lie at any address of an element: rows of maps are not aligned.
template <class T>
struct VectorOf;
template <>
struct VectorOf<float> {
  typedef float type __attribute__((vector_size(kVectorBytes), aligned(4), may_alias));
};
template <>
struct VectorOf<double> {
  typedef double type __attribute__((vector_size(kVectorBytes), aligned(8), may_alias));
};

template <class T>
inline constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(T));

// sum + a * b, rounded once where the processor can. Spelled out, because a compiler that may fuse
// need not: GCC tuned for Zen fuses in some tiles and not in others, and an element's bits would
// depend on the tile it lies in.
inline VectorOf<float>::type fused(VectorOf<float>::type a, VectorOf<float>::type b,
                                   VectorOf<float>::type sum) {
#if defined(__AVX512F__)
  return _mm512_fmadd_ps(a, b, sum);
#elif defined(__AVX__) && defined(__FMA__)
  return _mm256_fmadd_ps(a, b, sum);
#else
  return sum + a * b;
#endif
}

inline VectorOf<double>::type fused(VectorOf<double>::type a, VectorOf<double>::type b,
                                    VectorOf<double>::type sum) {
#if defined(__AVX512F__)
  return _mm512_fmadd_pd(a, b, sum);
#elif defined(__AVX__) && defined(__FMA__)
  return _mm256_fmadd_pd(a, b, sum);
#else
  return sum + a * b;
#endif
}

// The first `count` < kLanes elements of a vector: the others read as 0 and are not written.
template <class T>
inline typename VectorOf<T>::type load_part(const T* from, std::int64_t count) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4)
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), from);
  else
    return _mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << count) - 1), from);
#else
  T buffer[static_cast<unsigned long>(kLanes<T>)] = {};
  for (std::int64_t i = 0; i < count; ++i) buffer[i] = from[i];
  return *reinterpret_cast<const typename VectorOf<T>::type*>(buffer);
#endif
}

template <class T>
inline void store_part(typename VectorOf<T>::type value, T* to, std::int64_t count) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4)
    _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << count) - 1), value);
  else
    _mm512_mask_storeu_pd(to, static_cast<__mmask8>((1u << count) - 1), value);
#else
  T buffer[static_cast<unsigned long>(kLanes<T>)];
  *reinterpret_cast<typename VectorOf<T>::type*>(buffer) = value;
  for (std::int64_t i = 0; i < count; ++i) to[i] = buffer[i];
#endif
}

}  // namespace pliant::cpu::micro
