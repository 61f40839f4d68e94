// One line for each op family: the function that adds its kernels to the registry.
#pragma once

#include "../runtime/kernel.h"

namespace torchts::onednn {

void register_conv2d(Registry& registry);

}  // namespace torchts::onednn
