// B is packed into panels of pairs, [k / 2][columns][2]. A is read in place where its pairs are in
// memory already, and packed into [k / 2][rows][2] where its columns are contiguous. As in gemm.cc
// C^T = B^T A^T is computed instead where that is cheaper.
#include "gemm_bf16.h"

#include <algorithm>

#include "gemm_pairs.h"
#include "transpose.h"
#include "vec_bf16.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

constexpr int64_t kBlockRows = 168;   // of A at a time; a multiple of every kPairRows
constexpr int64_t kPanels = 1 << 18;  // pairs of B packed at a time
constexpr int64_t kPad = 16;          // keeps the steps of packed A from being powers of two

constexpr int64_t round_up(int64_t value, int64_t step) { return (value + step - 1) / step * step; }

constexpr int64_t kLeftRows = round_up(kBlockRows, kLanes<float>) + kPad;

// How many columns of B are packed at a time.
int64_t panel_columns(int64_t pairs) {
  const int64_t most = kPanels / std::max<int64_t>(pairs, 1);
  return std::max(most - most % kPairColumns, kPairColumns);
}

// to[p][i] = (from[2p][i], from[2p + 1][i]): `k` rows of `count` contiguous values, the last one
// paired with zeros where k is odd, padded with zeros to `width`.
void interleave(const bfloat16* from, int64_t row, int64_t k, int64_t count, Pair* to,
                int64_t width, int64_t to_row) {
  for (int64_t p = 0; p < k; p += 2, from += 2 * row, to += to_row) {
    for (int64_t i = 0; i < width; i += kLanes<float>) {
      const int64_t lanes = count - i;
      VecU pair = lanes > 0 ? load_bits(from + i, lanes) : VecU{};
      if (p + 1 < k && lanes > 0) pair |= load_bits(from + row + i, lanes) << 16;
      store(reinterpret_cast<int32_t*>(to + i), bit_cast<VecI>(pair));
    }
  }
}

// The same from `count` rows of `k` contiguous values, `step` apart.
void transpose_pairs(const bfloat16* from, int64_t step, int64_t k, int64_t count, Pair* to,
                     int64_t width, int64_t to_row) {
  const bool whole = k % 2 == 0 && step % 2 == 0;
  if (whole) {
    // A pair moves as one float, whose bits no move changes.
    transpose(reinterpret_cast<const float*>(from), step / 2, count, k / 2,
              reinterpret_cast<float*>(to), to_row);
  }
  for (int64_t p = 0; p < k; p += 2, to += to_row) {
    for (int64_t i = whole ? count : 0; i < width; i++) {
      const bfloat16* at = from + i * step + p;
      to[i] = i >= count ? 0 : at[0].bits | (p + 1 < k ? Pair{at[1].bits} << 16 : 0);
    }
  }
}

void pack_pairs(const bfloat16* from, int64_t step, int64_t k_step, int64_t k, int64_t count,
                Pair* to, int64_t width, int64_t to_row) {
  if (k_step == 1) {
    transpose_pairs(from, step, k, count, to, width, to_row);
  } else {
    interleave(from, k_step, k, count, to, width, to_row);
  }
}

// A tile of sums, and room to transpose it.
struct Sums {
  static constexpr int64_t kRows = (kPairRows + kLanes<float> - 1) / kLanes<float> * kLanes<float>;
  alignas(kVectorBytes) float tile[kRows * kPairColumns];
  alignas(kVectorBytes) float transposed[kPairColumns * kRows];
};

class Bf16Gemm {
 public:
  Bf16Gemm(const GemmShape& shape, bool swapped, bfloat16* c, Pair* scratch,
           const GemmEpilogue<bfloat16>& epilogue)
      : s_(shape),
        swapped_(swapped),
        pairs_((shape.k + 1) / 2),
        packs_a_(shape.a_column != 1 || shape.k % 2 != 0),
        c_(c),
        left_(scratch),
        right_(scratch + kLeftRows * pairs_),
        epilogue_(epilogue) {}

  void run(const bfloat16* a, const bfloat16* b) {
    const int64_t step = panel_columns(pairs_);
    for (int64_t column = 0; column < s_.n; column += step) {
      const int64_t columns = std::min(step, s_.n - column);
      pack_b(b + column * s_.b_column, columns);
      for (int64_t row = 0; row < s_.m; row += kBlockRows) {
        const int64_t rows = std::min(kBlockRows, s_.m - row);
        run_block(a + row * s_.a_row, row, rows, column, columns);
      }
    }
  }

