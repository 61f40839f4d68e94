// Which implementation an instruction gets.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "kernel.h"

namespace torchts {

struct LoadOptions {
  int threads = 1;
  // Fills every arena range with NaN bytes (0xff) as soon as its value is dead, so that a read of
  // freed memory shows. For tests: it costs a pass over every value.
  bool poison = false;
  // Methods that must not be chosen (portable ones always may), and `layouts`: every value stays
  // row-major.
  std::set<std::string> off = {};

  bool is_off(const std::string& name) const { return off.count(name) > 0; }
};

// An implementation, on the operands as they are or on bfloat16 ones converted to float32.
class Choice {
 public:
  Choice(const Implementation* implementation, bool promoted)
      : implementation_(implementation), promoted_(promoted) {}

  // "portable", "portable+float32".
  std::string method() const;
  // The layouts the implementation wants, given those the inputs have; canonical. Throws
  // std::invalid_argument when a wanted layout does not fit its operand.
  void arrange(KernelSpec* spec) const;
  std::unique_ptr<Kernel> make(const KernelSpec& spec) const;

 private:
  const Implementation* implementation_;
  bool promoted_;
};

// The supporting implementation of highest priority that is not off; among equals the one
// registered first. Where none supports bfloat16 operands, the float32 one with conversions around
// it. Throws std::invalid_argument when the kernel is unknown or nothing supports the operands.
Choice choose_implementation(const Registry& registry, const std::string& kernel,
                             const KernelSpec& spec, const LoadOptions& options);

}  // namespace torchts
