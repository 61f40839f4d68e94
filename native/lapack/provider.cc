// The kernels that LAPACK computes. A shared object that shows nothing but `torchts_register`.
#include "register.h"

extern "C" __attribute__((visibility("default"))) void torchts_register(
    torchts::Registry* registry) {
  using namespace torchts::lapack;
  torchts::parallel_runner = registry->parallel();
  register_factorizations(*registry);
  register_matrix_exp(*registry);
  register_qr(*registry);
  register_spectra(*registry);
}
