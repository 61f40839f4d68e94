// The tile kernel keeps a block of C in registers and reads A as broadcasts, B as vectors. Large
// products pack A into [k][rows] and B into [k][columns] panels that stay in cache (Goto and van
// de Geijn, "Anatomy of high-performance matrix multiplication", 2008). Small ones, where packing
// would cost more than it saves, read the operands in place.
#include "gemm.h"

#include <algorithm>
#include <array>
#include <utility>

#include "transpose.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

// Rows of a tile: with two vectors of columns all accumulators and operands fit the registers.
#if defined(__AVX512F__)
constexpr int kTileRows = 14;
#elif defined(__AVX2__)
constexpr int kTileRows = 6;
#else
constexpr int kTileRows = 4;
#endif
constexpr int kTileVectors = 2;
// One to three rows get more vectors instead, to have enough sums under way.
constexpr int kWideRows = 3;
constexpr int kWideVectors = kTileRows > 12 ? 8 : 4;

constexpr int64_t kDepth = 384;       // of packed panels
constexpr int64_t kPackedRows = 168;  // of A at a time; a multiple of every kTileRows
constexpr int64_t kPackedColumns = 1024;
constexpr int64_t kFewRows = 16;  // up to here packing B cannot pay
constexpr int64_t kShallow = 16;  // so few terms that C's traffic dominates

template <class T>
constexpr int64_t kTileColumns = kTileVectors* kLanes<T>;

