// What follows a matrix product, in this order: + bias (one value a column), + a tensor laid out as
// C, relu. Applied where C's values are still in registers or cache.
#pragma once

#include <cstdint>

#include "vec.h"

namespace torchts {
inline namespace TORCHTS_ISA {

template <class T>
struct GemmEpilogue {
  const T* bias = nullptr;
  const T* add = nullptr;
  bool relu = false;

  bool empty() const { return bias == nullptr && add == nullptr && !relu; }

  // For the part of C that begins at this row and column.
  GemmEpilogue at(int64_t row, int64_t column, int64_t c_row) const {
    return {bias == nullptr ? nullptr : bias + column,
            add == nullptr ? nullptr : add + row * c_row + column, relu};
  }
};

// Applies it to `rows` x `columns` of C, in place; `row` and `column` are where they lie.
template <class T>
void apply_epilogue(const GemmEpilogue<T>& epilogue, int64_t row, int64_t rows, int64_t column,
                    int64_t columns, T* c, int64_t c_row) {
  if (epilogue.empty()) return;
  const GemmEpilogue<T> part = epilogue.at(row, column, c_row);
  for (int64_t i = 0; i < rows; i++) {
    for (int64_t j = 0; j < columns; j += kLanes<T>) {
      const int64_t at = i * c_row + j, lanes = columns - j;
      Vec<T> value = load_lanes(c + at, lanes);
      if (part.bias != nullptr) value += load_lanes(part.bias + j, lanes);
      if (part.add != nullptr) value += load_lanes(part.add + at, lanes);
      if (part.relu) value = select(value <= Vec<T>{}, Vec<T>{}, value);
      store_lanes<T>(c + at, value, lanes);
    }
  }
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
