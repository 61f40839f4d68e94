// The epilogue of a call (src/engine/kernels.ts): what is done to its first output before it is
// stored. Inline, because the loader and every provider read it.
#pragma once

#include "kernel.h"

namespace torchts {

struct Epilogue {
  // Places of the operands among the call's inputs, -1 where there are none.
  int bias = -1;  // (channels)
  int add = -1;   // of the output's shape
  bool relu = false;
  size_t own_inputs = 0;  // the inputs before the epilogue's

  bool empty() const { return bias < 0 && add < 0 && !relu; }
};

// For implementations that cannot do one: without them the loader adds a pass of its own.
inline bool has_epilogue(const KernelSpec& spec) {
  return !spec.attrs.texts_or_none("epilogue").empty();
}

// The epilogue of a call whose first output has its channels in dimension `channel`. Throws
// std::invalid_argument when its parts are unknown or out of order, or its operands do not fit.
inline Epilogue epilogue_of(const KernelSpec& spec, size_t channel) {
  const auto require = [](bool condition, const char* message) {
    if (!condition) throw std::invalid_argument(message);
  };
  const Attrs::Strings& parts = spec.attrs.texts_or_none("epilogue");
  Epilogue epilogue;
  epilogue.own_inputs = spec.inputs.size();
  for (const std::string& part : parts) epilogue.own_inputs -= part == "relu" ? 0 : 1;
  require(epilogue.own_inputs <= spec.inputs.size(), "an operand of the epilogue is missing");

  const TensorType& out = spec.outputs[0];
  require(parts.empty() || channel < out.shape.size(), "the output has no channels");
  int next = static_cast<int>(epilogue.own_inputs);
  for (const std::string& part : parts) {
    require(!epilogue.relu && (part != "bias" || epilogue.add < 0),
            "the epilogue's parts are out of order");
    if (part == "relu") {
      epilogue.relu = true;
      continue;
    }
    require(part == "bias" || part == "add", "the epilogue has an unknown part");
    int& place = part == "bias" ? epilogue.bias : epilogue.add;
    require(place < 0, "a part of the epilogue is there twice");
    place = next++;
    const TensorType& operand = spec.inputs[place];
    require(operand.dtype == out.dtype, "the epilogue's operands must have the output's dtype");
    require(operand.shape == (part == "bias" ? Shape{out.shape[channel]} : out.shape),
            "an operand of the epilogue has the wrong shape");
  }
  return epilogue;
}

// The same call without its epilogue.
inline KernelSpec without_epilogue(const KernelSpec& spec, const Epilogue& epilogue) {
  KernelSpec plain = spec;
  plain.inputs.resize(epilogue.own_inputs);
  plain.attrs.set("epilogue", Attrs::Strings{});
  return plain;
}

}  // namespace torchts
