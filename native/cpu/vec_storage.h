// Vectors of numbers that are computed in one type and stored in another: bfloat16 in memory,
// float32 in registers. For float and double the two are the same.
#pragma once

#include <type_traits>

#include "../runtime/dtype.h"
#include "vec.h"

namespace torchts {
inline namespace TORCHTS_ISA {

// What elements of T are computed in.
template <class T>
using Computed = std::conditional_t<std::is_same_v<T, bfloat16>, float, T>;

using Words = VecOf<uint32_t>::type;
typedef uint16_t HalfWords __attribute__((vector_size(kVectorBytes / 2)));
typedef uint16_t UnalignedHalfWords
    __attribute__((vector_size(kVectorBytes / 2), aligned(2), may_alias));

inline VecF widen(HalfWords bits) {
  return bit_cast<VecF>(__builtin_convertvector(bits, Words) << 16);
}

// Rounds to nearest even and keeps NaN a NaN, as to_bfloat16 does.
inline HalfWords narrow(VecF value) {
  const Words bits = bit_cast<Words>(value);
  const Words rounded = bits + 0x7fffu + ((bits >> 16) & 1u);
  const Words quiet = bits | 0x400000u;
  const Words chosen = bit_cast<Words>(value != value) & (quiet ^ rounded);
  return __builtin_convertvector((rounded ^ chosen) >> 16, HalfWords);
}

// The first `count` elements, the other lanes zero; `count` may be that of a whole vector.
template <class T>
inline Vec<Computed<T>> read_lanes(const T* from, int64_t count) {
  if constexpr (std::is_same_v<T, bfloat16>) {
    HalfWords bits = {};
    if (count >= kLanes<float>)
      bits = *reinterpret_cast<const UnalignedHalfWords*>(from);
    else
      for (int64_t l = 0; l < count; l++) bits[l] = from[l].bits;
    return widen(bits);
  } else {
    return load_lanes(from, count);
  }
}

template <class T>
inline void write_lanes(T* to, Vec<Computed<T>> value, int64_t count) {
  if constexpr (std::is_same_v<T, bfloat16>) {
    const HalfWords bits = narrow(value);
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
