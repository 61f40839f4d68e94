// The kernels that oneDNN computes. A shared object that shows nothing but `torchts_register`.
#include "register.h"

extern "C" __attribute__((visibility("default"))) void torchts_register(
    torchts::Registry* registry) {
  torchts::onednn::register_conv2d(*registry);
}
