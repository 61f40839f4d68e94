// What attention_fwd and attention_bwd share: the call's sizes, where each head lies in memory, and
// products of blocks that stay in cache.
#pragma once

#include <algorithm>
#include <vector>

#include "check.h"
#include "gemm_tile.h"
#include "transpose.h"

namespace torchts {
inline namespace TORCHTS_ISA {

constexpr int64_t kQueries = 32;  // rows of scores in cache at a time
constexpr int64_t kKeys = 128;    // columns of them; a multiple of every kTileColumns

// Where (batch, head, position) lies in an operand, in elements; features lie side by side.
struct HeadView {
  int64_t offset, batch, head, position;

  int64_t at(int64_t b, int64_t h) const { return offset + b * batch + h * head; }
};

// The attributes of a call: see kernels.ts. `operands` are those that `views` places.
struct AttentionCall {
  int64_t batch, heads, queries, keys, features;
  bool causal;
  double scale;
  int threads;
  std::vector<HeadView> views;

  // `lengths`: the positions in each of the operands that have a view.
  AttentionCall(const KernelSpec& spec, const std::vector<bool>& of_queries) {
    const std::vector<int64_t> sizes = spec.attrs.integers("sizes");
    require(sizes.size() == 5, "sizes must be batch, heads, queries, keys, features");
    for (int64_t size : sizes)
      require(size >= 1 && size < int64_t{1} << 31, "sizes must be 1 or more");
    batch = sizes[0];
    heads = sizes[1];
    queries = sizes[2];
    keys = sizes[3];
    features = sizes[4];
    causal = spec.attrs.flag("causal");
    scale = spec.attrs.number("scale");
    threads = static_cast<int>(std::min<int64_t>(std::max(spec.threads, 1), batch * heads));
    read_views(spec.attrs.integers("views"), of_queries);
  }

  int64_t positions(bool of_queries) const { return of_queries ? queries : keys; }
  // How many keys the query at `position` sees.
  int64_t visible(int64_t position) const { return causal ? std::min(keys, position + 1) : keys; }

  // Throws unless every element that view `index` addresses lies in an operand of `elements`.
  void require_inside(size_t index, bool of_queries, int64_t elements) const {
    const HeadView& view = views[index];
    const int64_t last = view.offset + (batch - 1) * view.batch + (heads - 1) * view.head +
                         (positions(of_queries) - 1) * view.position + features - 1;
    require(last < elements, "view " + std::to_string(index) + " reaches past its operand");
  }

 private:
  void read_views(const std::vector<int64_t>& numbers, const std::vector<bool>& of_queries) {
    require(numbers.empty() || numbers.size() == 4 * of_queries.size(),
            "views must have four numbers an operand");
    for (size_t i = 0; i < of_queries.size(); i++) {
      const int64_t rows = positions(of_queries[i]);
      HeadView view = {0, heads * rows * features, rows * features, features};
      if (!numbers.empty()) {
        const int64_t* from = numbers.data() + 4 * i;
        for (int k = 0; k < 4; k++) {
          require(from[k] >= 0 && from[k] < int64_t{1} << 40, "views must not be negative");
        }
        view = {from[0], from[1], from[2], from[3]};
      }
      views.push_back(view);
    }
  }
};

// Rows of C (rows, columns) = A B, or += A B: A (rows, k) of any steps, B (k, columns) with
// contiguous rows. `depth(row)` limits k for the rows up to and including `row`, and `first(row)`
// is where k begins for the rows from `row` on: what causal attention leaves out.
template <class T>
struct Product {
  int64_t rows, columns;
  const T* a;
  int64_t a_row, a_column;
  const T* b;
  int64_t b_row;
  T* c;
  int64_t c_row;
  bool accumulate;
};

template <class T, class First, class Depth>
void multiply(const Product<T>& p, const First& first, const Depth& depth) {
  const RowTiles tiles(p.rows);
  for (int64_t j = 0; j < p.columns; j += kTileColumns<T>) {
    for (int64_t t = 0; t < tiles.count; t++) {
      const int64_t i = tiles.begin(t), height = tiles.height(t);
      const int64_t begin = first(i), end = depth(i + height - 1);
      Tile<T> tile;
      tile.k = std::max<int64_t>(end - begin, 0);
      tile.a = p.a + i * p.a_row + begin * p.a_column;
      tile.a_row = p.a_row;
      tile.a_column = p.a_column;
      tile.b = p.b + begin * p.b_row + j;
      tile.b_row = p.b_row;
      tile.c = p.c + i * p.c_row + j;
      tile.c_row = p.c_row;
      tile.columns = std::min(kTileColumns<T>, p.columns - j);
      tile.accumulate = p.accumulate;
      tile_for<T>(height, tile.columns, true)(tile);
    }
  }
}

// Panels of kTileColumns rows of `from` (rows, features), transposed: [features][kTileColumns].
template <class T>
void pack_transposed(const T* from, int64_t row, int64_t rows, int64_t features, T* to) {
  for (int64_t j = 0; j < rows; j += kTileColumns<T>, to += features * kTileColumns<T>) {
    const int64_t width = std::min(kTileColumns<T>, rows - j);
    if (width < kTileColumns<T>) std::fill_n(to, features * kTileColumns<T>, T(0));
    transpose(from + j * row, row, width, features, to, kTileColumns<T>);
  }
}

template <class T>
int64_t packed_elements(const AttentionCall& call) {
  return (call.keys + kTileColumns<T> - 1) / kTileColumns<T> * kTileColumns<T> * call.features;
}

// scores (queries, kKeys) = A (queries, features) times panels packed from `keys` rows, as far as
// the block's last query sees.
template <class T>
void multiply_packed(const T* a, int64_t a_row, int64_t queries, int64_t keys, int64_t features,
                     const T* panels, T* scores) {
  for (int64_t j = 0; j < keys; j += kTileColumns<T>, panels += features * kTileColumns<T>) {
    const Product<T> product = {queries,
                                std::min(kTileColumns<T>, kKeys - j),
                                a,
                                a_row,
                                1,
                                panels,
                                kTileColumns<T>,
                                scores + j,
                                kKeys,
                                false};
    multiply(
        product, [](int64_t) { return int64_t{0}; }, [&](int64_t) { return features; });
  }
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
