// The widest vectors that the including file is compiled for, by GCC's vector extensions: what the
// micro kernels are written in (vectors.h has those of one width for any processor).
#pragma once

#include <cstdint>

#include <pliant/core/cpu/vectors.h>

#if defined(__AVX__) && defined(__FMA__)
#include <immintrin.h>
#endif

namespace pliant::cpu::micro {

#if defined(__AVX512F__)
inline constexpr std::size_t kVectorBytes = 64;
#elif defined(__AVX__) && defined(__FMA__)
inline constexpr std::size_t kVectorBytes = 32;
#else
inline constexpr std::size_t kVectorBytes = 16;
#endif

// A vector that may lie at any address of an element.
template <class T>
using Vector = typename VectorOf<T, kVectorBytes>::unaligned;

template <class T>
inline constexpr int kLanes = static_cast<int>(kVectorBytes / sizeof(T));

// sum + a * b, rounded once where the processor can. Spelled out, because a compiler that may fuse
// need not: GCC tuned for Zen fuses in some tiles and not in others, and an element's bits would
// depend on the tile it lies in.
inline Vector<float> fused(Vector<float> a, Vector<float> b, Vector<float> sum) {
#if defined(__AVX512F__)
  return _mm512_fmadd_ps(a, b, sum);
#elif defined(__AVX__) && defined(__FMA__)
  return _mm256_fmadd_ps(a, b, sum);
#else
  return sum + a * b;
#endif
}

inline Vector<double> fused(Vector<double> a, Vector<double> b, Vector<double> sum) {
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
inline Vector<T> load_part(const T* from, std::int64_t count) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4)
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), from);
  else
    return _mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << count) - 1), from);
#else
  T buffer[static_cast<unsigned long>(kLanes<T>)] = {};
  for (std::int64_t i = 0; i < count; ++i) buffer[i] = from[i];
  return *reinterpret_cast<const Vector<T>*>(buffer);
#endif
}

template <class T>
inline void store_part(Vector<T> value, T* to, std::int64_t count) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4)
    _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << count) - 1), value);
  else
    _mm512_mask_storeu_pd(to, static_cast<__mmask8>((1u << count) - 1), value);
#else
  T buffer[static_cast<unsigned long>(kLanes<T>)];
  *reinterpret_cast<Vector<T>*>(buffer) = value;
  for (std::int64_t i = 0; i < count; ++i) to[i] = buffer[i];
#endif
}

}  // namespace pliant::cpu::micro
