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

// The best choice for operands of these dtypes; null where there is none. Of an implementation's
// offers the one that does most of the epilogue.
std::optional<Choice> choose(const Registry& registry, const std::string& kernel,
                             const KernelSpec& spec, const LoadOptions& options, bool promoted) {
  const size_t all = spec.attrs.texts_or_none("epilogue").size();
  // Throws unless its operands are there.
  const bool whole = all > 0 && epilogue_of(spec).only_of_products();
  if (whole && kernel != "matmul") {
    throw std::invalid_argument("only a product's epilogue has gelu or mul");
  }
  const Implementation* found = nullptr;
  size_t parts = 0;
  for (size_t offered = all + 1; offered-- > (whole ? all : 0);) {
    const Implementation* candidate = best(registry, kernel, with_parts(spec, offered), options);
    if (candidate == nullptr) continue;
    if (found != nullptr && candidate->priority <= found->priority) continue;
    found = candidate;
    parts = offered;
  }
  if (found == nullptr) return std::nullopt;
  return Choice(found, promoted, parts, parts < all);
}

}  // namespace

std::string Choice::method() const {
  std::string method = implementation_->method;
  if (epilogue_pass_) method += "+epilogue";
  return promoted_ ? method + "+float32" : method;
}

KernelSpec Choice::promoted(const KernelSpec& spec) const {
  return promoted_ ? promote_half_width(spec) : spec;
}

KernelSpec Choice::own(const KernelSpec& spec) const {
  return epilogue_pass_ ? with_parts(promoted(spec), parts_) : promoted(spec);
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
  if (epilogue_pass_) arrange_epilogue(spec, epilogue_of(*spec));
}

std::unique_ptr<Kernel> Choice::make(const KernelSpec& spec) const {
  std::unique_ptr<Kernel> kernel = implementation_->make(own(spec));
  if (epilogue_pass_) {
    kernel = make_epilogue_kernel(promoted(spec), parts_, std::move(kernel));
  }
  if (!promoted_) return kernel;
  return std::make_unique<PromotedKernel>(spec, std::move(kernel));
}

Choice choose_implementation(const Registry& registry, const std::string& kernel,
                             const KernelSpec& spec, const LoadOptions& options) {
  if (auto choice = choose(registry, kernel, spec, options, false)) return *choice;
  if (has_half_width(spec)) {
    if (auto choice = choose(registry, kernel, promote_half_width(spec), options, true)) {
      return *choice;
    }
  }
  throw std::invalid_argument(is_known(registry, kernel)
                                  ? "no implementation supports these operands"
                                  : "the engine has no such kernel");
}

}  // namespace torchts
