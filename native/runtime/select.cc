#include "select.h"

#include "promoted_kernel.h"

namespace torchts {
namespace {

const Implementation* best(const Registry& registry, const std::string& kernel,
                           const KernelSpec& spec) {
  const Implementation* found = nullptr;
  for (const Implementation& candidate : registry.all()) {
    if (candidate.kernel != kernel) continue;
    if (found != nullptr && candidate.priority <= found->priority) continue;
    if (candidate.supports(spec)) found = &candidate;
  }
  return found;
}

bool is_known(const Registry& registry, const std::string& kernel) {
  for (const Implementation& candidate : registry.all()) {
    if (candidate.kernel == kernel) return true;
  }
  return false;
}

}  // namespace

ChosenKernel choose_kernel(const Registry& registry, const std::string& kernel,
                           const KernelSpec& spec) {
  if (const Implementation* found = best(registry, kernel, spec)) {
    return {found->make(spec), found->method};
  }
  if (has_bfloat16(spec)) {
    KernelSpec promoted = promote_bfloat16(spec);
    if (const Implementation* found = best(registry, kernel, promoted)) {
      return {std::make_unique<PromotedKernel>(spec, found->make(promoted)),
              std::string(found->method) + "+float32"};
    }
  }
  throw std::invalid_argument(is_known(registry, kernel)
                                  ? "no implementation supports these operands"
                                  : "the engine has no such kernel");
}

}  // namespace torchts
