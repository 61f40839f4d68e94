// C = A B for bfloat16 on one thread: sums and epilogue in float32, rounded once. Shapes and steps
// as in gemm.h; equal sizes and strides give equal bits on one machine.
#pragma once

#include "../runtime/dtype.h"
#include "gemm.h"

namespace torchts {
inline namespace TORCHTS_ISA {

// Bytes of scratch; never less for a part of the rows or columns than for all.
size_t gemm_bf16_scratch(const GemmShape& shape);

void gemm_bf16(const GemmShape& shape, const bfloat16* a, const bfloat16* b, bfloat16* c,
               void* scratch, const GemmEpilogue<bfloat16>& epilogue = {});

}  // namespace TORCHTS_ISA
}  // namespace torchts
