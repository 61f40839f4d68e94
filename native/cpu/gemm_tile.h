// The innermost part of a matrix product: a tile of C whose sums stay in registers while k passes.
// A is read as broadcasts and B as vectors, in place or from packed panels.
#pragma once

#include <array>
#include <utility>

#include "transpose.h"
#include "vec.h"

namespace torchts {
inline namespace TORCHTS_ISA {

// Rows of a tile: with two vectors of columns all accumulators and operands fit the registers.
#if defined(__AVX512F__)
constexpr int kTileRows = 14;
#elif defined(__AVX2__)
constexpr int kTileRows = 6;
#else
constexpr int kTileRows = 4;
#endif
constexpr int kTileVectors = 2;

template <class T>
constexpr int64_t kTileColumns = kTileVectors* kLanes<T>;

// `a` broadcasts at a[i * a_row + p * a_column], `b` vectors at b[p * b_row].
template <class T>
struct Tile {
  int64_t k;
  const T* a;
  int64_t a_row, a_column;
  const T* b;
  int64_t b_row;
  T* c;
  int64_t c_row;
  int64_t columns;  // to write; at most the tile's
  bool accumulate;
};

// kPartial: B's last vector has only `columns` lanes of memory behind it.
template <class T, int kRows, int kVectors, bool kPartial>
void run_tile(const Tile<T>& tile) {
  constexpr int64_t kWhole = (kVectors - 1) * kLanes<T>;
  constexpr int kGroup = 4;  // rows that one pointer serves, by offsets of 0 to 3 steps
  constexpr int kGroups = (kRows + kGroup - 1) / kGroup;
  Vec<T> sum[kRows][kVectors] = {};
  const T* a[kGroups];
  for (int g = 0; g < kGroups; g++) a[g] = tile.a + g * kGroup * tile.a_row;
  const T* b = tile.b;
  const int64_t a_row = tile.a_row;
  const int64_t last = tile.columns - kWhole;
  for (int64_t p = 0; p < tile.k; p++) {
    Vec<T> right[kVectors];
    for (int v = 0; v < kVectors; v++) {
      const bool partial = kPartial && v == kVectors - 1;
      right[v] = partial ? load_lanes(b + v * kLanes<T>, last) : load(b + v * kLanes<T>);
    }
    for (int i = 0; i < kRows; i++) {
      const Vec<T> left = splat(a[i / kGroup][(i % kGroup) * a_row]);
      for (int v = 0; v < kVectors; v++) sum[i][v] += left * right[v];
    }
    for (int g = 0; g < kGroups; g++) a[g] += tile.a_column;
    b += tile.b_row;
  }
  for (int i = 0; i < kRows; i++) {
    T* c = tile.c + i * tile.c_row;
    for (int v = 0; v < kVectors; v++, c += kLanes<T>) {
      const int64_t lanes = v < kVectors - 1 ? kLanes<T> : last;
      store_lanes<T>(c, tile.accumulate ? load_lanes(c, lanes) + sum[i][v] : sum[i][v], lanes);
    }
  }
}

template <class T>
using TileFn = void (*)(const Tile<T>&);

template <class T, int kVectors, bool kPartial, size_t... kRow>
constexpr std::array<TileFn<T>, kTileRows> tile_table(std::index_sequence<kRow...>) {
  return {run_tile<T, static_cast<int>(kRow) + 1, kVectors, kPartial>...};
}

// The tile for `rows` and `columns`; with `guarded` it reads nothing of B beyond the columns.
template <class T>
TileFn<T> tile_for(int64_t rows, int64_t columns, bool guarded) {
  static constexpr auto kRowIndices = std::make_index_sequence<kTileRows>();
  static constexpr std::array<TileFn<T>, kTileRows> kTiles[2][2] = {
      {tile_table<T, 1, false>(kRowIndices), tile_table<T, 1, true>(kRowIndices)},
      {tile_table<T, 2, false>(kRowIndices), tile_table<T, 2, true>(kRowIndices)}};
  const bool partial = guarded && columns % kLanes<T> != 0;
  return kTiles[columns > kLanes<T>][partial][rows - 1];
}

// The rows of tile `index` when `rows` are spread evenly over as few tiles as possible.
struct RowTiles {
  int64_t rows, count;
  explicit RowTiles(int64_t of) : rows(of), count((of + kTileRows - 1) / kTileRows) {}
  int64_t begin(int64_t index) const { return rows * index / count; }
  int64_t height(int64_t index) const { return begin(index + 1) - begin(index); }
};

// C = the transpose of a tile whose rows have kTileColumns places, or C += it. The tile has room
// for as many rows as fill whole vectors.
template <class T>
void store_transposed(const T* tile, int64_t rows, int64_t columns, T* c, int64_t c_row,
                      bool accumulate) {
  constexpr int64_t kSide = kLanes<T>;
  for (int64_t j = 0; j < columns; j += kSide) {
    for (int64_t i = 0; i < rows; i += kSide) {
      Vec<T> block[kSide];
      for (int64_t r = 0; r < kSide; r++) block[r] = load(tile + (i + r) * kTileColumns<T> + j);
      transpose_registers<T>(block);
      const int64_t lanes = rows - i;
      for (int64_t r = 0; r < std::min(kSide, columns - j); r++) {
        T* to = c + (j + r) * c_row + i;
        store_lanes<T>(to, accumulate ? load_lanes(to, lanes) + block[r] : block[r], lanes);
      }
    }
  }
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
