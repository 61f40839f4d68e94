// The tile of a bfloat16 product. Terms come in pairs, two neighbours along k in 32 bits, because
// that is what AVX512-BF16's dot product takes; other machines widen the two halves to float32.
// Sums are float32.
#pragma once

#include "../runtime/dtype.h"
#include "vec.h"

namespace torchts {
inline namespace TORCHTS_ISA {

using Pair = uint32_t;

// Rows of a tile: two vectors of columns, with room for both halves of the operands.
#if defined(__AVX512F__)
constexpr int kPairRows = 12;
#else
constexpr int kPairRows = 4;
#endif
constexpr int64_t kPairColumns = 2 * kLanes<float>;

// `a` broadcasts at a[i * a_row + p * a_column], b (pairs, kPairColumns), c (rows, kPairColumns).
// Steps of `a` are in bfloat16 elements.
struct PairTile {
  int64_t pairs;
  const bfloat16* a;
  int64_t a_row, a_column;
  const Pair* b;
  float* c;
};

using PairTileFn = void (*)(const PairTile&);

// The tile for `rows` and for one or two vectors of columns, by the best means of this machine.
PairTileFn pair_tile_for(int64_t rows, int64_t columns);

}  // namespace TORCHTS_ISA
}  // namespace torchts
