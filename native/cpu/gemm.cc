// The tile kernel reads both operands in place wherever B's rows are contiguous: the caches keep up
// with any steps, and packing A would cost more than it saves. Only a transposed operand that has
// to be read as vectors is packed, into [k][columns] panels (Goto and van de Geijn, "Anatomy of
// high-performance matrix multiplication", 2008). Where that is cheaper, C^T = B^T A^T is computed
// and its tiles are transposed as they are stored.
#include "gemm.h"

#include <algorithm>

#include "gemm_small.h"
#include "gemm_tile.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

constexpr int64_t kDepth = 512;          // terms of a sum before C is written
constexpr int64_t kSwappedDepth = 1024;  // more, because a transposed tile is dearer to store
constexpr int64_t kBlockRows = 168;      // of A, which stay in cache while the panels pass
constexpr int64_t kPanels = 1 << 18;     // elements of B packed at a time

// The parts into which `total` is cut evenly, none larger than `limit`.
struct Cuts {
  int64_t total, count;
  Cuts(int64_t of, int64_t limit)
      : total(of), count(std::max<int64_t>(1, (of + limit - 1) / limit)) {}
  int64_t begin(int64_t index) const { return total * index / count; }
  int64_t size(int64_t index) const { return begin(index + 1) - begin(index); }
};

// The columns of B as tiles of [depth][kTileColumns], padded with zeros. Rows of B have step 1.
template <class T>
void pack_columns(const T* b, int64_t b_column, int64_t depth, int64_t columns, T* to) {
  for (int64_t j = 0; j < columns; j += kTileColumns<T>, to += depth * kTileColumns<T>) {
    const int64_t width = std::min(kTileColumns<T>, columns - j);
    transpose(b + j * b_column, b_column, width, depth, to, kTileColumns<T>);
    if (width == kTileColumns<T>) continue;
    for (int64_t p = 0; p < depth; p++) {
      std::fill(to + p * kTileColumns<T> + width, to + (p + 1) * kTileColumns<T>, T(0));
    }
  }
}

// One product in blocks. `swapped`: this is C^T = B^T A^T, whose tiles are stored transposed.
template <class T>
class BlockedGemm {
 public:
  BlockedGemm(const GemmShape& shape, bool swapped, T* c, bool accumulate, T* panels,
              const GemmEpilogue<T>& epilogue)
      : s_(shape),
        swapped_(swapped),
        packs_(shape.b_column != 1),
        c_(c),
        accumulate_(accumulate),
        panels_(panels),
        epilogue_(epilogue) {}

  void run(const T* a, const T* b) const {
    const Cuts depths(s_.k, swapped_ ? kSwappedDepth : kDepth), row_cuts(s_.m, kBlockRows);
    const int64_t limit =
        std::max<int64_t>(kPanels / std::max<int64_t>(depths.size(0), 1), kTileColumns<T>);
    const int64_t step = limit - limit % kTileColumns<T>;
    for (int64_t column = 0; column < s_.n; column += step) {
      const int64_t columns = std::min(step, s_.n - column);
      for (int64_t d = 0; d < depths.count; d++) {
        const int64_t first = depths.begin(d);
        Block block = {
            0, 0, column, columns, depths.size(d), nullptr, nullptr, d > 0, d + 1 == depths.count};
        block.b = b + first * s_.b_row + column * s_.b_column;
        if (packs_) pack_columns(block.b, s_.b_column, block.depth, columns, panels_);
        for (int64_t r = 0; r < row_cuts.count; r++) {
          block.row = row_cuts.begin(r);
          block.rows = row_cuts.size(r);
          block.a = a + block.row * s_.a_row + first * s_.a_column;
          run_block(block);
        }
      }
    }
  }

 private:
  struct Block {
    int64_t row, rows, column, columns, depth;
    const T* a;
    const T* b;
    bool later, last;  // among the blocks that are added up
  };

