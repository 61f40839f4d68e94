#include "select.h"

#include "promoted_kernel.h"

namespace torchts {
namespace {

const Implementation* best(const Registry& registry, const std::string& kernel,
                           const KernelSpec& spec, const LoadOptions& options) {
  const Implementation* found = nullptr;
  for (const Implementation& candidate : registry.all()) {
    if (candidate.kernel != kernel) continue;
    if (found != nullptr && candidate.priority <= found->priority) continue;
    if (candidate.priority > 0 && options.is_off(candidate.method)) continue;
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

// Takes the layouts of `from`, in canonical form.
void take_layouts(const TensorTypes& from, TensorTypes* to) {
  for (size_t i = 0; i < to->size(); i++) {
    TensorType& type = to->at(i);
    type.layout = Layout(type.shape, from[i].layout.axes(type.shape));
  }
}

}  // namespace

std::string Choice::method() const {
  const std::string method = implementation_->method;
  return promoted_ ? method + "+float32" : method;
}

void Choice::arrange(KernelSpec* spec) const {
  KernelSpec wanted = promoted_ ? promote_bfloat16(*spec) : *spec;
  if (implementation_->arrange != nullptr) {
    implementation_->arrange(&wanted);
  } else {
    for (TensorType& type : wanted.inputs) type.layout = {};
  }
  take_layouts(wanted.inputs, &spec->inputs);
  take_layouts(wanted.outputs, &spec->outputs);
}

std::unique_ptr<Kernel> Choice::make(const KernelSpec& spec) const {
  if (!promoted_) return implementation_->make(spec);
  return std::make_unique<PromotedKernel>(spec, implementation_->make(promote_bfloat16(spec)));
}

Choice choose_implementation(const Registry& registry, const std::string& kernel,
                             const KernelSpec& spec, const LoadOptions& options) {
  if (const Implementation* found = best(registry, kernel, spec, options)) return {found, false};
  if (has_bfloat16(spec)) {
    const KernelSpec promoted = promote_bfloat16(spec);
    if (const Implementation* found = best(registry, kernel, promoted, options)) {
      return {found, true};
    }
  }
  throw std::invalid_argument(is_known(registry, kernel)
                                  ? "no implementation supports these operands"
                                  : "the engine has no such kernel");
}

}  // namespace torchts
