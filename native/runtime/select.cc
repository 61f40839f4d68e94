#include "select.h"

#include <optional>

#include "epilogue_kernel.h"
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
  for (size_t i = 0; i < from.size(); i++) {
    TensorType& type = to->at(i);
    type.layout = Layout(type.shape, from[i].layout.axes(type.shape));
  }
}

// The best choice for operands of these dtypes; null where there is none.
std::optional<Choice> choose(const Registry& registry, const std::string& kernel,
                             const KernelSpec& spec, const LoadOptions& options, bool promoted) {
  const Implementation* found = best(registry, kernel, spec, options);
  size_t channel = 0;
  if (has_epilogue(spec)) {
    channel = channel_dimension(kernel, spec);
    const KernelSpec plain = without_epilogue(spec, epilogue_of(spec, channel));
    const Implementation* faster = best(registry, kernel, plain, options);
    if (faster != nullptr && (found == nullptr || faster->priority > found->priority)) {
      return Choice(faster, promoted, true, channel);
    }
  }
  if (found == nullptr) return std::nullopt;
  return Choice(found, promoted, false, channel);
}

}  // namespace

std::string Choice::method() const {
  std::string method = implementation_->method;
  if (epilogue_pass_) method += "+epilogue";
  return promoted_ ? method + "+float32" : method;
}

KernelSpec Choice::promoted(const KernelSpec& spec) const {
  return promoted_ ? promote_bfloat16(spec) : spec;
}

KernelSpec Choice::own(const KernelSpec& spec) const {
  if (!epilogue_pass_) return promoted(spec);
  return without_epilogue(promoted(spec), epilogue_of(spec, channel_));
}

void Choice::arrange(KernelSpec* spec) const {
  KernelSpec wanted = own(*spec);
  if (implementation_->arrange != nullptr) {
    implementation_->arrange(&wanted);
  } else {
    for (TensorType& type : wanted.inputs) type.layout = {};
  }
  take_layouts(wanted.inputs, &spec->inputs);
  take_layouts(wanted.outputs, &spec->outputs);
  if (epilogue_pass_) arrange_epilogue(spec, epilogue_of(*spec, channel_));
}

std::unique_ptr<Kernel> Choice::make(const KernelSpec& spec) const {
  std::unique_ptr<Kernel> kernel = implementation_->make(own(spec));
  if (epilogue_pass_) {
    kernel = make_epilogue_kernel(promoted(spec), epilogue_of(spec, channel_), channel_,
                                  std::move(kernel));
  }
  if (!promoted_) return kernel;
  return std::make_unique<PromotedKernel>(spec, std::move(kernel));
}

Choice choose_implementation(const Registry& registry, const std::string& kernel,
                             const KernelSpec& spec, const LoadOptions& options) {
  if (auto choice = choose(registry, kernel, spec, options, false)) return *choice;
  if (has_bfloat16(spec)) {
    if (auto choice = choose(registry, kernel, promote_bfloat16(spec), options, true)) {
      return *choice;
    }
  }
  throw std::invalid_argument(is_known(registry, kernel)
                                  ? "no implementation supports these operands"
                                  : "the engine has no such kernel");
}

}  // namespace torchts
