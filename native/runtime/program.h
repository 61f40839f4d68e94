// The Program as it arrives from src/engine/program.ts, and the checks that make it safe to run.
#pragma once

#include <string>
#include <vector>

#include "kernel.h"

namespace torchts {

struct Instruction {
  std::string kernel;
  std::vector<int> inputs;  // indices into Program::values
  std::vector<int> outputs;
  Attrs attrs;
  std::string label;  // the ops it stands for and their module, for messages
  int source = -1;    // its place in the Program that was given; -1 for what loading added

  bool is_alias() const { return kernel == "alias"; }
};

enum class Access { read, write, update };

struct Binding {
  Access access;
  int value;
  int result = -1;  // the value that replaces the contents; for `update` only
};

struct Program {
  std::vector<TensorType> values;
  std::vector<Instruction> instructions;
  std::vector<Binding> bindings;
  std::vector<int> scalars;
};

// Throws std::invalid_argument unless every index is in range, every value is defined once and
// before its use, sizes cannot overflow, and aliases and updates keep dtype and numel.
void check_program(const Program& program);

// Throws std::invalid_argument when `shape` has a negative size, or so many elements that an
// offset into it, with zero-sized dimensions counted as one, could overflow.
void check_shape(const Shape& shape);

// "(2, 3)", "(4,)", "()".
std::string describe(const Shape& shape);
// "float32 (2, 3)", "float32 (8, 64, 4, 4) aBcd16b".
std::string describe(const TensorType& type);
// The message of an error about an instruction:
// "[gather] why; operands float32 (2, 3), int64 (2, 1) -> float32 (2, 1) (at label)".
std::string describe_failure(const Program& program, const Instruction& instruction,
                             const std::string& why);

}  // namespace torchts
