// Products where blocking does not pay: few rows, few columns, or few terms. See gemm.h.
#pragma once

#include "gemm.h"

namespace torchts {
inline namespace TORCHTS_ISA {

constexpr int64_t kFewRows = 16;  // or columns: up to here these ways win
constexpr int64_t kShallow = 16;  // so few terms that C's traffic dominates

// Operands in place; rows of B are contiguous.
template <class T>
void gemm_direct(const GemmShape& shape, const T* a, const T* b, T* c, bool accumulate,
                 const GemmEpilogue<T>& epilogue);

// Sums along vectors; rows of A and columns of B are contiguous.
template <class T>
void gemm_dots(const GemmShape& shape, const T* a, const T* b, T* c, bool accumulate,
               const GemmEpilogue<T>& epilogue);

}  // namespace TORCHTS_ISA
}  // namespace torchts
