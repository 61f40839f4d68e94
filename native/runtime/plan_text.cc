#include <sstream>

#include "plan.h"

namespace torchts {
namespace {

std::string list(const std::vector<int>& values) {
  std::string text = "(";
  for (size_t i = 0; i < values.size(); i++) {
    if (i > 0) text += ", ";
    text += std::to_string(values[i]);
  }
  return text + ")";
}

std::string range(size_t offset, size_t bytes) {
  return std::to_string(offset) + "+" + std::to_string(bytes);
}

std::string describe(const Place& place, size_t bytes) {
  switch (place.kind) {
    case Place::kArena:
      return "arena " + range(place.offset, bytes);
    case Place::kBinding:
      return "binding " + std::to_string(place.binding);
    case Place::kNowhere:
      break;
  }
  return "unused";
}

void print_value(std::ostream& out, const Program& program, const Plan& plan, int value) {
  const TensorType& type = program.values[value];
  const ValuePlan& planned = plan.values[value];
  out << "value " << value << " " << torchts::describe(type) << " "
      << describe(planned.place, type.bytes());
  if (planned.place.kind != Place::kNowhere) {
    out << " life " << planned.first << ".." << planned.last;
  }
  if (planned.root >= 0 && planned.root != value) {
    out << " alias of " << planned.root;
  } else if (planned.in_place >= 0) {
    out << " in place of " << planned.in_place;
  }
  out << "\n";
}

}  // namespace

std::string describe_plan(const Program& program, const Plan& plan,
                          const std::vector<std::string>& methods) {
  std::ostringstream out;
  out << "arena " << plan.arena_bytes << " bytes\n";
  for (size_t v = 0; v < program.values.size(); v++) {
    print_value(out, program, plan, static_cast<int>(v));
  }
  auto scratch = plan.scratch.begin();
  for (size_t i = 0; i < program.instructions.size(); i++) {
    const Instruction& instruction = program.instructions[i];
    out << "instruction " << i << " " << instruction.kernel << " " << methods[i] << " "
        << list(instruction.inputs) << " -> " << list(instruction.outputs);
    if (scratch != plan.scratch.end() && scratch->step == static_cast<int>(i)) {
      out << " scratch " << range(scratch->offset, scratch->bytes);
      ++scratch;
    }
    out << " \"" << instruction.label << "\"\n";
  }
  for (size_t c = 0; c < plan.copies.size(); c++) {
    const CopyPlan& copy = plan.copies[c];
    out << "copy " << program.instructions.size() + c << " value " << copy.value << " "
        << describe(copy.from, copy.bytes) << " -> " << describe(copy.to, copy.bytes) << "\n";
  }
  return out.str();
}

}  // namespace torchts
