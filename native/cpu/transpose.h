// to[j][i] = from[i][j] for matrices in memory, by square tiles in registers; the same shuffles sum
// the lanes of many vectors at once.
#pragma once

#include <utility>

#include "vec.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace transpose_detail {

// Swaps the off-diagonal blocks of kStep x kStep inside each 2 kStep x 2 kStep block.
template <class T, int kStep, int... kLane>
inline void swap_blocks(Vec<T>* row, std::integer_sequence<int, kLane...>) {
  constexpr int kCount = kLanes<T>;
  for (int r = 0; r < kCount; r++) {
    if (r & kStep) continue;
    const Vec<T> a = row[r], b = row[r + kStep];
    row[r] = __builtin_shufflevector(a, b, (kLane & kStep ? kCount + kLane - kStep : kLane)...);
    row[r + kStep] =
        __builtin_shufflevector(a, b, (kLane & kStep ? kCount + kLane : kLane + kStep)...);
  }
}

}  // namespace transpose_detail

// A square of kLanes vectors in registers.
template <class T, int kStep = 1>
inline void transpose_registers(Vec<T>* row) {
  if constexpr (kStep < kLanes<T>) {
    transpose_detail::swap_blocks<T, kStep>(row, std::make_integer_sequence<int, kLanes<T>>());
    transpose_registers<T, 2 * kStep>(row);
  }
}

// Lane i is the sum of the lanes of vector i, of kLanes vectors, which are overwritten.
template <class T>
inline Vec<T> lane_sums(Vec<T>* vectors) {
  transpose_registers<T>(vectors);
  for (int step = kLanes<T> / 2; step > 0; step /= 2) {
    for (int i = 0; i < step; i++) vectors[i] += vectors[i + step];
  }
  return vectors[0];
}

template <class T>
void transpose(const T* from, int64_t from_row, int64_t rows, int64_t columns, T* to,
               int64_t to_row) {
  constexpr int64_t kSide = kLanes<T>;
  const int64_t whole_rows = rows - rows % kSide, whole_columns = columns - columns % kSide;
  for (int64_t j = 0; j < whole_columns; j += kSide) {
    for (int64_t i = 0; i < whole_rows; i += kSide) {
      Vec<T> tile[kSide];
      for (int r = 0; r < kSide; r++) tile[r] = load(from + (i + r) * from_row + j);
      transpose_registers<T>(tile);
      for (int r = 0; r < kSide; r++) store<T>(to + (j + r) * to_row + i, tile[r]);
    }
  }
  for (int64_t j = 0; j < columns; j++) {
    for (int64_t i = j < whole_columns ? whole_rows : 0; i < rows; i++) {
      to[j * to_row + i] = from[i * from_row + j];
    }
  }
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
