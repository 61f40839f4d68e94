// Bytes looked up in a table of 256 floats: the last step of every image.
#include "image_isa.h"
#include "image_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace torchts {
namespace {

void look_up_one_by_one(const uint8_t* __restrict in, const float* __restrict table, size_t count,
                        float* __restrict out) {
  for (size_t i = 0; i < count; i++) out[i] = table[in[i]];
}

#if defined(__x86_64__)
constexpr int kFloats = 16;  // of a vector

// The whole table lies in 16 registers. Two of them hold 32 entries, from which the five low bits
// of a byte choose; the three high bits choose among the eight results.
__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"))) void look_up_in_registers(
    const uint8_t* in, const float* table, size_t count, float* out) {
  __m512 entries[kFloats];
  for (int i = 0; i < kFloats; i++) entries[i] = _mm512_loadu_ps(table + kFloats * i);
  size_t i = 0;
  for (; i + kFloats <= count; i += kFloats) {
    const __m512i bytes =
        _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i)));
    __m512 found[8];
    for (int k = 0; k < 8; k++) {
      found[k] = _mm512_permutex2var_ps(entries[2 * k], bytes, entries[2 * k + 1]);
    }
    for (int bit = 32, left = 4; left > 0; bit *= 2, left /= 2) {
      const __mmask16 set = _mm512_test_epi32_mask(bytes, _mm512_set1_epi32(bit));
      for (int k = 0; k < left; k++) {
        found[k] = _mm512_mask_blend_ps(set, found[2 * k], found[2 * k + 1]);
      }
    }
    _mm512_storeu_ps(out + i, found[0]);
  }
  look_up_one_by_one(in + i, table, count - i, out + i);
}
#endif

}  // namespace

void look_up(const uint8_t* in, const float* table, size_t count, float* out) {
#if defined(__x86_64__)
  // Filling the registers takes as long as some dozens of bytes.
  constexpr size_t kWorthIt = 128;
  if (count >= kWorthIt && image_isa() == ImageIsa::avx512) {
    return look_up_in_registers(in, table, count, out);
  }
#endif
  look_up_one_by_one(in, table, count, out);
}

void look_up_planes(ImageView image, const float* table, float* out) {
  const size_t area = static_cast<size_t>(image.shape.area());
  for (int64_t c = 0; c < image.shape.channels; c++) {
    look_up(image.data + c * area, table + c * 256, area, out + c * area);
  }
}

}  // namespace torchts