 private:
  void pack_b(const bfloat16* b, int64_t columns) {
    for (int64_t j = 0; j < columns; j += kPairColumns) {
      pack_pairs(b + j * s_.b_column, s_.b_column, s_.b_row, s_.k,
                 std::min(kPairColumns, columns - j), right_ + j * pairs_, kPairColumns,
                 kPairColumns);
    }
  }

  void run_block(const bfloat16* a, int64_t row, int64_t rows, int64_t column, int64_t columns) {
    PairTile tile = {pairs_, a, s_.a_row, 2, nullptr, sums_.tile};
    if (packs_a_) {
      const int64_t width = round_up(rows, kLanes<float>);
      pack_pairs(a, s_.a_row, s_.a_column, s_.k, rows, left_, width, width + kPad);
      tile.a = reinterpret_cast<const bfloat16*>(left_);
      tile.a_row = 2;
      tile.a_column = 2 * (width + kPad);
    }
    const bfloat16* first = tile.a;
    const int64_t count = (rows + kPairRows - 1) / kPairRows;
    for (int64_t j = 0; j < columns; j += kPairColumns) {
      const int64_t width = std::min(kPairColumns, columns - j);
      tile.b = right_ + j * pairs_;
      for (int64_t t = 0; t < count; t++) {
        const int64_t i = rows * t / count, height = rows * (t + 1) / count - i;
        tile.a = first + i * tile.a_row;
        pair_tile_for(height, width)(tile);
        if (swapped_) {
          transpose(sums_.tile, kPairColumns, Sums::kRows, round_up(width, kLanes<float>),
                    sums_.transposed, Sums::kRows);
          write(sums_.transposed, Sums::kRows, column + j, width, row + i, height);
        } else {
          write(sums_.tile, kPairColumns, row + i, height, column + j, width);
        }
      }
    }
  }

  void write(const float* sums, int64_t sums_row, int64_t row, int64_t rows, int64_t column,
             int64_t columns) const {
    for (int64_t i = 0; i < rows; i++) {
      for (int64_t j = 0; j < columns; j += kLanes<float>) {
        const int64_t at = (row + i) * s_.c_row + column + j, lanes = columns - j;
        const VecF value = load(sums + i * sums_row + j);
        store_bf16(c_ + at, finish_sums(epilogue_, value, at, column + j, lanes), lanes);
      }
    }
  }

  const GemmShape& s_;
  const bool swapped_;
  const int64_t pairs_;
  const bool packs_a_;
  bfloat16* const c_;
  Pair* const left_;
  Pair* const right_;
  const GemmEpilogue<bfloat16>& epilogue_;
  Sums sums_;
};

// About the cycles of one way, at two dot products of vectors a cycle.
int64_t cost(const GemmShape& s, bool swapped) {
  const int64_t pairs = (s.k + 1) / 2, vectors = (s.n + kLanes<float> - 1) / kLanes<float>;
  const int64_t packing = (s.b_row == 1 ? 3 : 1) * s.n * pairs / kLanes<float>;
  const int64_t storing = (swapped ? 12 : 6) * s.m * s.n / kLanes<float>;
  return s.m * vectors * pairs / 2 + packing + storing;
}

}  // namespace

size_t gemm_bf16_scratch(const GemmShape& s) {
  const int64_t pairs = (s.k + 1) / 2;
  const int64_t columns =
      std::min(panel_columns(pairs), round_up(std::max(s.m, s.n), kPairColumns));
  return (kLeftRows + columns) * pairs * sizeof(Pair);
}

void gemm_bf16(const GemmShape& s, const bfloat16* a, const bfloat16* b, bfloat16* c, void* scratch,
               const GemmEpilogue<bfloat16>& epilogue) {
  if (s.m <= 0 || s.n <= 0) return;
  const GemmShape swapped = swap_operands(s);
  Pair* pairs = static_cast<Pair*>(scratch);
  if (cost(swapped, true) < cost(s, false)) {
    Bf16Gemm(swapped, true, c, pairs, epilogue).run(b, a);
  } else {
    Bf16Gemm(s, false, c, pairs, epilogue).run(a, b);
  }
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
