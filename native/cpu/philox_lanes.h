// Philox4x32-10 (../runtime/philox.h) for many blocks at a time, two vectors of them: the words of
// each are the same bits. A lane holds 64 bits, because the products need them.
#pragma once

#include "vec.h"

namespace torchts {
inline namespace TORCHTS_ISA {

typedef uint64_t PhiloxVec __attribute__((vector_size(kVectorBytes)));

constexpr int kPhiloxBlocks = 2 * kLanes<int64_t>;
constexpr int kPhiloxWords = 4 * kPhiloxBlocks;

// The products of the lanes' low halves.
inline PhiloxVec multiply_low_halves(PhiloxVec a, PhiloxVec b) {
#if defined(__AVX512F__)
  // The unmasked form makes GCC 12 warn about its own header.
  return reinterpret_cast<PhiloxVec>(
      _mm512_maskz_mul_epu32(0xff, reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif defined(__AVX2__)
  return reinterpret_cast<PhiloxVec>(
      _mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#elif defined(__SSE2__)
  return reinterpret_cast<PhiloxVec>(
      _mm_mul_epu32(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
#else
  return (a & 0xffffffff) * (b & 0xffffffff);
#endif
}

// One vector of blocks. Above their 32 bits words hold nothing.
struct PhiloxLanes {
  PhiloxVec word[4];

  void round(uint64_t key0, uint64_t key1) {
    const PhiloxVec low = {}, mask = low + 0xffffffff;
    const PhiloxVec product0 = multiply_low_halves(word[0], low + 0xD2511F53);
    const PhiloxVec product1 = multiply_low_halves(word[2], low + 0xCD9E8D57);
    word[0] = (product1 >> 32) ^ word[1] ^ key0;
    word[1] = product1 & mask;
    word[2] = (product0 >> 32) ^ word[3] ^ key1;
    word[3] = product0 & mask;
  }
};

// The words of `kPhiloxBlocks` blocks from `first` on, four after four, as the kernel philox
// numbers them.
inline void philox_words(uint64_t first, uint64_t stream, uint64_t seed, uint32_t* words) {
  constexpr int kLane = kLanes<int64_t>;
  PhiloxLanes half[2] = {};
  for (int h = 0; h < 2; h++) {
    for (int l = 0; l < kLane; l++) {
      const uint64_t block = first + h * kLane + l;
      half[h].word[0][l] = block & 0xffffffff;
      half[h].word[1][l] = block >> 32;
    }
    half[h].word[2] += stream & 0xffffffff;
    half[h].word[3] += stream >> 32;
  }
  uint32_t key0 = static_cast<uint32_t>(seed), key1 = static_cast<uint32_t>(seed >> 32);
  for (int round = 0; round < 10; round++) {
    for (PhiloxLanes& lanes : half) lanes.round(key0, key1);
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  for (int h = 0; h < 2; h++) {
    const PhiloxVec front = half[h].word[0] | half[h].word[1] << 32;
    const PhiloxVec back = half[h].word[2] | half[h].word[3] << 32;
    for (int l = 0; l < kLane; l++) {
      const uint64_t block[2] = {front[l], back[l]};
      std::memcpy(words + 4 * (h * kLane + l), block, sizeof block);
    }
  }
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
