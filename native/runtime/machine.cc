#include "machine.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>
#include <stdexcept>

namespace torchts {
namespace {

constexpr int kNoQuota = std::numeric_limits<int>::max();

std::vector<int> affinity() {
  std::vector<int> cpus;
  for (int capacity = 1024; capacity <= 1 << 20; capacity *= 2) {
    cpu_set_t* set = CPU_ALLOC(capacity);
    size_t size = CPU_ALLOC_SIZE(capacity);
    bool fits = sched_getaffinity(0, size, set) == 0;
    for (int cpu = 0; fits && cpu < capacity; cpu++) {
      if (CPU_ISSET_S(cpu, size, set)) cpus.push_back(cpu);
    }
    CPU_FREE(set);
    if (fits) break;
  }
  if (cpus.empty()) cpus.push_back(0);
  return cpus;
}

int cpus_of_quota(double quota, double period) {
  if (!(quota > 0) || !(period > 0)) return kNoQuota;
  return std::max(1, static_cast<int>(std::ceil(quota / period)));
}

int quota_v2(const std::string& directory) {
  std::ifstream file(directory + "/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max") return kNoQuota;
  return cpus_of_quota(std::atof(quota.c_str()), period);
}

int quota_v1(const std::string& directory) {
  std::ifstream quota_file(directory + "/cpu.cfs_quota_us");
  std::ifstream period_file(directory + "/cpu.cfs_period_us");
  double quota = 0;
  double period = 0;
  if (!(quota_file >> quota) || !(period_file >> period)) return kNoQuota;
  return cpus_of_quota(quota, period);
}

// The tightest quota from a group up to the root of its hierarchy: every level counts.
int tightest(const std::string& mount, std::string group, int (*quota)(const std::string&)) {
  int cpus = kNoQuota;
  while (true) {
    cpus = std::min(cpus, quota(mount + group));
    size_t slash = group.rfind('/');
    if (slash == std::string::npos || group.empty()) return cpus;
    group.resize(slash);
  }
}

// /proc/self/cgroup has lines `id:controllers:path`; version 2 has the one with no controllers.
int cgroup_cpus() {
  int cpus = kNoQuota;
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    size_t first = line.find(':');
    size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    std::string group = line.substr(second + 1);
    if (controllers == ",,") {
      cpus = std::min(cpus, tightest("/sys/fs/cgroup", group, quota_v2));
    } else if (controllers.find(",cpu,") != std::string::npos) {
      cpus = std::min(cpus, tightest("/sys/fs/cgroup/cpu", group, quota_v1));
    }
  }
  return cpus;
}

int physical_cores(const std::vector<int>& cpus) {
  std::set<std::string> cores;
  for (int cpu : cpus) {
    std::string path =
        "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list";
    std::ifstream file(path);
    std::string siblings;
    if (!std::getline(file, siblings)) siblings = "cpu " + std::to_string(cpu);
    cores.insert(siblings);
  }
  return static_cast<int>(cores.size());
}

}  // namespace

std::vector<std::string> supported_isas() {
  std::vector<std::string> isas;
#if defined(__x86_64__)
  __builtin_cpu_init();
  bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  // GCC 10 cannot ask for f16c; every CPU with AVX2 has it.
  if (avx512) isas.push_back("avx512");
  if (avx2) isas.push_back("avx2");
#endif
  isas.push_back("baseline");
  return isas;
}

int available_cpus() {
  return std::max(1, std::min(static_cast<int>(affinity().size()), cgroup_cpus()));
}

int default_threads() {
  if (const char* text = std::getenv("TORCHTS_NUM_THREADS"); text != nullptr && *text != '\0') {
    char* end = nullptr;
    long threads = std::strtol(text, &end, 10);
    if (*end != '\0' || threads < 1 || threads > 4096) {
      throw std::invalid_argument(std::string("TORCHTS_NUM_THREADS must be 1 to 4096, got \"") +
                                  text + "\"");
    }
    return static_cast<int>(threads);
  }
  return std::max(1, std::min(physical_cores(affinity()), cgroup_cpus()));
}

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    size_t colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) {
      return line.substr(colon + 2);
    }
  }
  return "unknown";
}

}  // namespace torchts
