#include "promoted_kernel.h"

#include <algorithm>

#include "memory.h"

namespace torchts {
namespace {

void promote(std::vector<TensorType>* types) {
  for (TensorType& type : *types) {
    if (is_half_width(type.dtype)) type.dtype = DType::float32;
  }
}

bool any_half_width(const std::vector<TensorType>& types) {
  return std::any_of(types.begin(), types.end(),
                     [](const TensorType& type) { return is_half_width(type.dtype); });
}

}  // namespace

bool has_half_width(const KernelSpec& spec) {
  return any_half_width(spec.inputs) || any_half_width(spec.outputs);
}

KernelSpec promote_half_width(const KernelSpec& spec) {
  KernelSpec promoted = spec;
  promote(&promoted.inputs);
  promote(&promoted.outputs);
  return promoted;
}

PromotedKernel::PromotedKernel(const KernelSpec& spec, std::unique_ptr<Kernel> inner)
    : inner_(std::move(inner)),
      scratch_bytes_(aligned_size(inner_->scratch_bytes())),
      input_pointers_(spec.inputs.size()),
      output_pointers_(spec.outputs.size()) {
  add_conversions(spec.inputs, &inputs_);
  add_conversions(spec.outputs, &outputs_);
}

void PromotedKernel::add_conversions(const std::vector<TensorType>& types,
                                     std::vector<Conversion>* conversions) {
  for (size_t i = 0; i < types.size(); i++) {
    if (!is_half_width(types[i].dtype)) continue;
    int64_t count = types[i].numel();
    conversions->push_back({static_cast<int>(i), types[i].dtype, count, scratch_bytes_});
    scratch_bytes_ +=
        std::max(aligned_size(static_cast<size_t>(count) * sizeof(float)), kAlignment);
  }
}

void PromotedKernel::run(const Operands& operands) {
  char* scratch = static_cast<char*>(operands.scratch);
  std::copy_n(operands.inputs, input_pointers_.size(), input_pointers_.begin());
  std::copy_n(operands.outputs, output_pointers_.size(), output_pointers_.begin());
  for (const Conversion& c : inputs_) {
    float* to = reinterpret_cast<float*>(scratch + c.offset);
    widen_all(c.dtype, operands.inputs[c.operand], to, c.count);
    input_pointers_[c.operand] = to;
  }
  for (const Conversion& c : outputs_) output_pointers_[c.operand] = scratch + c.offset;
  inner_->run({input_pointers_.data(), output_pointers_.data(), scratch});
  for (const Conversion& c : outputs_) {
    narrow_all(c.dtype, reinterpret_cast<const float*>(scratch + c.offset),
               operands.outputs[c.operand], c.count);
  }
}

}  // namespace torchts
