// Random Programs of a made-up kernel that wants every operand in a layout of its own, run on the
// real executor and compared with an evaluation that knows no layouts. Bound buffers stay in the
// layout the Program expects from run to run.
#include "arrange.h"

#include <cstring>
#include <random>

#include "check.h"
#include "loaded_program.h"

using namespace torchts;
using namespace torchts::testing;

namespace {

using Values = std::vector<uint32_t>;

const Shape kShapes[] = {{4, 48}, {192}, {2, 2, 48}, {48, 1, 4}, {4, 6, 8}};

// One of a shape's layouts; row-major for 0.
Layout pick_layout(const Shape& shape, uint32_t choice) {
  const int rank = static_cast<int>(shape.size());
  std::vector<int> order, reversed;
  for (int d = 0; d < rank; d++) order.push_back(d);
  reversed.assign(order.rbegin(), order.rend());
  const int last = rank - 1;
  switch (choice % 5) {
    case 1:
      return Layout::blocked(shape, reversed, {});
    case 2:
      return Layout::blocked(shape, order, {{0, 2}});
    case 3:
      return Layout::blocked(shape, reversed, {{last, 4}});
    case 4:
      return Layout::blocked(shape, reversed, {{last, 3}});  // does not nest with 4
    default:
      return {};
  }
}

uint32_t mix(uint32_t hash, uint32_t value) { return (hash ^ value) * 16777619u + 0x9e3779b9u; }

uint32_t salt(const KernelSpec& spec) { return static_cast<uint32_t>(spec.attrs.integer("salt")); }

// out[j][i] = hash(salt, j, inputs[...][i]), with i in row-major order.
void compute(uint32_t salt, const std::vector<Values>& inputs, size_t j, Values* out) {
  for (size_t i = 0; i < out->size(); i++) {
    uint32_t hash = mix(salt, static_cast<uint32_t>(j));
    for (const Values& input : inputs) hash = mix(hash, input[i]);
    (*out)[i] = hash;
  }
}

class StepKernel : public Kernel {
 public:
  explicit StepKernel(const KernelSpec& spec) : spec_(spec) {}

  void run(const Operands& operands) override {
    std::vector<Values> inputs;
    for (size_t i = 0; i < spec_.inputs.size(); i++) {
      const TensorType& type = spec_.inputs[i];
      inputs.emplace_back(type.numel());
      copy_layout(type.shape, 4, type.layout, operands.inputs[i], {}, inputs.back().data());
    }
    for (size_t j = 0; j < spec_.outputs.size(); j++) {
      const TensorType& type = spec_.outputs[j];
      Values out(type.numel());
      compute(salt(spec_), inputs, j, &out);
      copy_layout(type.shape, 4, {}, out.data(), type.layout, operands.outputs[j]);
    }
  }

 private:
  KernelSpec spec_;
};

void want_layouts(KernelSpec* spec) {
  uint32_t choice = salt(*spec);
  for (TensorTypes* types : {&spec->inputs, &spec->outputs}) {
    for (TensorType& type : *types) type.layout = pick_layout(type.shape, choice /= 5);
  }
}

// As the real pointwise calls: the output follows the input.
void follow(KernelSpec* spec) { spec->outputs.at(0).layout = spec->inputs.at(0).layout; }

class ReorderKernel : public Kernel {
 public:
  explicit ReorderKernel(const KernelSpec& spec) : from_(spec.inputs[0]), to_(spec.outputs[0]) {
    if (!common_axes(from_.shape, from_.layout, to_.layout, &sizes_, &strides_)) {
      throw std::invalid_argument("blocks do not nest");
    }
  }
  void run(const Operands& operands) override {
    const std::vector<int64_t> dense = contiguous_strides(sizes_);
    for (int64_t i = 0; i < from_.numel(); i++) {
      int64_t offset = 0;
      for (size_t d = 0; d < sizes_.size(); d++) offset += i / dense[d] % sizes_[d] * strides_[d];
      operands.out<uint32_t>(0)[i] = operands.in<uint32_t>(0)[offset];
    }
  }

