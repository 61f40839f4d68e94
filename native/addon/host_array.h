// Typed arrays and the dtypes they hold, as listed in src/base/dtype.ts: half-width floats are
// read and written as Float32Array, bool as Uint8Array of 0 and 1.
#pragma once

#include <napi.h>

#include "kernel.h"

namespace torchts {

// The dtype of that name. Throws std::invalid_argument when there is none.
DType dtype_named(const std::string& name);

// The array's bytes, after checking that it is the kind that holds `dtype` and has `numel`
// elements. Throws std::invalid_argument otherwise.
void* host_data(const Napi::Value& array, DType dtype, int64_t numel);

// Copies `numel` elements of `dtype` out of and into the form of their typed array.
void copy_to_host(void* host, const void* data, DType dtype, int64_t numel);
void copy_from_host(void* data, const void* host, DType dtype, int64_t numel);

}  // namespace torchts
