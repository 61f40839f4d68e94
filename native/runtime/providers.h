// Finds and loads the kernel providers that lie beside the addon.
#pragma once

#include <string>
#include <vector>

#include "kernel.h"
#include "thread_pool.h"

namespace torchts {

// What became of one provider; `doctor` shows the list.
struct ProviderStatus {
  std::string name;  // torchts_cpu_avx2
  bool loaded;
  std::string reason;  // why it was not loaded; empty when it was
};

struct Providers {
  Registry registry{run_on_pool};
  std::vector<ProviderStatus> statuses;
  std::string isa;     // the instruction set of the CPU kernels
  std::string onednn;  // oneDNN's version, empty when its provider is not loaded
  std::string lapack;  // the same of LAPACK
};

// Loads from `directory` the CPU provider of the best instruction set this machine can run, and
// those of oneDNN and LAPACK. TORCHTS_ISA=baseline|avx2|avx512 asks for one set; TORCHTS_ONEDNN=0
// and TORCHTS_LAPACK=0 leave a library out. Providers stay loaded for the life of the process.
// Throws std::runtime_error that lists every failure when no CPU provider could be loaded.
Providers load_providers(const std::string& directory);

// The directory of the shared object (or executable) that holds `address`.
std::string directory_of(const void* address);

}  // namespace torchts
