#include "promoted_kernel.h"

#include <algorithm>

#include "memory.h"

namespace torchts {
namespace {

void promote(std::vector<TensorType>* types) {
  for (TensorType& type : *types) {
    if (type.dtype == DType::bfloat16) type.dtype = DType::float32;
  }
}

bool any_bfloat16(const std::vector<TensorType>& types) {
  return std::any_of(types.begin(), types.end(),
                     [](const TensorType& type) { return type.dtype == DType::bfloat16; });
}

}  // namespace

bool has_bfloat16(const KernelSpec& spec) {
  return any_bfloat16(spec.inputs) || any_bfloat16(spec.outputs);
}

KernelSpec promote_bfloat16(const KernelSpec& spec) {
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
    if (types[i].dtype != DType::bfloat16) continue;
    int64_t count = types[i].numel();
    conversions->push_back({static_cast<int>(i), count, scratch_bytes_});
    scratch_bytes_ +=
        std::max(aligned_size(static_cast<size_t>(count) * sizeof(float)), kAlignment);
  }
}

void PromotedKernel::run(const Operands& operands) {
  char* scratch = static_cast<char*>(operands.scratch);
  std::copy_n(operands.inputs, input_pointers_.size(), input_pointers_.begin());
  std::copy_n(operands.outputs, output_pointers_.size(), output_pointers_.begin());
  for (const Conversion& c : inputs_) {
    const bfloat16* from = operands.in<bfloat16>(c.operand);
    float* to = reinterpret_cast<float*>(scratch + c.offset);
    for (int64_t i = 0; i < c.count; i++) to[i] = to_float(from[i]);
    input_pointers_[c.operand] = to;
  }
  for (const Conversion& c : outputs_) output_pointers_[c.operand] = scratch + c.offset;
  inner_->run({input_pointers_.data(), output_pointers_.data(), scratch});
  for (const Conversion& c : outputs_) {
    const float* from = reinterpret_cast<const float*>(scratch + c.offset);
    bfloat16* to = operands.out<bfloat16>(c.operand);
    for (int64_t i = 0; i < c.count; i++) to[i] = to_bfloat16(from[i]);
  }
}

}  // namespace torchts
