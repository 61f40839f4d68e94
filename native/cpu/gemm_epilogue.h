// The pointwise steps behind a matrix product, in the order given: + bias (one value a column),
// + a tensor laid out as C, relu. Applied where C's values are still in registers or cache.
#pragma once

#include <cstdint>

#include "vec.h"

namespace torchts {
inline namespace TORCHTS_ISA {

enum class EpilogueStep { bias, add, relu };

template <class T>
struct GemmEpilogue {
  static constexpr int kMost = 4;

  EpilogueStep steps[kMost] = {};
  int count = 0;
  // The operand of each bias and add step, moved along with C where a product is cut in parts.
  const T* operands[kMost] = {};

  // For the part of C that begins at this row and column.
  GemmEpilogue at(int64_t row, int64_t column, int64_t c_row) const {
    GemmEpilogue part = *this;
    for (int i = 0; i < count; i++) {
      if (steps[i] == EpilogueStep::bias) part.operands[i] += column;
      if (steps[i] == EpilogueStep::add) part.operands[i] += row * c_row + column;
    }
    return part;
  }

  // The values of C at `row` and the `lanes` columns from `column` on.
  Vec<T> apply(Vec<T> value, int64_t row, int64_t column, int64_t c_row, int64_t lanes) const {
    for (int i = 0; i < count; i++) {
      if (steps[i] == EpilogueStep::bias) {
        value += load_lanes(operands[i] + column, lanes);
      } else if (steps[i] == EpilogueStep::add) {
        value += load_lanes(operands[i] + row * c_row + column, lanes);
      } else {
        value = select(value < Vec<T>{}, Vec<T>{}, value);
      }
    }
    return value;
  }
};

}  // namespace TORCHTS_ISA
}  // namespace torchts
