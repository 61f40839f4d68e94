// C = A B or C += A B on one thread, for float and double, with the pointwise steps that follow a
// product applied while C is in cache.
// A (m, k) and B (k, n) have contiguous rows or contiguous columns (so a transpose is only a pair
// of strides, one of which is 1); rows of C (m, n) are contiguous. Sums run in ascending k inside
// vector lanes, in the type itself; k = 0 gives zeros. Equal sizes and strides give equal bits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "gemm_epilogue.h"
#include "vec.h"

namespace torchts {
inline namespace TORCHTS_ISA {

struct GemmShape {
  int64_t m, n, k;
  int64_t a_row, a_column;  // the step to the next row and to the next column, in elements
  int64_t b_row, b_column;
  int64_t c_row;
};

// Of C^T = B^T A^T; rows of C stay what is contiguous.
inline GemmShape swap_operands(const GemmShape& s) {
  return {s.n, s.m, s.k, s.b_column, s.b_row, s.a_column, s.a_row, s.c_row};
}

// Bytes of scratch `gemm` needs; never less for a part of the rows or columns than for all.
template <class T>
size_t gemm_scratch(const GemmShape& shape);

template <class T>
void gemm(const GemmShape& shape, const T* a, const T* b, T* c, bool accumulate, void* scratch,
          const GemmEpilogue<T>& epilogue = {});

// Widths that cut C without leaving partial tiles.
template <class T>
constexpr int64_t kGemmColumns = 2 * kLanes<T>;

}  // namespace TORCHTS_ISA
}  // namespace torchts
