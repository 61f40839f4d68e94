// Epilogues for the implementations that have none of their own.
#pragma once

#include <memory>
#include <string>

#include "epilogue.h"

namespace torchts {

// The dimension of a kernel's output that holds its channels. Throws std::invalid_argument unless
// `kernel` is one of those that may have an epilogue.
size_t channel_dimension(const std::string& kernel, const KernelSpec& spec);

// The layouts of the epilogue's operands, given that of the output.
void arrange_epilogue(KernelSpec* spec, const Epilogue& epilogue);

// `inner`, made for without_epilogue(spec, epilogue), then a pass over its first output.
std::unique_ptr<Kernel> make_epilogue_kernel(const KernelSpec& spec, const Epilogue& epilogue,
                                             size_t channel, std::unique_ptr<Kernel> inner);

}  // namespace torchts
