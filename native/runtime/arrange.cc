#include "arrange.h"

#include <map>
#include <utility>

namespace torchts {
namespace {

// What went wrong, said of the instruction it went wrong in.
struct Described : std::runtime_error {
  using std::runtime_error::runtime_error;
};

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
      const int output = may_wait(instruction) ? instruction.outputs[0] : -1;
      if (output >= 0)
        waiting_.emplace(output, std::move(instruction));
      else
        add(std::move(instruction));
    }
    for (Binding& binding : program().bindings) settle(&binding);
    while (!waiting_.empty()) make(waiting_.begin()->first, {});
    return std::move(arranged_);
  }

 private:
  Program& program() { return arranged_.program; }
  TensorType& type(int value) { return program().values[value]; }

  void add(Instruction instruction) {
    try {
      instruction.is_alias() ? add_alias(instruction) : add_call(instruction);
    } catch (const Described&) {
      throw;
    } catch (const std::exception& error) {
      throw Described(describe_failure(program(), instruction, error.what()));
    }
  }

  void add(Instruction instruction, std::unique_ptr<Kernel> kernel, std::string method) {
    program().instructions.push_back(std::move(instruction));
    arranged_.kernels.push_back(std::move(kernel));
    arranged_.methods.push_back(std::move(method));
  }

  // A cast (or another pointwise call of one value) waits for its first reader where its input can
  // take the layout the reader asks for, or is narrower, so that less is reordered in front of it.
  bool may_wait(const Instruction& instruction) {
    if (options_.is_off("layouts") || instruction.kernel != "pointwise") return false;
    if (instruction.inputs.size() != 1 || instruction.outputs.size() != 1) return false;
    const int input = instruction.inputs[0];
    const TensorType& out = type(instruction.outputs[0]);
    const bool widens = itemsize(type(input).dtype) < itemsize(out.dtype);
    return type(input).shape == out.shape && (free_[input] || widens);
  }

  // Computes a value that waits, from its input in `layout`. Inputs that wait themselves are few:
  // each is narrower than its reader, and the last may be bound.
  void make(int value, const Layout& layout) {
    Instruction instruction = std::move(waiting_.at(value));
    waiting_.erase(value);
    instruction.inputs[0] = in_layout(instruction.inputs[0], layout, instruction.label);
    add(std::move(instruction));
  }

  // The layout a value has, or would have if it were not brought to another one.
  Layout layout_of(int value) {
    const auto found = waiting_.find(value);
    if (found == waiting_.end()) return type(value).layout;
    return layout_of(found->second.inputs[0]);
  }

  void add_alias(Instruction& instruction) {
    int& input = instruction.inputs[0];
    input = in_layout(input, layout_of(input), instruction.label);
    const int output = instruction.outputs[0];
    Layout reshaped;
    if (!reshape_layout(type(input).layout, type(input).shape, type(output).shape, &reshaped)) {
      input = in_layout(input, {}, instruction.label);
    }
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
    for (int value : instruction.inputs) {
      spec.inputs.push_back(type(value));
      spec.inputs.back().layout = layout_of(value);
    }
    for (int value : instruction.outputs) spec.outputs.push_back(type(value));
    spec.attrs = instruction.attrs;
    spec.threads = options_.threads;
    return spec;
  }

  // The value that holds the contents of `value` in `layout`. From here on the layout of a bound
  // value is settled.
  int in_layout(int value, Layout layout, const std::string& label) {
    if (waiting_.count(value) > 0) make(value, layout);
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
    const int value = binding->value;
    if (waiting_.count(value) > 0) make(value, layout_of(value));
    if (binding->access != Access::update) return;
    if (type(binding->result).shape != type(value).shape) {
      binding->result = row_major_as(binding->result, type(value).shape);
    }
    if (free_[value]) type(value).layout = layout_of(binding->result);
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
  std::map<int, Instruction> waiting_;                 // by the value they make
  std::map<std::pair<int, std::string>, int> copies_;  // (value, layout) -> the reordered value
};

}  // namespace

Arranged arrange(Program program, const Registry& registry, const LoadOptions& options) {
  return Arranger(std::move(program), registry, options).arrange();
}

}  // namespace torchts
