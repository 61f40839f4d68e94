// The epilogue of a call (src/engine/kernels.ts): what is done to its first output before it is
// stored. Inline, because the loader and every provider read it.
#pragma once

#include <algorithm>
#include <array>

#include "kernel.h"

namespace torchts {

enum class Gelu { none, exact, tanh };

struct Epilogue {
  // Places of the operands among the call's inputs, -1 where there are none.
  int bias = -1;  // (channels)
  int add = -1;   // of the output's shape
  bool relu = false;
  size_t channel = 0;  // the output's dimension that the bias runs along
  Gelu gelu = Gelu::none;
  int mul = -1;           // of the output's shape
  size_t own_inputs = 0;  // the inputs before the epilogue's

  bool empty() const { return bias < 0 && add < 0 && !relu && !only_of_products(); }
  // Has it parts that matmul alone takes?
  bool only_of_products() const { return gelu != Gelu::none || mul >= 0; }
};

// For implementations that cannot do one: the loader adds a pass of its own.
inline bool has_epilogue(const KernelSpec& spec) {
  return !spec.attrs.texts_or_none("epilogue").empty();
}

// Does this part of an epilogue read an operand?
inline bool has_operand(const std::string& part) {
  return part == "bias" || part == "add" || part == "mul";
}

// The epilogue of a call. Throws std::invalid_argument when its parts are unknown or out of order,
// or its operands do not fit.
inline Epilogue epilogue_of(const KernelSpec& spec) {
  const auto require = [](bool condition, const char* message) {
    if (!condition) throw std::invalid_argument(message);
  };
  const Attrs::Strings& parts = spec.attrs.texts_or_none("epilogue");
  Epilogue epilogue;
  epilogue.own_inputs = spec.inputs.size();
  for (const std::string& part : parts) epilogue.own_inputs -= has_operand(part) ? 1 : 0;
  require(epilogue.own_inputs <= spec.inputs.size(), "an operand of the epilogue is missing");

  const TensorType& out = spec.outputs[0];
  if (!parts.empty() && parts[0] == "bias") {
    const int64_t rank = static_cast<int64_t>(out.shape.size());
    const int64_t channel = spec.attrs.integer("channel");
    require(-rank <= channel && channel < rank, "the output has no channels");
    epilogue.channel = static_cast<size_t>(channel < 0 ? rank + channel : channel);
  }
  constexpr std::array<const char*, 6> kOrder = {"bias", "add", "relu", "gelu", "gelu_tanh", "mul"};
  auto first = kOrder.begin();
  int next = static_cast<int>(epilogue.own_inputs);
  for (const std::string& part : parts) {
    const auto found = std::find(first, kOrder.end(), part);
    require(found != kOrder.end(),
            "a part of the epilogue is unknown, out of order or there twice");
    first = found + 1;
    if (part == "relu") epilogue.relu = true;
    if (part == "gelu" || part == "gelu_tanh") {
      require(epilogue.gelu == Gelu::none, "the epilogue has two kinds of gelu");
      epilogue.gelu = part == "gelu" ? Gelu::exact : Gelu::tanh;
    }
    if (!has_operand(part)) continue;
    (part == "bias" ? epilogue.bias : part == "add" ? epilogue.add : epilogue.mul) = next;
    const TensorType& operand = spec.inputs[next++];
    require(operand.dtype == out.dtype, "the epilogue's operands must have the output's dtype");
    require(operand.shape == (part == "bias" ? Shape{out.shape[epilogue.channel]} : out.shape),
            "an operand of the epilogue has the wrong shape");
  }
  return epilogue;
}

// The same for a kernel whose channels are in dimension `channel`.
inline Epilogue epilogue_of(const KernelSpec& spec, size_t channel) {
  const Epilogue epilogue = epilogue_of(spec);
  if (epilogue.bias >= 0 && epilogue.channel != channel) {
    throw std::invalid_argument("the epilogue's bias runs along another dimension");
  }
  return epilogue;
}

// The same call with the first `parts` of its epilogue.
inline KernelSpec with_parts(const KernelSpec& spec, size_t parts) {
  const Attrs::Strings& all = spec.attrs.texts_or_none("epilogue");
  KernelSpec shorter = spec;
  for (size_t i = parts; i < all.size(); i++) {
    if (has_operand(all[i])) shorter.inputs.pop_back();
  }
  shorter.attrs.set("epilogue", Attrs::Strings(all.begin(), all.begin() + parts));
  return shorter;
}

}  // namespace torchts