  void run_block(const Block& block) const {
    const RowTiles tiles(block.rows);
    Tile<T> tile;
    tile.k = block.depth;
    tile.a_row = s_.a_row;
    tile.a_column = s_.a_column;
    tile.b_row = packs_ ? kTileColumns<T> : s_.b_row;
    for (int64_t j = 0; j < block.columns; j += kTileColumns<T>) {
      tile.columns = std::min(kTileColumns<T>, block.columns - j);
      tile.b = packs_ ? panels_ + j * block.depth : block.b + j;
      for (int64_t t = 0; t < tiles.count; t++) {
        const int64_t i = tiles.begin(t);
        tile.a = block.a + i * s_.a_row;
        run_tile(tile, block, block.row + i, tiles.height(t), block.column + j);
      }
    }
  }

  void run_tile(Tile<T>& tile, const Block& block, int64_t row, int64_t rows,
                int64_t column) const {
    const TileFn<T> function = tile_for<T>(rows, tile.columns, !packs_);
    const bool accumulate = accumulate_ || block.later;
    if (swapped_) {
      alignas(kVectorBytes) T buffer[(kTileRows + kLanes<T>)*kTileColumns<T>];
      T* c = c_ + column * s_.c_row + row;
      tile.c = buffer;
      tile.c_row = kTileColumns<T>;
      tile.accumulate = false;
      function(tile);
      store_transposed(buffer, rows, tile.columns, c, s_.c_row, accumulate);
      if (block.last) apply_epilogue(epilogue_, column, tile.columns, row, rows, c, s_.c_row);
    } else {
      tile.c = c_ + row * s_.c_row + column;
      tile.c_row = s_.c_row;
      tile.accumulate = accumulate;
      function(tile);
      if (block.last) apply_epilogue(epilogue_, row, rows, column, tile.columns, tile.c, s_.c_row);
    }
  }

  const GemmShape& s_;
  const bool swapped_, packs_;
  T* const c_;
  const bool accumulate_;
  T* const panels_;
  const GemmEpilogue<T>& epilogue_;
};

// About the cycles that the blocked way takes, at two multiplications of vectors a cycle.
template <class T>
int64_t cost(const GemmShape& s, bool swapped) {
  const int64_t vectors = (s.n + kLanes<T> - 1) / kLanes<T>;
  const int64_t packing = s.b_column == 1 ? 0 : 3 * s.n * s.k / kLanes<T>;
  const int64_t transposing = swapped ? 8 * s.m * s.n / kLanes<T> : 0;
  return s.m * vectors * s.k / 2 + packing + transposing;
}

}  // namespace

template <class T>
size_t gemm_scratch(const GemmShape& s) {
  const int64_t columns = std::max(s.m, s.n) + kTileColumns<T>;
  return std::min(kPanels, columns * std::min(s.k, kSwappedDepth)) * sizeof(T);
}

template <class T>
void gemm(const GemmShape& s, const T* a, const T* b, T* c, bool accumulate, void* scratch,
          const GemmEpilogue<T>& epilogue) {
  if (s.m <= 0 || s.n <= 0) return;
  const bool dots = s.b_row == 1 && s.a_column == 1 && s.b_column != 1;
  if (dots && std::min(s.m, s.n) <= kFewRows) {
    return gemm_dots(s, a, b, c, accumulate, epilogue);
  }
  if (s.b_column == 1 && (s.m <= kFewRows || s.k <= kShallow)) {
    return gemm_direct(s, a, b, c, accumulate, epilogue);
  }
  const GemmShape swapped = swap_operands(s);
  if (cost<T>(swapped, true) < cost<T>(s, false)) {
    BlockedGemm<T>(swapped, true, c, accumulate, static_cast<T*>(scratch), epilogue).run(b, a);
  } else {
    BlockedGemm<T>(s, false, c, accumulate, static_cast<T*>(scratch), epilogue).run(a, b);
  }
}

template size_t gemm_scratch<float>(const GemmShape&);
template size_t gemm_scratch<double>(const GemmShape&);
template void gemm(const GemmShape&, const float*, const float*, float*, bool, void*,
                   const GemmEpilogue<float>&);
template void gemm(const GemmShape&, const double*, const double*, double*, bool, void*,
                   const GemmEpilogue<double>&);

}  // namespace TORCHTS_ISA
}  // namespace torchts
