// Vectors of the widest width the target has, as GCC vector extensions: `Vec<T>` is one register
// of T. Operators work on whole vectors, a comparison gives a mask of -1 and 0, and `select` picks
// by mask. Loads and stores may be unaligned.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

// Each provider is compiled for one instruction set; its code lives in a namespace of that name.
#if defined(__AVX512F__)
#define TORCHTS_ISA avx512
#elif defined(__AVX2__)
#define TORCHTS_ISA avx2
#else
#define TORCHTS_ISA baseline
#endif

namespace torchts {
inline namespace TORCHTS_ISA {

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX2__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif

template <class T>
struct VecOf {
  typedef T type __attribute__((vector_size(kVectorBytes)));
  typedef T unaligned __attribute__((vector_size(kVectorBytes), aligned(alignof(T)), may_alias));
};
template <class T>
using Vec = typename VecOf<T>::type;

template <class T>
constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(T));

using VecF = Vec<float>;
using VecI = Vec<int32_t>;  // also the mask type of VecF
using VecD = Vec<double>;
using VecL = Vec<int64_t>;  // also the mask type of VecD

template <class T>
inline Vec<T> load(const T* from) {
  return *reinterpret_cast<const typename VecOf<T>::unaligned*>(from);
}

template <class T>
inline void store(T* to, Vec<T> value) {
  *reinterpret_cast<typename VecOf<T>::unaligned*>(to) = value;
}

template <class T>
inline Vec<T> splat(T value) {
  return value - Vec<T>{};
}

#if defined(__AVX2__) && !defined(__AVX512F__)
// All ones in the first `count` lanes of `bytes` bytes.
inline __m256i lane_mask(int64_t count, int bytes) {
  alignas(32) static constexpr int32_t kOnes[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
  const int64_t words = count * bytes / 4;
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kOnes + 8 - words));
}
#endif

// The first `count` lanes; the others are zero. `count` is less than a whole vector.
template <class T>
inline Vec<T> load_partial(const T* from, int64_t count) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) {
    const auto mask = static_cast<__mmask16>((1u << count) - 1);
    return reinterpret_cast<Vec<T>>(_mm512_maskz_loadu_epi32(mask, from));
  } else if constexpr (sizeof(T) == 8) {
    const auto mask = static_cast<__mmask8>((1u << count) - 1);
    return reinterpret_cast<Vec<T>>(_mm512_maskz_loadu_epi64(mask, from));
  }
#elif defined(__AVX2__)
  if constexpr (sizeof(T) >= 4) {
    return reinterpret_cast<Vec<T>>(
        _mm256_maskload_epi32(reinterpret_cast<const int*>(from), lane_mask(count, sizeof(T))));
  }
#endif
  Vec<T> value = {};
  for (int64_t i = 0; i < count; i++) value[i] = from[i];
  return value;
}

template <class T>
inline void store_partial(T* to, Vec<T> value, int64_t count) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) {
    const auto mask = static_cast<__mmask16>((1u << count) - 1);
    return _mm512_mask_storeu_epi32(to, mask, reinterpret_cast<__m512i>(value));
  } else if constexpr (sizeof(T) == 8) {
    const auto mask = static_cast<__mmask8>((1u << count) - 1);
    return _mm512_mask_storeu_epi64(to, mask, reinterpret_cast<__m512i>(value));
  }
#elif defined(__AVX2__)
  if constexpr (sizeof(T) >= 4) {
    return _mm256_maskstore_epi32(reinterpret_cast<int*>(to), lane_mask(count, sizeof(T)),
                                  reinterpret_cast<__m256i>(value));
  }
#endif
  for (int64_t i = 0; i < count; i++) to[i] = value[i];
}

// Whole vectors where `count` allows, partial ones otherwise.
template <class T>
inline Vec<T> load_lanes(const T* from, int64_t count) {
  return count >= kLanes<T> ? load(from) : load_partial(from, count);
}

template <class T>
inline void store_lanes(T* to, Vec<T> value, int64_t count) {
  if (count >= kLanes<T>) return store<T>(to, value);
  store_partial<T>(to, value, count);
}

// Stops the compiler from reading the same memory again for every use of a loaded vector.
template <class V>
inline void keep_in_register(V& value) {
#if defined(__AVX512F__)
  asm("" : "+v"(value));
#elif defined(__SSE2__)
  asm("" : "+x"(value));
#else
  (void)value;
#endif
}

template <class To, class From>
inline To bit_cast(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

// mask ? a : b, for scalars and for vectors.
template <class T>
inline T select(bool mask, T a, T b) {
  return mask ? a : b;
}
inline VecF select(VecI mask, VecF a, VecF b) { return mask ? a : b; }
inline VecI select(VecI mask, VecI a, VecI b) { return mask ? a : b; }
inline VecD select(VecL mask, VecD a, VecD b) { return mask ? a : b; }
inline VecL select(VecL mask, VecL a, VecL b) { return mask ? a : b; }

template <class V>
inline auto lane_sum(V value) {
  auto sum = value[0];
  for (int i = 1; i < static_cast<int>(sizeof(V) / sizeof value[0]); i++) sum += value[i];
  return sum;
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
