#include "program.h"

namespace torchts {
namespace {

constexpr int64_t kMostElements = int64_t{1} << 53;  // what a JavaScript number counts exactly

[[noreturn]] void fail(const std::string& message) {
  throw std::invalid_argument("[program] " + message);
}

std::string value_name(int value) { return "value " + std::to_string(value); }

// Walks a Program in order, keeping which values hold something.
class Checker {
 public:
  explicit Checker(const Program& program)
      : program_(program), defined_(program.values.size(), false) {}

  void check() {
    for (size_t i = 0; i < program_.values.size(); i++) check_value(static_cast<int>(i));
    for (const Binding& binding : program_.bindings) {
      if (binding.access != Access::write) define(binding.value, "a binding");
    }
    for (int value : program_.scalars) check_scalar(value);
    for (const Instruction& instruction : program_.instructions) check_instruction(instruction);
    for (const Binding& binding : program_.bindings) check_end(binding);
  }

 private:
  const TensorType& type(int value) const { return program_.values[value]; }

  void in_range(int value, const std::string& where) const {
    if (value < 0 || static_cast<size_t>(value) >= program_.values.size()) {
      fail(where + " names " + value_name(value) + ", but there are " +
           std::to_string(program_.values.size()) + " values");
    }
  }

  void define(int value, const std::string& where) {
    in_range(value, where);
    if (defined_[value]) fail(value_name(value) + " is defined twice, the second time by " + where);
    defined_[value] = true;
  }

  void use(int value, const std::string& where) const {
    in_range(value, where);
    if (!defined_[value]) fail(where + " reads " + value_name(value) + " before it is defined");
  }

  void check_value(int value) const {
    try {
      check_shape(type(value).shape);
    } catch (const std::invalid_argument& error) {
      fail(value_name(value) + ": " + error.what());
    }
  }

  void check_scalar(int value) {
    define(value, "the scalars");
    if (!type(value).shape.empty()) {
      fail("a scalar has no dimensions, but " + value_name(value) + " is " + describe(type(value)));
    }
  }

  void check_instruction(const Instruction& instruction) {
    std::string where = instruction.kernel + " (at " + instruction.label + ")";
    for (int value : instruction.inputs) use(value, where);
    for (int value : instruction.outputs) define(value, where);
    if (!instruction.is_alias()) return;
    if (instruction.inputs.size() != 1 || instruction.outputs.size() != 1) {
      fail(where + " takes one value and gives one");
    }
    same_memory(instruction.inputs[0], instruction.outputs[0], where);
  }

  void check_end(const Binding& binding) const {
    if (binding.access == Access::write) use(binding.value, "a binding");
    if (binding.access != Access::update) return;
    use(binding.result, "a binding's result");
    same_memory(binding.value, binding.result, "an update");
  }

  void same_memory(int a, int b, const std::string& where) const {
    if (type(a).dtype != type(b).dtype || type(a).numel() != type(b).numel()) {
      fail(where + " needs one dtype and one number of elements, got " + describe(type(a)) +
           " and " + describe(type(b)));
    }
  }

  const Program& program_;
  std::vector<bool> defined_;
};

std::string describe_all(const Program& program, const std::vector<int>& values) {
  std::string text;
  for (int value : values) {
    if (!text.empty()) text += ", ";
    text += describe(program.values[value]);
  }
  return text.empty() ? "nothing" : text;
}

}  // namespace

void check_program(const Program& program) { Checker(program).check(); }

void check_shape(const Shape& shape) {
  int64_t count = 1;
  for (int64_t size : shape) {
    if (size < 0) throw std::invalid_argument("shape " + describe(shape) + " has a negative size");
    if (size > 0 && (__builtin_mul_overflow(count, size, &count) || count > kMostElements)) {
      throw std::invalid_argument("shape " + describe(shape) + " has too many elements");
    }
  }
}

std::string describe(const Shape& shape) {
  std::string text = "(";
  for (size_t i = 0; i < shape.size(); i++) {
    if (i > 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  return text + (shape.size() == 1 ? ",)" : ")");
}

std::string describe(const TensorType& type) {
  std::string text = std::string(name(type.dtype)) + " " + describe(type.shape);
  return type.layout.is_row_major() ? text : text + " " + type.layout.text();
}

std::string describe_failure(const Program& program, const Instruction& instruction,
                             const std::string& why) {
  return "[" + instruction.kernel + "] " + why + "; operands " +
         describe_all(program, instruction.inputs) + " -> " +
         describe_all(program, instruction.outputs) + " (at " + instruction.label + ")";
}

}  // namespace torchts
