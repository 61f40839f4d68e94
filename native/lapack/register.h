// One line for each family: the function that adds its kernels to the registry.
#pragma once

#include "../runtime/kernel.h"

namespace torchts::lapack {

void register_factorizations(Registry& registry);
void register_matrix_exp(Registry& registry);
void register_qr(Registry& registry);
void register_spectra(Registry& registry);

}  // namespace torchts::lapack