 private:
  TensorType from_, to_;
  Shape sizes_;
  std::vector<int64_t> strides_;
};

template <class K>
std::unique_ptr<Kernel> make(const KernelSpec& spec) {
  return std::make_unique<K>(spec);
}

Registry step_registry() {
  const auto any = [](const KernelSpec&) { return true; };
  Registry registry;
  registry.add({"step", "plain", 0, any, make<StepKernel>});
  registry.add({"step", "arranged", 10, any, make<StepKernel>, want_layouts});
  registry.add({"pointwise", "plain", 0, any, make<StepKernel>, follow});
  registry.add({"reorder", "test", 0, any, make<ReorderKernel>});
  return registry;
}

// Every value has 192 elements, in one of the shapes.
class RandomProgram {
 public:
  explicit RandomProgram(uint32_t seed) : random_(seed) {}

  Program make() {
    for (int i = 0; i < 4; i++) program_.bindings.push_back({Access::read, new_value()});
    const int steps = 1 + below(12);
    for (int i = 0; i < steps; i++) add_instruction();
    for (Binding& binding : program_.bindings) {
      if (below(2) == 0) continue;
      binding.access = Access::update;
      binding.result = any_value();
    }
    for (int i = 0; i < 3; i++) program_.bindings.push_back({Access::write, any_value()});
    return std::move(program_);
  }

 private:
  int below(int limit) { return static_cast<int>(random_() % static_cast<uint32_t>(limit)); }
  int any_value() { return below(static_cast<int>(program_.values.size())); }

  int new_value() { return new_value(kShapes[below(5)]); }
  int new_value(const Shape& shape) {
    program_.values.push_back({DType::int32, shape});
    return static_cast<int>(program_.values.size()) - 1;
  }

  void add_instruction() {
    Instruction instruction{"step", {any_value()}, {}, {}, "step"};
    if (below(3) == 0) {
      instruction.kernel = "alias";
    } else {
      instruction.attrs.set("salt", static_cast<double>(below(1 << 30)));
      if (below(3) == 0) return add_pointwise(std::move(instruction));
      for (int i = below(3); i > 0; i--) instruction.inputs.push_back(any_value());
      if (below(3) == 0) instruction.outputs.push_back(new_value());
    }
    instruction.outputs.push_back(new_value());
    program_.instructions.push_back(std::move(instruction));
  }

  void add_pointwise(Instruction instruction) {
    instruction.kernel = "pointwise";
    const Shape shape = program_.values[instruction.inputs[0]].shape;
    instruction.outputs.push_back(new_value(shape));
    program_.instructions.push_back(std::move(instruction));
  }

  std::mt19937 random_;
  Program program_;
};

// The meaning of a Program. `buffers[k]` is binding k's contents, row-major.
void evaluate(const Program& program, std::vector<Values>* buffers) {
  std::vector<Values> values(program.values.size());
  for (size_t k = 0; k < program.bindings.size(); k++) {
    const Binding& binding = program.bindings[k];
    if (binding.access != Access::write) values[binding.value] = (*buffers)[k];
  }
  for (const Instruction& instruction : program.instructions) {
    std::vector<Values> inputs;
    for (int input : instruction.inputs) inputs.push_back(values[input]);
    for (size_t j = 0; j < instruction.outputs.size(); j++) {
      Values& out = values[instruction.outputs[j]];
      out.resize(192);
      if (instruction.is_alias()) {
        out = inputs[0];
      } else {
        compute(static_cast<uint32_t>(instruction.attrs.integer("salt")), inputs, j, &out);
      }
    }
  }
  for (size_t k = 0; k < program.bindings.size(); k++) {
    const Binding& binding = program.bindings[k];
    if (binding.access == Access::write) (*buffers)[k] = values[binding.value];
    if (binding.access == Access::update) (*buffers)[k] = values[binding.result];
  }
}

// Runs three times, in buffers that are converted before the first run and after the last.
void check(const Program& program, const Registry& registry, const LoadOptions& options,
           const std::string& what) {
  LoadedProgram loaded(program, registry, options);
  std::vector<Values> expected, buffers;
  std::vector<void*> pointers;
  for (size_t k = 0; k < program.bindings.size(); k++) {
    const TensorType& type = loaded.bound_type(k);
    expected.push_back(Values(192));
    for (size_t i = 0; i < 192; i++) expected[k][i] = static_cast<uint32_t>(1000 * k + i);
    buffers.push_back(Values(192));
    copy_layout(type.shape, 4, {}, expected[k].data(), type.layout, buffers[k].data());
    pointers.push_back(buffers[k].data());
  }
  for (int run = 0; run < 3; run++) {
    evaluate(program, &expected);
    loaded.run(pointers.data(), nullptr);
  }
  for (size_t k = 0; k < program.bindings.size(); k++) {
    const TensorType& type = loaded.bound_type(k);
    Values actual(192);
    copy_layout(type.shape, 4, type.layout, buffers[k].data(), {}, actual.data());
    CHECK(actual == expected[k],
          what + ", binding " + std::to_string(k) + "\n" + loaded.describe());
  }
}

size_t reorders(const Program& program, const Registry& registry, const LoadOptions& options) {
  const Arranged arranged = arrange(program, registry, options);
  size_t count = 0;
  for (const Instruction& i : arranged.program.instructions) count += i.kernel == "reorder";
  return count;
}

Instruction step(std::vector<int> inputs, int output, double salt) {
  Instruction instruction{"step", std::move(inputs), {output}, {}, "step"};
  instruction.attrs.set("salt", salt);
  return instruction;
}

}  // namespace

