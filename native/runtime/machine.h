// What the machine offers this process: instruction sets and threads.
#pragma once

#include <string>
#include <vector>

namespace torchts {

// Instruction sets this CPU can run, best first: some of avx512, avx2, and always baseline.
std::vector<std::string> supported_isas();

// How many CPUs the process may run on, by its affinity mask and its cgroup's quota; at least 1.
int available_cpus();

// How many threads a kernel uses unless told otherwise: TORCHTS_NUM_THREADS, else one for each
// physical core among the available CPUs (two hyperthreads share the units that do the arithmetic).
// Throws std::invalid_argument when TORCHTS_NUM_THREADS is not a positive integer.
int default_threads();

// The CPU's own name, or "unknown".
std::string cpu_model();

}  // namespace torchts
