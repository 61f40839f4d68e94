// Epilogues for the implementations that have none of their own.
#pragma once

#include <memory>

#include "epilogue.h"

namespace torchts {

// The layouts of the epilogue's operands, given that of the output.
void arrange_epilogue(KernelSpec* spec, const Epilogue& epilogue);

// `inner`, made for the first `parts` of the call's epilogue, then a pass over its first output
// that does the others.
std::unique_ptr<Kernel> make_epilogue_kernel(const KernelSpec& spec, size_t parts,
                                             std::unique_ptr<Kernel> inner);

}  // namespace torchts