TEST("random Programs give what an evaluation without layouts gives") {
  const Registry registry = step_registry();
  size_t found = 0;
  for (uint32_t seed = 0; seed < 1500; seed++) {
    const Program program = RandomProgram(seed).make();
    check_program(program);
    const std::string what = "seed " + std::to_string(seed);
    check(program, registry, {1, true}, what);
    found += reorders(program, registry, {});
  }
  CHECK(found > 2000, std::to_string(found));
}

TEST("switches turn layouts off, and implementations by their method") {
  const Registry registry = step_registry();
  for (uint32_t seed = 0; seed < 100; seed++) {
    const Program program = RandomProgram(seed).make();
    for (const char* name : {"layouts", "arranged"}) {
      const LoadOptions options{1, true, {name}};
      check(program, registry, options, name);
      CHECK(reorders(program, registry, options) == 0);
    }
    const Arranged plain = arrange(program, registry, {1, false, {"arranged", "plain"}});
    for (const std::string& method : plain.methods) CHECK(method == "plain" || method == "alias");
  }
}

TEST("a bound value takes the layout its first reader asks for, and a result is brought to it") {
  const Registry registry = step_registry();
  Program program;
  program.values.assign(3, {DType::int32, {4, 48}});
  // Salts in base 5, from the second digit: the layouts of the input and of the output.
  program.instructions = {step({0}, 1, 5 * 1), step({0}, 2, 5 * 1)};
  program.bindings = {{Access::update, 0, 1}, {Access::write, 2}};
  const Arranged arranged = arrange(program, registry, {});
  CHECK(arranged.program.values[0].layout.text() == "ba");
  CHECK(arranged.program.values[2].layout.is_row_major());
  CHECK(arranged.program.instructions.size() == 3);
  CHECK(arranged.program.instructions.back().kernel == "reorder");
  CHECK(arranged.program.bindings[0].result == 3);
}

TEST("a wish for a layout passes through casts, and what is reordered is the narrower side") {
  const Registry registry = step_registry();
  Program program;
  const Shape shape = {4, 48};
  const DType wide = DType::float32, narrow = DType::bfloat16;
  program.values = {{wide, shape}, {narrow, shape}, {narrow, shape}, {wide, shape}, {wide, shape}};
  const auto cast = [](int from, int to) {
    Instruction instruction = step({from}, to, 0);
    instruction.kernel = "pointwise";
    return instruction;
  };
  // 0 -> cast 1 -> wanted as `ba`; 2 comes in rows -> cast 3, wanted as `ba` too.
  program.instructions = {cast(0, 1), step({1}, 2, 5 * 1), cast(2, 3), step({3}, 4, 5 * 1)};
  program.bindings = {{Access::read, 0}, {Access::write, 4}};
  const Arranged arranged = arrange(program, registry, {});
  const auto text = [&](int value) { return arranged.program.values[value].layout.text(); };
  CHECK(text(0) == "ba" && text(1) == "ba" && text(3) == "ba");
  std::string kernels;
  for (const Instruction& i : arranged.program.instructions) kernels += i.kernel + " ";
  CHECK(kernels == "pointwise step reorder pointwise step ", kernels);
  CHECK(arranged.program.values[5].dtype == narrow);
}

TEST("a value is reordered once for all who want it") {
  const Registry registry = step_registry();
  Program program;
  program.values.assign(4, {DType::int32, {4, 48}});
  program.instructions = {step({0}, 1, 0), step({1}, 2, 5), step({1}, 3, 5)};
  program.bindings = {{Access::read, 0}, {Access::write, 2}, {Access::write, 3}};
  CHECK(reorders(program, registry, {}) == 1);
}
