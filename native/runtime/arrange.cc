#include "arrange.h"

#include <map>
#include <utility>

namespace torchts {
namespace {

class Arranger {
 public:
  Arranger(Program program, const Registry& registry, const LoadOptions& options)
      : registry_(registry), options_(options), free_(program.values.size(), false) {
    arranged_.program = std::move(program);
  }

  Arranged arrange() {
    std::vector<Instruction> instructions = std::move(program().instructions);
    program().instructions.clear();
    for (const Binding& binding : program().bindings) {
      if (binding.access != Access::write) free_[binding.value] = true;
    }
    for (Instruction& instruction : instructions) {
      try {
        instruction.is_alias() ? add_alias(instruction) : add_call(instruction);
      } catch (const std::exception& error) {
        throw std::runtime_error(describe_failure(program(), instruction, error.what()));
      }
    }
    for (Binding& binding : program().bindings) settle(&binding);
    return std::move(arranged_);
  }

 private:
  Program& program() { return arranged_.program; }
  TensorType& type(int value) { return program().values[value]; }

  void add(Instruction instruction, std::unique_ptr<Kernel> kernel, std::string method) {
    program().instructions.push_back(std::move(instruction));
    arranged_.kernels.push_back(std::move(kernel));
    arranged_.methods.push_back(std::move(method));
  }

  void add_alias(Instruction& instruction) {
    int& input = instruction.inputs[0];
    const int output = instruction.outputs[0];
    Layout reshaped;
    if (!reshape_layout(type(input).layout, type(input).shape, type(output).shape, &reshaped)) {
      input = in_layout(input, {}, instruction.label);
    }
    free_[input] = false;
    type(output).layout = reshaped;
    add(std::move(instruction), nullptr, "alias");
  }

  void add_call(Instruction& instruction) {
    KernelSpec spec = spec_of(instruction);
    const Choice choice = choose_implementation(registry_, instruction.kernel, spec, options_);
    if (!options_.is_off("layouts")) choice.arrange(&spec);
    std::unique_ptr<Kernel> kernel = choice.make(spec);
    for (size_t i = 0; i < instruction.inputs.size(); i++) {
      int& input = instruction.inputs[i];
      input = in_layout(input, spec.inputs[i].layout, instruction.label);
    }
    for (size_t j = 0; j < instruction.outputs.size(); j++) {
      type(instruction.outputs[j]).layout = spec.outputs[j].layout;
    }
    add(std::move(instruction), std::move(kernel), choice.method());
  }

  KernelSpec spec_of(const Instruction& instruction) {
    KernelSpec spec;
    for (int value : instruction.inputs) spec.inputs.push_back(type(value));
    for (int value : instruction.outputs) spec.outputs.push_back(type(value));
    spec.attrs = instruction.attrs;
    spec.threads = options_.threads;
    return spec;
  }

  // The value that holds the contents of `value` in `layout`. From here on the layout of a bound
  // value is settled.
  int in_layout(int value, const Layout& layout, const std::string& label) {
    if (free_[value]) type(value).layout = layout;
    free_[value] = false;
    if (type(value).layout == layout) return value;
    const auto [found, is_new] = copies_.emplace(std::pair(value, layout.text()), -1);
    if (is_new) found->second = add_reorder(value, layout, label);
    return found->second;
  }

  int add_reorder(int value, const Layout& layout, const std::string& label) {
    Shape sizes;
    std::vector<int64_t> strides;
    if (!common_axes(type(value).shape, type(value).layout, layout, &sizes, &strides)) {
      value = in_layout(value, {}, label);
    }
    TensorType copy = type(value);
    copy.layout = layout;
    const int to = new_value(copy);
    Instruction instruction{"reorder", {value}, {to}, {}, label};
    const KernelSpec spec = spec_of(instruction);
    const Choice choice = choose_implementation(registry_, instruction.kernel, spec, options_);
    add(std::move(instruction), choice.make(spec), choice.method());
    return to;
  }

  // An update's result ends in the layout its buffer had at the start. A buffer nobody reads takes
  // its result's.
  void settle(Binding* binding) {
    if (binding->access != Access::update) return;
    const int value = binding->value;
    if (type(binding->result).shape != type(value).shape) {
      binding->result = row_major_as(binding->result, type(value).shape);
    }
    if (free_[value]) type(value).layout = type(binding->result).layout;
    free_[value] = false;
    binding->result = in_layout(binding->result, type(value).layout, "update");
  }

  int row_major_as(int value, Shape shape) {
    value = in_layout(value, {}, "update");
    const int to = new_value({type(value).dtype, std::move(shape)});
    add({"alias", {value}, {to}, {}, "update"}, nullptr, "alias");
    return to;
  }

  int new_value(TensorType type) {
    program().values.push_back(std::move(type));
    free_.push_back(false);
    return static_cast<int>(program().values.size()) - 1;
  }

  const Registry& registry_;
  const LoadOptions& options_;
  Arranged arranged_;
  std::vector<bool> free_;                             // of each value: bound, and not read so far
  std::map<std::pair<int, std::string>, int> copies_;  // (value, layout) -> the reordered value
};

}  // namespace

Arranged arrange(Program program, const Registry& registry, const LoadOptions& options) {
  return Arranger(std::move(program), registry, options).arrange();
}

}  // namespace torchts
