// What follows a matrix product, in this order: + bias (one value a column), + a tensor laid out as
// C, relu, gelu (whose derivative may be stored, too), * a tensor laid out as C. Applied where C's
// values are still in registers or cache.
#pragma once

#include <cstdint>

#include "../runtime/epilogue.h"
#include "vec_math.h"
#include "vec_storage.h"

namespace torchts {
inline namespace TORCHTS_ISA {

template <class T>
struct GemmEpilogue {
  const T* bias = nullptr;
  const T* add = nullptr;
  bool relu = false;
  Gelu gelu = Gelu::none;
  T* derivative = nullptr;  // of gelu, where it is wanted
  const T* mul = nullptr;

  bool empty() const {
    return bias == nullptr && add == nullptr && !relu && gelu == Gelu::none && mul == nullptr;
  }

  // For the part of C that begins at this row and column.
  GemmEpilogue at(int64_t row, int64_t column, int64_t c_row) const {
    const auto move = [](auto* pointer, int64_t by) {
      return pointer == nullptr ? nullptr : pointer + by;
    };
    const int64_t place = row * c_row + column;
    return {move(bias, column),      move(add, place), relu, gelu,
            move(derivative, place), move(mul, place)};
  }
};

// What becomes of `lanes` sums at c[place], in columns from `column` on.
template <class T>
Vec<Computed<T>> finish_sums(const GemmEpilogue<T>& epilogue, Vec<Computed<T>> value, int64_t place,
                             int64_t column, int64_t lanes) {
  using V = Vec<Computed<T>>;
  if (epilogue.bias != nullptr) value += read_lanes(epilogue.bias + column, lanes);
  if (epilogue.add != nullptr) value += read_lanes(epilogue.add + place, lanes);
  if (epilogue.relu) value = select(value <= V{}, V{}, value);
  if (epilogue.gelu != Gelu::none) {
    const bool exact = epilogue.gelu == Gelu::exact;
    if (epilogue.derivative != nullptr) {
      const V slope = exact ? vgelu_derivative(value) : vgelu_tanh_derivative(value);
      write_lanes(epilogue.derivative + place, slope, lanes);
    }
    value = exact ? vgelu(value) : vgelu_tanh(value);
  }
  if (epilogue.mul != nullptr) value *= read_lanes(epilogue.mul + place, lanes);
  return value;
}

// Applies it to `rows` x `columns` of C, in place; `row` and `column` are where they lie.
template <class T>
void apply_epilogue(const GemmEpilogue<T>& epilogue, int64_t row, int64_t rows, int64_t column,
                    int64_t columns, T* c, int64_t c_row) {
  if (epilogue.empty()) return;
  const GemmEpilogue<T> part = epilogue.at(row, column, c_row);
  for (int64_t i = 0; i < rows; i++) {
    for (int64_t j = 0; j < columns; j += kLanes<T>) {
      const int64_t place = i * c_row + j, lanes = columns - j;
      const Vec<T> value = load_lanes(c + place, lanes);
      store_lanes<T>(c + place, finish_sums(part, value, place, j, lanes), lanes);
    }
  }
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
