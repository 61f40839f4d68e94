// Vectors of numbers that are computed in one type and stored in another: half-width floats in
// memory, float32 in registers. For float and double the two are the same.
#pragma once

#include <type_traits>

#include "../runtime/dtype.h"
#include "vec.h"

namespace torchts {
inline namespace TORCHTS_ISA {

// What elements of T are computed in.
template <class T>
using Computed = std::conditional_t<kHalfWidth<T>, float, T>;

using Words = VecOf<uint32_t>::type;
typedef uint16_t HalfWords __attribute__((vector_size(kVectorBytes / 2)));
typedef uint16_t UnalignedHalfWords
    __attribute__((vector_size(kVectorBytes / 2), aligned(2), may_alias));

// The numbers that words of the half-width type T stand for.
template <class T>
inline VecF widen(HalfWords bits) {
  if constexpr (std::is_same_v<T, bfloat16>) {
    return bit_cast<VecF>(__builtin_convertvector(bits, Words) << 16);
  } else {
#if defined(__AVX512F__)
    return _mm512_cvtph_ps(reinterpret_cast<__m256i>(bits));
#elif defined(__F16C__)
    return _mm256_cvtph_ps(reinterpret_cast<__m128i>(bits));
#else
    VecF value;
    for (int l = 0; l < kLanes<float>; l++) value[l] = to_float(T{bits[l]});
    return value;
#endif
  }
}

// Rounds to nearest even and keeps NaN a NaN, as to_bfloat16 and to_float16 do.
template <class T>
inline HalfWords narrow(VecF value) {
  if constexpr (std::is_same_v<T, bfloat16>) {
    const Words bits = bit_cast<Words>(value);
    const Words rounded = bits + 0x7fffu + ((bits >> 16) & 1u);
    const Words quiet = bits | 0x400000u;
    const Words chosen = bit_cast<Words>(value != value) & (quiet ^ rounded);
    return __builtin_convertvector((rounded ^ chosen) >> 16, HalfWords);
  } else {
#if defined(__AVX512F__)
    return reinterpret_cast<HalfWords>(_mm512_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT));
#elif defined(__F16C__)
    return reinterpret_cast<HalfWords>(_mm256_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT));
#else
    HalfWords bits;
    for (int l = 0; l < kLanes<float>; l++) bits[l] = to_float16(value[l]).bits;
    return bits;
#endif
  }
}

// The first `count` elements, the other lanes zero; `count` may be that of a whole vector.
template <class T>
inline Vec<Computed<T>> read_lanes(const T* from, int64_t count) {
  if constexpr (kHalfWidth<T>) {
    HalfWords bits = {};
    if (count >= kLanes<float>)
      bits = *reinterpret_cast<const UnalignedHalfWords*>(from);
    else
      for (int64_t l = 0; l < count; l++) bits[l] = from[l].bits;
    return widen<T>(bits);
  } else {
    return load_lanes(from, count);
  }
}

template <class T>
inline void write_lanes(T* to, Vec<Computed<T>> value, int64_t count) {
  if constexpr (kHalfWidth<T>) {
    const HalfWords bits = narrow<T>(value);
    if (count >= kLanes<float>)
      *reinterpret_cast<UnalignedHalfWords*>(to) = bits;
    else
      for (int64_t l = 0; l < count; l++) to[l].bits = bits[l];
  } else {
    store_lanes(to, value, count);
  }
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
