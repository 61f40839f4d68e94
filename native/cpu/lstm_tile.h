// The two products inside an LSTM step, each with its operand packed once a call so that all steps
// read it in order: rows of the batch times the recurrent weights w (4H, H), sums in registers.
// Forward ends in the cell's own arithmetic, so gate sums never reach memory.
#pragma once

#include <algorithm>
#include <utility>

#include "transpose.h"
#include "vec_math.h"

namespace torchts {
inline namespace TORCHTS_ISA {

constexpr int kGates = 4;  // input, forget, cell, output: PyTorch's order

// Rows of a tile: with kGates vectors of columns, all accumulators and operands fit the registers.
#if defined(__AVX512F__)
constexpr int kLstmRows = 6;
#else
constexpr int kLstmRows = 2;
#endif

template <class T>
int64_t lstm_blocks(int64_t units) {
  return (units + kLanes<T> - 1) / kLanes<T>;
}

// Elements of w packed for either product, with room for a partial block.
template <class T>
int64_t lstm_packed_size(int64_t units) {
  return lstm_blocks<T>(units) * kLanes<T> * kGates * units;
}

// Block j of `to` is [H][gate][lane]: w^T for the units that start at j * lanes.
template <class T>
void lstm_pack_forward(const T* w, int64_t units, int64_t block, T* to) {
  constexpr int64_t kWidth = kGates * kLanes<T>;
  to += block * kWidth * units;
  const int64_t unit = block * kLanes<T>, count = std::min<int64_t>(kLanes<T>, units - unit);
  if (count < kLanes<T>) std::fill_n(to, kWidth * units, T(0));
  for (int gate = 0; gate < kGates; gate++) {
    transpose(w + (gate * units + unit) * units, units, count, units, to + gate * kLanes<T>,
              kWidth);
  }
}

// Block j of `to` is [4H][columns], the kGates * lanes columns of w that start there.
template <class T>
void lstm_pack_backward(const T* w, int64_t units, int64_t block, T* to) {
  constexpr int64_t kWidth = kGates * kLanes<T>;
  to += block * kWidth * kGates * units;
  const int64_t column = block * kWidth, count = std::min(kWidth, units - column);
  for (int64_t k = 0; k < kGates * units; k++, to += kWidth) {
    std::copy_n(w + k * units + column, count, to);
    std::fill(to + count, to + kWidth, T(0));
  }
}

// Some rows of one step, and the distance from one to the next. `units` is H.
template <class T>
struct LstmForward {
  int64_t units;
  const T* packed;
  const T* gx;  // (rows, 4H); may be `gates`
  const T* h;   // of the step before
  const T* cell;
  T* gates;
  T* new_h;
  T* new_cell;
  int64_t gate_row, h_row, cell_row, out_row;  // `out_row`: of new_h and new_cell
};

template <class T, int kRows>
void lstm_forward_tile(const LstmForward<T>& s, int64_t block) {
  const int64_t unit = block * kLanes<T>, lanes = s.units - unit;
  const T* b = s.packed + block * kLanes<T> * kGates * s.units;
  Vec<T> sum[kRows][kGates];
  for (int i = 0; i < kRows; i++) {
    const T* gx = s.gx + i * s.gate_row + unit;
    for (int v = 0; v < kGates; v++) sum[i][v] = load_lanes(gx + v * s.units, lanes);
  }
  for (int64_t k = 0; k < s.units; k++, b += kGates * kLanes<T>) {
    Vec<T> right[kGates];
    for (int v = 0; v < kGates; v++) right[v] = load(b + v * kLanes<T>);
    for (int i = 0; i < kRows; i++) {
      const Vec<T> left = splat(s.h[i * s.h_row + k]);
      for (int v = 0; v < kGates; v++) sum[i][v] += left * right[v];
    }
  }
  for (int i = 0; i < kRows; i++) {
    const Vec<T> in = vsigmoid(sum[i][0]), forget = vsigmoid(sum[i][1]);
    const Vec<T> fresh = vtanh(sum[i][2]), out = vsigmoid(sum[i][3]);
    const Vec<T> cell = forget * load_lanes(s.cell + i * s.cell_row + unit, lanes) + in * fresh;
    T* gates = s.gates + i * s.gate_row + unit;
    store_lanes<T>(gates, in, lanes);
    store_lanes<T>(gates + s.units, forget, lanes);
    store_lanes<T>(gates + 2 * s.units, fresh, lanes);
    store_lanes<T>(gates + 3 * s.units, out, lanes);
    store_lanes<T>(s.new_cell + i * s.out_row + unit, cell, lanes);
    store_lanes<T>(s.new_h + i * s.out_row + unit, out * vtanh(cell), lanes);
  }
}

// dh (rows, H) = dg (rows, 4H) w.
template <class T>
struct LstmBackward {
  int64_t units;
  const T* packed;
  const T* dg;
  T* dh;
  int64_t gate_row, h_row;
};

template <class T, int kRows>
void lstm_backward_tile(const LstmBackward<T>& s, int64_t block) {
  constexpr int64_t kWidth = kGates * kLanes<T>;
  const int64_t column = block * kWidth, depth = kGates * s.units;
  const T* b = s.packed + block * kWidth * depth;
  Vec<T> sum[kRows][kGates] = {};
  for (int64_t k = 0; k < depth; k++, b += kWidth) {
    Vec<T> right[kGates];
    for (int v = 0; v < kGates; v++) right[v] = load(b + v * kLanes<T>);
    for (int i = 0; i < kRows; i++) {
      const Vec<T> left = splat(s.dg[i * s.gate_row + k]);
      for (int v = 0; v < kGates; v++) sum[i][v] += left * right[v];
    }
  }
  for (int i = 0; i < kRows; i++) {
    T* to = s.dh + i * s.h_row + column;
    for (int64_t v = 0, lanes = s.units - column; v < kGates && lanes > 0; v++) {
      store_lanes<T>(to + v * kLanes<T>, sum[i][v], lanes);
      lanes -= kLanes<T>;
    }
  }
}

// Calls tile(row, count as a compile-time constant) for `rows` spread evenly over few tiles.
template <class Body, int... kCount>
void lstm_row_tiles(int64_t rows, const Body& body, std::integer_sequence<int, kCount...>) {
  const int64_t tiles = (rows + kLstmRows - 1) / kLstmRows;
  for (int64_t t = 0; t < tiles; t++) {
    const int64_t row = rows * t / tiles, count = rows * (t + 1) / tiles - row;
    ((count == kCount + 1 ? body(row, std::integral_constant<int, kCount + 1>()) : void()), ...);
  }
}

template <class T>
void lstm_forward_rows(const LstmForward<T>& all, int64_t rows) {
  for (int64_t block = 0; block < lstm_blocks<T>(all.units); block++) {
    const auto tile = [&](int64_t row, auto count) {
      LstmForward<T> part = all;
      part.gx += row * all.gate_row;
      part.gates += row * all.gate_row;
      part.h += row * all.h_row;
      part.cell += row * all.cell_row;
      part.new_h += row * all.out_row;
      part.new_cell += row * all.out_row;
      lstm_forward_tile<T, count>(part, block);
    };
    lstm_row_tiles(rows, tile, std::make_integer_sequence<int, kLstmRows>());
  }
}

template <class T>
void lstm_backward_rows(const LstmBackward<T>& all, int64_t rows) {
  for (int64_t block = 0; block * kGates * kLanes<T> < all.units; block++) {
    const auto tile = [&](int64_t row, auto count) {
      LstmBackward<T> part = all;
      part.dg += row * all.gate_row;
      part.dh += row * all.h_row;
      lstm_backward_tile<T, count>(part, block);
    };
    lstm_row_tiles(rows, tile, std::make_integer_sequence<int, kLstmRows>());
  }
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
