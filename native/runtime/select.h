// Which implementation an instruction gets.
#pragma once

#include <memory>
#include <string>

#include "kernel.h"

namespace torchts {

struct ChosenKernel {
  std::unique_ptr<Kernel> kernel;
  std::string method;
};

// The supporting implementation of highest priority; among equals the one registered first. Where
// none supports bfloat16 operands, the float32 one with conversions around it (`+float32`).
// Throws std::invalid_argument when the kernel is unknown or nothing supports the operands.
ChosenKernel choose_kernel(const Registry& registry, const std::string& kernel,
                           const KernelSpec& spec);

}  // namespace torchts
