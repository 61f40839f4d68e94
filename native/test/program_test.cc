// What check_program refuses, and the sizes it guards against.
#include "program.h"

#include "check.h"

using namespace torchts;
using namespace torchts::testing;

namespace {

const TensorType kPair{DType::float32, {2}};

Instruction instruction(const char* kernel, std::vector<int> inputs, std::vector<int> outputs) {
  return {kernel, std::move(inputs), std::move(outputs), Attrs(), "layer"};
}

// c = f(a, b), all of two elements.
Program sum() {
  return {{kPair, kPair, kPair},
          {instruction("f", {0, 1}, {2})},
          {{Access::read, 0}, {Access::read, 1}, {Access::write, 2}},
          {}};
}

void check_refused(const Program& program, const std::string& expected) {
  std::string message = message_of([&] { check_program(program); });
  CHECK(message.find(expected) != std::string::npos, "got: " + message);
}

}  // namespace

TEST("a well-formed Program passes") {
  CHECK(message_of([] { check_program(sum()); }).empty());
}

TEST("indices out of range") {
  for (int value : {-1, 3, 2147483647}) {
    Program program = sum();
    program.instructions[0].inputs[0] = value;
    check_refused(program, "f (at layer) names value " + std::to_string(value));
    program = sum();
    program.instructions[0].outputs[0] = value;
    check_refused(program, "names value");
    program = sum();
    program.bindings[0].value = value;
    check_refused(program, "names value");
    program = sum();
    program.scalars = {value};
    check_refused(program, "names value");
  }
}

TEST("use before definition, and two definitions") {
  Program program = sum();
  program.bindings.erase(program.bindings.begin());
  check_refused(program, "reads value 0 before it is defined");
  program = sum();
  program.instructions.clear();
  check_refused(program, "reads value 2 before it is defined");
  program = sum();
  program.instructions.push_back(program.instructions[0]);
  check_refused(program, "value 2 is defined twice");
  program = sum();
  program.bindings.push_back({Access::read, 1});
  check_refused(program, "value 1 is defined twice");
}

TEST("sizes") {
  Program program = sum();
  program.values[1].shape = {2, -1};
  check_refused(program, "negative size");
  for (Shape shape :
       {Shape{int64_t{1} << 40, int64_t{1} << 40}, Shape{0, int64_t{1} << 40, int64_t{1} << 40}}) {
    program.values[1].shape = shape;
    check_refused(program, "too many elements");
  }
  program = sum();
  program.scalars = {static_cast<int>(program.values.size())};
  program.values.push_back(kPair);
  check_refused(program, "a scalar has no dimensions");
}

TEST("aliases and updates keep dtype and numel") {
  Program program = sum();
  program.values.push_back({DType::float32, {3}});
  program.instructions.push_back(instruction("alias", {0}, {3}));
  check_refused(program, "alias (at layer) needs one dtype");
  program.instructions[1].inputs.push_back(1);
  check_refused(program, "takes one value and gives one");
  program = sum();
  program.values[2].dtype = DType::int32;
  program.bindings[0] = {Access::update, 0, 2};
  check_refused(program, "an update needs one dtype");
}

TEST("shapes and failures as text") {
  CHECK(describe(Shape{}) == "()" && describe(Shape{4}) == "(4,)");
  CHECK(describe_failure(sum(), sum().instructions[0], "why") ==
        "[f] why; operands float32 (2,), float32 (2,) -> float32 (2,) (at layer)");
}
