#include "providers.h"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include "machine.h"

namespace torchts {
namespace {

constexpr const char* kIsas[] = {"avx512", "avx2", "baseline"};

// Returns the object's handle, or null after recording why there is none.
void* load(Providers& providers, const std::string& directory, const std::string& name) {
  std::string path = directory + "/" + name + ".so";
  auto fail = [&](const std::string& reason) -> void* {
    providers.statuses.push_back({name, false, reason});
    return nullptr;
  };
  if (access(path.c_str(), F_OK) != 0) return fail(path + " was not built");
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return fail(dlerror());
  auto add = reinterpret_cast<torchts_register_fn>(dlsym(handle, "torchts_register"));
  if (add == nullptr) return fail(path + " does not export torchts_register");
  try {
    add(&providers.registry);
  } catch (const std::exception& error) {
    return fail(error.what());
  }
  providers.statuses.push_back({name, true, ""});
  return handle;
}

// oneDNN brings OpenMP, whose idle workers by default spin for milliseconds before they sleep,
// which takes a core from the engine's own pool. libgomp reads this when it is loaded.
void bound_openmp_spin() {
  if (std::getenv("OMP_WAIT_POLICY") == nullptr) setenv("GOMP_SPINCOUNT", "10000", 0);
}

void load_cpu(Providers& providers, const std::string& directory) {
  const char* wanted = std::getenv("TORCHTS_ISA");
  std::vector<std::string> supported = supported_isas();
  if (wanted != nullptr &&
      std::find(std::begin(kIsas), std::end(kIsas), std::string(wanted)) == std::end(kIsas)) {
    throw std::runtime_error(std::string("TORCHTS_ISA must be baseline, avx2 or avx512, got \"") +
                             wanted + "\"");
  }
  for (const std::string isa : kIsas) {
    std::string name = "torchts_cpu_" + isa;
    std::string reason;
    if (!providers.isa.empty()) {
      reason = "torchts_cpu_" + providers.isa + " is better";
    } else if (std::find(supported.begin(), supported.end(), isa) == supported.end()) {
      reason = "this CPU cannot run it";
    } else if (wanted != nullptr && isa != wanted) {
      reason = std::string("TORCHTS_ISA is ") + wanted;
    }
    if (!reason.empty()) {
      providers.statuses.push_back({name, false, reason});
    } else if (load(providers, directory, name) != nullptr) {
      providers.isa = isa;
    }
  }
}

// As `load`, unless the environment's `variable` is 0.
void* load_library(Providers& providers, const std::string& directory, const std::string& name,
                   const std::string& variable) {
  const char* enabled = std::getenv(variable.c_str());
  if (enabled == nullptr || std::string(enabled) != "0") return load(providers, directory, name);
  providers.statuses.push_back({name, false, variable + " is 0"});
  return nullptr;
}

void load_onednn(Providers& providers, const std::string& directory) {
  void* handle = load_library(providers, directory, "torchts_onednn", "TORCHTS_ONEDNN");
  if (handle == nullptr) return;
  struct Version {  // the head of oneDNN's dnnl_version_t, the same in every release
    int major, minor, patch;
  };
  auto version = reinterpret_cast<const Version* (*)()>(dlsym(handle, "dnnl_version"));
  if (version == nullptr) return;
  providers.onednn = std::to_string(version()->major) + "." + std::to_string(version()->minor) +
                     "." + std::to_string(version()->patch);
}

void load_lapack(Providers& providers, const std::string& directory) {
  void* handle = load_library(providers, directory, "torchts_lapack", "TORCHTS_LAPACK");
  if (handle == nullptr) return;
  auto version = reinterpret_cast<void (*)(int*, int*, int*)>(dlsym(handle, "ilaver_"));
  int major = 0, minor = 0, patch = 0;
  if (version != nullptr) version(&major, &minor, &patch);
  providers.lapack =
      std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
  auto config = reinterpret_cast<const char* (*)()>(dlsym(handle, "openblas_get_config"));
  if (config != nullptr) providers.lapack += std::string(" of ") + config();
}

}  // namespace

Providers load_providers(const std::string& directory) {
  // Each provider gets its own copy; this one is for the kernels of the runtime itself.
  parallel_runner = run_on_pool;
  bound_openmp_spin();
  Providers providers;
  load_cpu(providers, directory);
  if (providers.isa.empty()) {
    std::string message = "no CPU kernels could be loaded from " + directory;
    for (const ProviderStatus& status : providers.statuses) {
      message += "\n  " + status.name + ": " + status.reason;
    }
    throw std::runtime_error(message);
  }
  load_onednn(providers, directory);
  load_lapack(providers, directory);
  return providers;
}

std::string directory_of(const void* address) {
  Dl_info info;
  if (dladdr(address, &info) == 0 || info.dli_fname == nullptr) return ".";
  std::string path = info.dli_fname;
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

}  // namespace torchts
