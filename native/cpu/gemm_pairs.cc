#include "gemm_pairs.h"

#include <array>
#include <cstring>
#include <utility>

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

constexpr int kGroup = 4;  // rows that one pointer serves, by offsets of 0 to 3 steps

inline Pair load_pair(const bfloat16* from) {
  Pair pair;
  std::memcpy(&pair, from, sizeof pair);
  return pair;
}

template <int kRows, int kVectors>
void run_widened(const PairTile& tile) {
  VecF sum[kRows][kVectors] = {};
  const bfloat16* a = tile.a;
  const Pair* b = tile.b;
  for (int64_t p = 0; p < tile.pairs; p++, a += tile.a_column, b += kPairColumns) {
    VecF low[kVectors], high[kVectors];
    for (int v = 0; v < kVectors; v++) {
      const VecI right = load(reinterpret_cast<const int32_t*>(b) + v * kLanes<float>);
      low[v] = bit_cast<VecF>(right << 16);
      high[v] = bit_cast<VecF>(right & static_cast<int32_t>(0xffff0000));
    }
    for (int i = 0; i < kRows; i++) {
      const Pair left = load_pair(a + i * tile.a_row);
      const VecF left_low = splat(bit_cast<float>(left << 16));
      const VecF left_high = splat(bit_cast<float>(left & 0xffff0000u));
      for (int v = 0; v < kVectors; v++) {
        sum[i][v] += left_low * low[v];
        sum[i][v] += left_high * high[v];
      }
    }
  }
  for (int i = 0; i < kRows; i++) {
    for (int v = 0; v < kVectors; v++) {
      store<float>(tile.c + i * kPairColumns + v * kLanes<float>, sum[i][v]);
    }
  }
}

#if defined(__AVX512F__)
template <int kRows, int kVectors>
__attribute__((target("avx512bf16"))) void run_dot_product(const PairTile& tile) {
  constexpr int kGroups = (kRows + kGroup - 1) / kGroup;
  __m512 sum[kRows][kVectors];
  for (int i = 0; i < kRows; i++) {
    for (int v = 0; v < kVectors; v++) sum[i][v] = _mm512_setzero_ps();
  }
  const bfloat16* a[kGroups];
  for (int g = 0; g < kGroups; g++) a[g] = tile.a + g * kGroup * tile.a_row;
  const Pair* b = tile.b;
  const int64_t a_row = tile.a_row;
  for (int64_t p = 0; p < tile.pairs; p++) {
    __m512bh right[kVectors];
    for (int v = 0; v < kVectors; v++) {
      right[v] = reinterpret_cast<__m512bh>(_mm512_loadu_si512(b + v * kLanes<float>));
    }
    for (int i = 0; i < kRows; i++) {
      const Pair left = load_pair(a[i / kGroup] + (i % kGroup) * a_row);
      const auto splatted = reinterpret_cast<__m512bh>(_mm512_set1_epi32(static_cast<int>(left)));
      for (int v = 0; v < kVectors; v++) {
        sum[i][v] = _mm512_dpbf16_ps(sum[i][v], splatted, right[v]);
      }
    }
    for (int g = 0; g < kGroups; g++) a[g] += tile.a_column;
    b += kPairColumns;
  }
  for (int i = 0; i < kRows; i++) {
    for (int v = 0; v < kVectors; v++) {
      _mm512_storeu_ps(tile.c + i * kPairColumns + v * kLanes<float>, sum[i][v]);
    }
  }
}
#endif

using Table = std::array<PairTileFn, kPairRows>;

template <int kVectors, size_t... kRow>
constexpr Table widened(std::index_sequence<kRow...>) {
  return {run_widened<static_cast<int>(kRow) + 1, kVectors>...};
}

#if defined(__AVX512F__)
template <int kVectors, size_t... kRow>
constexpr Table dot_products(std::index_sequence<kRow...>) {
  return {run_dot_product<static_cast<int>(kRow) + 1, kVectors>...};
}
#endif

}  // namespace

PairTileFn pair_tile_for(int64_t rows, int64_t columns) {
  static constexpr auto kRows = std::make_index_sequence<kPairRows>();
  const bool two = columns > kLanes<float>;
#if defined(__AVX512F__)
  static const bool has_dot_products = __builtin_cpu_supports("avx512bf16");
  static constexpr Table kDotProducts[2] = {dot_products<1>(kRows), dot_products<2>(kRows)};
  if (has_dot_products) return kDotProducts[two][rows - 1];
#endif
  static constexpr Table kWidened[2] = {widened<1>(kRows), widened<2>(kRows)};
  return kWidened[two][rows - 1];
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