// What a tile needs: `a` broadcasts at a[i * a_row + p * a_column], `b` vectors at b[p * b_row].
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
  Vec<T> sum[kRows][kVectors] = {};
  const T* a = tile.a;
  const T* b = tile.b;
  const int64_t a_row = tile.a_row;
  const int64_t last = tile.columns - kWhole;
  for (int64_t p = 0; p < tile.k; p++) {
    Vec<T> right[kVectors];
    for (int v = 0; v < kVectors; v++) {
      const bool partial = kPartial && v == kVectors - 1;
      right[v] = partial ? load_partial(b + v * kLanes<T>, last) : load(b + v * kLanes<T>);
    }
    for (int i = 0; i < kRows; i++) {
      const Vec<T> left = splat(a[i * a_row]);
      for (int v = 0; v < kVectors; v++) sum[i][v] += left * right[v];
    }
    a += tile.a_column;
    b += tile.b_row;
  }
  for (int i = 0; i < kRows; i++) {
    T* c = tile.c + i * tile.c_row;
    for (int v = 0; v < kVectors; v++, c += kLanes<T>) {
      if (v < kVectors - 1 || last >= kLanes<T>) {
        store<T>(c, tile.accumulate ? load(c) + sum[i][v] : sum[i][v]);
      } else {
        store_partial<T>(c, tile.accumulate ? load_partial(c, last) + sum[i][v] : sum[i][v], last);
      }
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

// ---- operands in place: rows of B are contiguous ----

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

template <class T>
void gemm_direct(const GemmShape& s, const T* a, const T* b, T* c, bool accumulate) {
  const RowTiles tiles(s.m);
  // Few terms: whole rows, so that C is written in long runs. Many: B is the large operand, and
  // every row passes over one strip of it while it is in cache.
  const int64_t strip = s.k <= kShallow || tiles.count == 1 ? s.n : kTileColumns<T>;
  for (int64_t j = 0; j < s.n; j += strip) {
    GemmShape part = s;
    part.n = std::min(strip, s.n - j);
    for (int64_t t = 0; t < tiles.count; t++) {
      const int64_t i = tiles.begin(t);
      direct_rows(part, tiles.height(t), a + i * s.a_row, b + j, c + i * s.c_row + j, accumulate);
    }
  }
}

// ---- few rows against a transposed B: rows of A and columns of B are contiguous ----

template <class T, int kRows, int kColumns>
void run_dots(const GemmShape& s, const T* a, const T* b, T* c, bool accumulate) {
  Vec<T> sum[kRows][kColumns] = {};
  const auto add = [&](const auto& get) {
    Vec<T> right[kColumns];
    for (int j = 0; j < kColumns; j++) right[j] = get(b + j * s.b_column);
    for (int i = 0; i < kRows; i++) {
      const Vec<T> left = get(a + i * s.a_row);
      for (int j = 0; j < kColumns; j++) sum[i][j] += left * right[j];
    }
  };
  int64_t p = 0;
  for (; p + kLanes<T> <= s.k; p += kLanes<T>) {
    add([p](const T* from) { return load(from + p); });
  }
  if (p < s.k) add([p, &s](const T* from) { return load_partial(from + p, s.k - p); });
  for (int i = 0; i < kRows; i++) {
    for (int j = 0; j < kColumns; j++) {
      T& out = c[i * s.c_row + j];
      const T value = lane_sum(sum[i][j]);
      out = accumulate ? out + value : value;
    }
  }
}

template <class T, int kColumns>
void run_dot_columns(const GemmShape& s, const T* a, const T* b, T* c, bool accumulate) {
  for (int64_t i = 0; i < s.m; i += 4, a += 4 * s.a_row, c += 4 * s.c_row) {
    switch (s.m - i) {
      case 1:
        run_dots<T, 1, kColumns>(s, a, b, c, accumulate);
        break;
      case 2:
        run_dots<T, 2, kColumns>(s, a, b, c, accumulate);
        break;
      case 3:
        run_dots<T, 3, kColumns>(s, a, b, c, accumulate);
        break;
      default:
        run_dots<T, 4, kColumns>(s, a, b, c, accumulate);
    }
  }
}

// B is read from memory once: its columns stay in cache while the rows of A pass.
template <class T>
void gemm_dots(const GemmShape& s, const T* a, const T* b, T* c, bool accumulate) {
  constexpr int kColumns = 4;
  int64_t j = 0;
  for (; j + kColumns <= s.n; j += kColumns) {
    run_dot_columns<T, kColumns>(s, a, b + j * s.b_column, c + j, accumulate);
  }
  for (; j < s.n; j++) {
    run_dot_columns<T, 1>(s, a, b + j * s.b_column, c + j, accumulate);
  }
}

// ---- packed ----

// A as tiles of [depth][rows of the tile].
template <class T>
void pack_a(const GemmShape& s, const T* a, int64_t rows, int64_t depth, T* to) {
  const RowTiles tiles(rows);
  for (int64_t t = 0; t < tiles.count; t++) {
    const int64_t height = tiles.height(t);
    const T* from = a + tiles.begin(t) * s.a_row;
    if (s.a_column == 1) {
      transpose(from, s.a_row, height, depth, to, height);
    } else {
      for (int64_t p = 0; p < depth; p++) {
        std::copy_n(from + p * s.a_column, height, to + p * height);
      }
    }
    to += height * depth;
  }
}

// B as tiles of [depth][kTileColumns], padded with zeros.
template <class T>
void pack_b(const GemmShape& s, const T* b, int64_t depth, int64_t columns, T* to) {
  for (int64_t j = 0; j < columns; j += kTileColumns<T>, to += depth * kTileColumns<T>) {
    const int64_t width = std::min(kTileColumns<T>, columns - j);
    const T* from = b + j * s.b_column;
    if (s.b_column == 1) {
      for (int64_t p = 0; p < depth; p++) {
        std::copy_n(from + p * s.b_row, width, to + p * kTileColumns<T>);
      }
    } else {
      // Rows of B have step 1: one of the two steps always has.
      transpose(from, s.b_column, width, depth, to, kTileColumns<T>);
    }
    if (width == kTileColumns<T>) continue;
    for (int64_t p = 0; p < depth; p++) {
      std::fill(to + p * kTileColumns<T> + width, to + (p + 1) * kTileColumns<T>, T(0));
    }
  }
}

// The parts into which `total` is cut evenly, none larger than `limit`.
struct Cuts {
  int64_t total, count;
  Cuts(int64_t of, int64_t limit)
      : total(of), count(std::max<int64_t>(1, (of + limit - 1) / limit)) {}
  int64_t begin(int64_t index) const { return total * index / count; }
};

template <class T>
void gemm_packed(const GemmShape& s, const T* a, const T* b, T* c, bool accumulate, T* scratch) {
  const Cuts depths(s.k, kDepth), row_cuts(s.m, kPackedRows);
  T* packed_a = scratch;
  T* packed_b = scratch + kPackedRows * kDepth;
  for (int64_t column = 0; column < s.n; column += kPackedColumns) {
    const int64_t columns = std::min(kPackedColumns, s.n - column);
    for (int64_t d = 0; d < depths.count; d++) {
      const int64_t first = depths.begin(d), depth = depths.begin(d + 1) - first;
      const bool add = accumulate || d > 0;
      pack_b(s, b + first * s.b_row + column * s.b_column, depth, columns, packed_b);
      for (int64_t r = 0; r < row_cuts.count; r++) {
        const int64_t row = row_cuts.begin(r), rows = row_cuts.begin(r + 1) - row;
        pack_a(s, a + row * s.a_row + first * s.a_column, rows, depth, packed_a);
        const RowTiles tiles(rows);
        for (int64_t j = 0; j < columns; j += kTileColumns<T>) {
          const int64_t width = std::min(kTileColumns<T>, columns - j);
          for (int64_t t = 0; t < tiles.count; t++) {
            const int64_t i = tiles.begin(t), height = tiles.height(t);
            tile_for<T>(height, width, false)(
                {depth, packed_a + i * depth, 1, height, packed_b + j * depth, kTileColumns<T>,
                 c + (row + i) * s.c_row + column + j, s.c_row, width, add});
          }
        }
      }
    }
  }
}

enum class Way { direct, dots, packed };

Way way_for(const GemmShape& s) {
  if (s.m <= kFewRows && s.b_row == 1 && s.a_column == 1 && s.b_column != 1) return Way::dots;
  if (s.b_column == 1 && (s.m <= kFewRows || s.k <= kShallow)) return Way::direct;
  return Way::packed;
}

}  // namespace

template <class T>
size_t gemm_scratch(const GemmShape& shape) {
  (void)shape;
  return (kPackedRows + kPackedColumns) * kDepth * sizeof(T);
}

template <class T>
void gemm(const GemmShape& s, const T* a, const T* b, T* c, bool accumulate, void* scratch) {
  if (s.m <= 0 || s.n <= 0) return;
  switch (way_for(s)) {
    case Way::direct:
      return gemm_direct(s, a, b, c, accumulate);
    case Way::dots:
      return gemm_dots(s, a, b, c, accumulate);
    case Way::packed:
      return gemm_packed(s, a, b, c, accumulate, static_cast<T*>(scratch));
  }
}

template size_t gemm_scratch<float>(const GemmShape&);
template size_t gemm_scratch<double>(const GemmShape&);
template void gemm(const GemmShape&, const float*, const float*, float*, bool, void*);
template void gemm(const GemmShape&, const double*, const double*, double*, bool, void*);

}  // namespace TORCHTS_ISA
}  // namespace torchts
