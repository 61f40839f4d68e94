// Pointwise functions computed one number at a time: what is rare is not worth a vector formula,
// nor a copy in every loop. Looked up by name like the others.
#pragma once

#include "pointwise_steps.h"

namespace torchts {
inline namespace TORCHTS_ISA {

// `run` is null where there is no such function in this type.
StepCode find_scalar_step(const std::string& fn, Compute type);

}  // namespace TORCHTS_ISA
}  // namespace torchts
