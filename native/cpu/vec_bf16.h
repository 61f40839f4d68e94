// bfloat16 in vectors: loaded as float32, stored rounded to nearest even; NaN stays NaN.
#pragma once

#include "../runtime/dtype.h"
#include "vec.h"

namespace torchts {
inline namespace TORCHTS_ISA {

typedef uint16_t VecHalf __attribute__((vector_size(kVectorBytes / 2)));
typedef uint16_t VecHalfUnaligned
    __attribute__((vector_size(kVectorBytes / 2), aligned(2), may_alias));
typedef uint32_t VecU __attribute__((vector_size(kVectorBytes)));

// The bits of the first `lanes` bfloat16 values, widened; the other lanes are zero.
inline VecU load_bits(const bfloat16* from, int64_t lanes) {
  if (lanes >= kLanes<float>) {
    return __builtin_convertvector(*reinterpret_cast<const VecHalfUnaligned*>(from), VecU);
  }
#if defined(__AVX512BW__) && defined(__AVX512VL__)
  const auto mask = static_cast<__mmask16>((1u << lanes) - 1);
  const __m256i half = _mm256_maskz_loadu_epi16(mask, from);
  return __builtin_convertvector(reinterpret_cast<VecHalf>(half), VecU);
#else
  VecU bits = {};
  for (int64_t i = 0; i < lanes; i++) bits[i] = from[i].bits;
  return bits;
#endif
}

inline VecF load_bf16(const bfloat16* from, int64_t lanes) {
  return bit_cast<VecF>(load_bits(from, lanes) << 16);
}

inline void store_bf16(bfloat16* to, VecF value, int64_t lanes) {
  const VecU bits = bit_cast<VecU>(value);
  const VecU rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  const VecU nan = (bits >> 16) | 0x40u;
  const VecU chosen = value == value ? rounded : nan;
  const VecHalf narrow = __builtin_convertvector(chosen, VecHalf);
  if (lanes >= kLanes<float>) {
    *reinterpret_cast<VecHalfUnaligned*>(to) = narrow;
    return;
  }
#if defined(__AVX512BW__) && defined(__AVX512VL__)
  const auto mask = static_cast<__mmask16>((1u << lanes) - 1);
  _mm256_mask_storeu_epi16(to, mask, reinterpret_cast<__m256i>(narrow));
#else
  for (int64_t i = 0; i < lanes; i++) to[i].bits = narrow[i];
#endif
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
