// Few rows or few terms: operands in place, whole rows of C. Few rows or columns against a
// transposed B: dot products along vectors, whose lanes are summed for many products at a time.
#include "gemm_small.h"

#include <algorithm>

#include "gemm_tile.h"
#include "transpose.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

// One to three rows get more vectors than a tile has, to have enough sums under way.
constexpr int kWideRows = 3;
constexpr int kWideVectors = kTileRows > 12 ? 8 : 4;

// One row of tiles.
template <class T>
void direct_rows(const GemmShape& s, int64_t rows, const T* a, const T* b, T* c, bool accumulate) {
  constexpr int64_t kWideColumns = kWideVectors * kLanes<T>;
  static constexpr TileFn<T> kWideTiles[kWideRows] = {run_tile<T, 1, kWideVectors, false>,
                                                      run_tile<T, 2, kWideVectors, false>,
                                                      run_tile<T, 3, kWideVectors, false>};
  int64_t j = 0;
  const auto run = [&](TileFn<T> tile, int64_t columns) {
    tile({s.k, a, s.a_row, s.a_column, b + j, s.b_row, c + j, s.c_row, columns, accumulate});
    j += columns;
  };
  if (rows <= kWideRows) {
    while (j + kWideColumns <= s.n) run(kWideTiles[rows - 1], kWideColumns);
  }
  while (j < s.n) {
    const int64_t columns = std::min(kTileColumns<T>, s.n - j);
    run(tile_for<T>(rows, columns, true), columns);
  }
}

// A block of dot products: as many as half the registers hold.
constexpr int kDotRows = kTileRows > 12 ? 4 : 2;
constexpr int kDotColumns = 4;

template <class T, int kRows, int kColumns>
void run_dots(const GemmShape& s, const T* a, const T* b, T* c, bool accumulate) {
  constexpr int kSums = kRows * kColumns;
  constexpr int kGroups = (kSums + kLanes<T> - 1) / kLanes<T>;
  Vec<T> sum[kGroups * kLanes<T>] = {};
  const auto add = [&](const auto& get) {
    Vec<T> right[kColumns];
    for (int j = 0; j < kColumns; j++) right[j] = get(b + j * s.b_column);
    for (int i = 0; i < kRows; i++) {
      const Vec<T> left = get(a + i * s.a_row);
      for (int j = 0; j < kColumns; j++) sum[i * kColumns + j] += left * right[j];
    }
  };
  int64_t p = 0;
  for (; p + kLanes<T> <= s.k; p += kLanes<T>) {
    add([p](const T* from) { return load(from + p); });
  }
  if (p < s.k) add([p, &s](const T* from) { return load_partial(from + p, s.k - p); });

  alignas(kVectorBytes) T sums[kGroups * kLanes<T>];
  for (int g = 0; g < kGroups; g++)
    store<T>(sums + g * kLanes<T>, lane_sums<T>(sum + g * kLanes<T>));
  for (int i = 0; i < kRows; i++) {
    for (int j = 0; j < kColumns; j++) {
      T& out = c[i * s.c_row + j];
      const T value = sums[i * kColumns + j];
      out = accumulate ? out + value : value;
    }
  }
}

template <class T, int kColumns>
void run_dot_columns(const GemmShape& s, const T* a, const T* b, T* c, bool accumulate) {
  int64_t i = 0;
  for (; i + kDotRows <= s.m; i += kDotRows) {
    run_dots<T, kDotRows, kColumns>(s, a + i * s.a_row, b, c + i * s.c_row, accumulate);
  }
  for (; i < s.m; i++) {
    run_dots<T, 1, kColumns>(s, a + i * s.a_row, b, c + i * s.c_row, accumulate);
  }
}

}  // namespace

template <class T>
void gemm_direct(const GemmShape& s, const T* a, const T* b, T* c, bool accumulate,
                 const GemmEpilogue<T>& epilogue) {
  const RowTiles tiles(s.m);
  // Few terms: whole rows, so that C is written in long runs. Many: B is the large operand, and
  // every row passes over one strip of it while it is in cache.
  const int64_t strip = s.k <= kShallow || tiles.count == 1 ? s.n : kTileColumns<T>;
  for (int64_t j = 0; j < s.n; j += strip) {
    GemmShape part = s;
    part.n = std::min(strip, s.n - j);
    for (int64_t t = 0; t < tiles.count; t++) {
      const int64_t i = tiles.begin(t);
      T* to = c + i * s.c_row + j;
      direct_rows(part, tiles.height(t), a + i * s.a_row, b + j, to, accumulate);
      apply_epilogue(epilogue, i, tiles.height(t), j, part.n, to, s.c_row);
    }
  }
}

// The operand with more rows is read from memory once: its rows stay in cache while the others
// pass.
template <class T>
void gemm_dots(const GemmShape& s, const T* a, const T* b, T* c, bool accumulate,
               const GemmEpilogue<T>& epilogue) {
  constexpr int64_t kRows = 64;
  for (int64_t i = 0; i < s.m; i += kRows) {
    GemmShape part = s;
    part.m = std::min(kRows, s.m - i);
    const T* rows = a + i * s.a_row;
    T* to = c + i * s.c_row;
    int64_t j = 0;
    for (; j + kDotColumns <= s.n; j += kDotColumns) {
      run_dot_columns<T, kDotColumns>(part, rows, b + j * s.b_column, to + j, accumulate);
    }
    for (; j < s.n; j++) {
      run_dot_columns<T, 1>(part, rows, b + j * s.b_column, to + j, accumulate);
    }
    apply_epilogue(epilogue, i, part.m, 0, s.n, to, s.c_row);
  }
}

#define TORCHTS_INSTANTIATE(T)                                              \
  template void gemm_direct(const GemmShape&, const T*, const T*, T*, bool, \
                            const GemmEpilogue<T>&);                        \
  template void gemm_dots(const GemmShape&, const T*, const T*, T*, bool, const GemmEpilogue<T>&);
TORCHTS_INSTANTIATE(float)
TORCHTS_INSTANTIATE(double)
#undef TORCHTS_INSTANTIATE

}  // namespace TORCHTS_ISA
}  // namespace torchts
