// The loops of the pointwise interpreter: each reads and writes whole registers of `count`
// elements. Registers may be the same memory: an element is read before it is written.
#pragma once

#include <string>

#include "../runtime/kernel.h"
#include "vec.h"

namespace torchts {
inline namespace TORCHTS_ISA {

enum class Compute { float32, float64, int64 };

constexpr size_t itemsize(Compute type) { return type == Compute::float32 ? 4 : 8; }

// The type a dtype's elements are computed in, and a compute type by its name.
Compute compute_type(DType dtype);
Compute compute_type(const std::string& name);

// Does an element of `dtype` have the very form it is computed in?
bool is_computed_in_place(DType dtype);

using StepFn = void (*)(const void* a, const void* b, const void* c, void* out, int64_t count);
struct StepCode {
  StepFn run;
  int arguments;
  int cost;  // in simple operations
};

// Throws std::invalid_argument for a name that does not exist in this type.
StepCode find_step(const std::string& fn, Compute type);

using ConvertFn = void (*)(const void* from, void* to, int64_t count);
ConvertFn find_cast(Compute from, Compute to);
ConvertFn find_load(DType from);  // elements of `from` to its compute type
ConvertFn find_store(Compute from, DType to);

// to[0..count) = the element at `from`, converted; `value` for a constant.
ConvertFn find_broadcast(DType from);
void fill_constant(Compute type, double value, void* to, int64_t count);

}  // namespace TORCHTS_ISA
}  // namespace torchts
