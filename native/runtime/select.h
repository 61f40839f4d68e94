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

// An implementation, on the operands as they are or on half-width ones converted to float32, and
// with a pass for what it cannot do of the call's epilogue.
class Choice {
 public:
  // `parts` of the call's epilogue are the implementation's own.
  Choice(const Implementation* implementation, bool promoted, size_t parts, bool epilogue_pass)
      : implementation_(implementation),
        promoted_(promoted),
        parts_(parts),
        epilogue_pass_(epilogue_pass) {}

  // "portable", "portable+float32", "onednn_direct+epilogue".
  std::string method() const;
  // The layouts the implementation wants, given those the inputs have; canonical. Throws
  // std::invalid_argument when a wanted layout does not fit its operand.
  void arrange(KernelSpec* spec) const;
  std::unique_ptr<Kernel> make(const KernelSpec& spec) const;

 private:
  KernelSpec promoted(const KernelSpec& spec) const;
  // What the implementation itself computes.
  KernelSpec own(const KernelSpec& spec) const;

  const Implementation* implementation_;
  bool promoted_;
  size_t parts_;
  bool epilogue_pass_;
};

// The supporting implementation of highest priority that is not off; among equals the one
// registered first. Where none supports half-width operands, the float32 one with conversions
// around it. Where the best one cannot do the end of the call's epilogue, it and a pass over its
// result. Throws std::invalid_argument when the kernel is unknown or nothing supports the operands.
Choice choose_implementation(const Registry& registry, const std::string& kernel,
                             const KernelSpec& spec, const LoadOptions& options);

}  // namespace torchts
