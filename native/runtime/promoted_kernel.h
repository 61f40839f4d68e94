// Runs a float32 implementation on half-width operands: converts them into scratch, runs, converts
// the results back. The fallback where nothing computes on the half-width dtype directly.
#pragma once

#include <memory>
#include <vector>

#include "kernel.h"

namespace torchts {

bool has_half_width(const KernelSpec& spec);

// The same call with every half-width operand a float32 one.
KernelSpec promote_half_width(const KernelSpec& spec);

class PromotedKernel : public Kernel {
 public:
  // `inner` was made for promote_half_width(spec).
  PromotedKernel(const KernelSpec& spec, std::unique_ptr<Kernel> inner);

  void run(const Operands& operands) override;
  size_t scratch_bytes() const override { return scratch_bytes_; }

 private:
  struct Conversion {
    int operand;
    DType dtype;
    int64_t count;
    size_t offset;  // of the float32 copy in scratch
  };

  void add_conversions(const std::vector<TensorType>& types, std::vector<Conversion>* conversions);

  std::unique_ptr<Kernel> inner_;
  std::vector<Conversion> inputs_;
  std::vector<Conversion> outputs_;
  size_t scratch_bytes_;  // the inner kernel's own, then the copies
  std::vector<const void*> input_pointers_;
  std::vector<void*> output_pointers_;
};

}  // namespace torchts
