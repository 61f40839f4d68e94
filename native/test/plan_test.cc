// Random Programs of a made-up kernel, whose every output byte depends on every input, run on the
// real executor with freed memory poisoned and compared with an evaluation that gives every value
// a buffer of its own. Whatever the plan gets wrong (overlaps, in-place choices, updates that read
// each other's old contents) changes bytes.
#include <algorithm>
#include <cstring>
#include <random>

#include "arena.h"
#include "check.h"
#include "loaded_program.h"

using namespace torchts;
using namespace torchts::testing;

namespace {

constexpr int64_t kSizes[] = {0, 1, 3, 16, 100};

using Bytes = std::vector<uint8_t>;

// out[j][i] = hash(salt, j, all inputs). Attributes: `salt`; `alias`, a bit for each (input,
// output) pair that may share memory; `scratch`, bytes that are overwritten at random.
uint32_t mix(uint32_t hash, uint32_t value) { return (hash ^ value) * 16777619u + 0x9e3779b9u; }

uint32_t digest(const uint8_t* data, size_t bytes, uint32_t hash) {
  for (size_t i = 0; i < bytes; i++) hash = mix(hash, data[i]);
  return hash;
}

void fill_output(uint8_t* out, size_t bytes, uint32_t hash, size_t j) {
  for (size_t i = 0; i < bytes; i++) {
    out[i] = static_cast<uint8_t>(mix(mix(hash, static_cast<uint32_t>(j)), i) >> 8);
  }
}

class MixKernel : public Kernel {
 public:
  explicit MixKernel(const KernelSpec& spec)
      : spec_(spec),
        alias_(spec.attrs.integer("alias")),
        scratch_(static_cast<size_t>(spec.attrs.integer("scratch"))) {}

  void run(const Operands& operands) override {
    std::memset(operands.scratch, 0xab, scratch_);
    uint32_t hash = static_cast<uint32_t>(spec_.attrs.integer("salt"));
    for (size_t i = 0; i < spec_.inputs.size(); i++) {
      hash = digest(operands.in<uint8_t>(static_cast<int>(i)), spec_.inputs[i].bytes(), hash);
    }
    for (size_t j = 0; j < spec_.outputs.size(); j++) {
      fill_output(operands.out<uint8_t>(static_cast<int>(j)), spec_.outputs[j].bytes(), hash, j);
    }
  }
  size_t scratch_bytes() const override { return scratch_; }
  bool may_alias(int input, int output) const override {
    return (alias_ >> (input * 2 + output)) & 1;
  }

 private:
  KernelSpec spec_;
  int64_t alias_;
  size_t scratch_;
};

Registry mix_registry() {
  Registry registry;
  registry.add({"mix", "test", 0, [](const KernelSpec&) { return true; },
                [](const KernelSpec& spec) -> std::unique_ptr<Kernel> {
                  return std::make_unique<MixKernel>(spec);
                }});
  return registry;
}

class RandomProgram {
 public:
  explicit RandomProgram(uint32_t seed) : random_(seed) {}

  Program make() {
    for (int i = 0; i < 4; i++) {
      int value = new_value(size());
      program_.bindings.push_back({Access::read, value});
    }
    for (int i = 0; i < 2; i++) {
      program_.scalars.push_back(static_cast<int>(program_.values.size()));
      program_.values.push_back({DType::float64, {}});
    }
    int steps = below(40);
    for (int i = 0; i < steps; i++) below(4) == 0 ? add_alias() : add_mix();
    add_results();
    return std::move(program_);
  }

 private:
  int below(int limit) { return static_cast<int>(random_() % static_cast<uint32_t>(limit)); }
  int64_t size() { return kSizes[below(5)]; }
  int any_value() { return below(static_cast<int>(program_.values.size())); }

  int new_value(int64_t size) {
    program_.values.push_back({DType::uint8, {size}});
    return static_cast<int>(program_.values.size()) - 1;
  }

  // Often the latest value, so that chains that may run in place are common.
  int input() { return below(2) == 0 ? static_cast<int>(program_.values.size()) - 1 : any_value(); }

  void add_alias() {
    int from = input();
    TensorType type = program_.values[from];
    type.shape.insert(type.shape.begin(), 1);
    program_.values.push_back(type);
    int to = static_cast<int>(program_.values.size()) - 1;
    program_.instructions.push_back({"alias", {from}, {to}, Attrs(), "alias"});
  }

  void add_mix() {
    Instruction instruction;
    instruction.kernel = "mix";
    instruction.label = "mix";
    int inputs = below(4);
    for (int i = 0; i < inputs; i++) instruction.inputs.push_back(input());
    int outputs = 1 + below(2);
    for (int i = 0; i < outputs; i++) instruction.outputs.push_back(new_value(size()));
    instruction.attrs.set("salt", static_cast<double>(below(1 << 20)));
    instruction.attrs.set("alias", static_cast<double>(below(64)));
    instruction.attrs.set("scratch", static_cast<double>(below(3) == 0 ? below(300) : 0));
    program_.instructions.push_back(std::move(instruction));
  }

  // Turns some bindings into updates, with any value of the right size, and writes some values.
  void add_results() {
    for (Binding& binding : program_.bindings) {
      std::vector<int> candidates;
      for (size_t v = 0; v < program_.values.size(); v++) {
        const TensorType& type = program_.values[v];
        if (type.dtype == DType::uint8 && type.numel() == program_.values[binding.value].numel()) {
          candidates.push_back(static_cast<int>(v));
        }
      }
      if (below(4) == 0) continue;
      binding.access = Access::update;
      binding.result = candidates[below(static_cast<int>(candidates.size()))];
    }
    int writes = below(4);
    for (int i = 0; i < writes; i++) program_.bindings.push_back({Access::write, any_value()});
  }

  std::mt19937 random_;
  Program program_;
};

// The meaning of a Program, with no plan at all. `buffers[k]` is binding k's contents.
void evaluate(const Program& program, std::vector<Bytes>* buffers, const double* scalars) {
  std::vector<Bytes> values(program.values.size());
  for (size_t k = 0; k < program.bindings.size(); k++) {
    if (program.bindings[k].access == Access::write) continue;
    values[program.bindings[k].value] = (*buffers)[k];
  }
  for (size_t i = 0; i < program.scalars.size(); i++) {
    const uint8_t* bytes = reinterpret_cast<const uint8_t*>(&scalars[i]);
    values[program.scalars[i]] = Bytes(bytes, bytes + sizeof(double));
  }
  for (const Instruction& instruction : program.instructions) {
    if (instruction.is_alias()) {
      values[instruction.outputs[0]] = values[instruction.inputs[0]];
      continue;
    }
    uint32_t hash = static_cast<uint32_t>(instruction.attrs.integer("salt"));
    for (int input : instruction.inputs) {
      hash = digest(values[input].data(), values[input].size(), hash);
    }
    for (size_t j = 0; j < instruction.outputs.size(); j++) {
      Bytes& out = values[instruction.outputs[j]];
      out.resize(program.values[instruction.outputs[j]].bytes());
      fill_output(out.data(), out.size(), hash, j);
    }
  }
  for (size_t k = 0; k < program.bindings.size(); k++) {
    const Binding& binding = program.bindings[k];
    if (binding.access == Access::write) (*buffers)[k] = values[binding.value];
    if (binding.access == Access::update) (*buffers)[k] = values[binding.result];
  }
}

}  // namespace

TEST("random Programs give what an evaluation without a plan gives") {
  Registry registry = mix_registry();
  int in_place = 0;
  int copies = 0;
  for (uint32_t seed = 0; seed < 3000; seed++) {
    Program program = RandomProgram(seed).make();
    check_program(program);
    LoadedProgram loaded(program, registry, {1, true});
    std::string plan = loaded.describe();
    in_place += plan.find("in place") != std::string::npos;
    copies += plan.find("\ncopy") != std::string::npos;
    std::vector<Bytes> expected;
    for (const Binding& binding : program.bindings) {
      expected.push_back(Bytes(program.values[binding.value].bytes(), 7));
    }
    std::vector<std::unique_ptr<Memory>> actual;
    std::vector<void*> pointers;
    for (const Bytes& bytes : expected) {
      actual.push_back(std::make_unique<Memory>(bytes.size()));
      pointers.push_back(actual.back()->data());
      if (!bytes.empty()) std::memcpy(pointers.back(), bytes.data(), bytes.size());
    }
    for (int run = 0; run < 3; run++) {
      double scalars[] = {run + 0.5, -1.0 * run};
      evaluate(program, &expected, scalars);
      loaded.run(pointers.data(), scalars);
      for (size_t k = 0; k < expected.size(); k++) {
        bool equal = std::equal(expected[k].begin(), expected[k].end(),
                                static_cast<const uint8_t*>(pointers[k]));
        CHECK(equal, "seed " + std::to_string(seed) + ", run " + std::to_string(run) +
                         ", binding " + std::to_string(k) + "\n" + plan);
      }
    }
  }
  // The test would prove little if the generator never reached the difficult cases.
  CHECK(in_place > 500, std::to_string(in_place));
  CHECK(copies > 500, std::to_string(copies));
}

namespace {

std::vector<Interval> random_intervals(std::mt19937& random, size_t count, int steps) {
  std::vector<Interval> intervals;
  for (size_t i = 0; i < count; i++) {
    const int first = static_cast<int>(random() % steps);
    intervals.push_back({random() % 5000, first, first + static_cast<int>(random() % 8)});
  }
  return intervals;
}

// Every buffer lies in the block, and apart from those that live at the same time.
void check_packing(const std::vector<Interval>& intervals, const Packing& packing) {
  for (size_t i = 0; i < intervals.size(); i++) {
    const Interval& a = intervals[i];
    CHECK(packing.offsets[i] % kAlignment == 0);
    CHECK(packing.offsets[i] + std::max<size_t>(a.bytes, 1) <= packing.bytes);
    for (size_t j = 0; j < i; j++) {
      const Interval& b = intervals[j];
      if (a.last < b.first || b.last < a.first) continue;
      bool apart = packing.offsets[i] + std::max<size_t>(a.bytes, 1) <= packing.offsets[j] ||
                   packing.offsets[j] + std::max<size_t>(b.bytes, 1) <= packing.offsets[i];
      CHECK(apart);
    }
  }
}

}  // namespace

TEST("packed buffers that live at the same time do not overlap") {
  std::mt19937 random(1);
  for (int round = 0; round < 200; round++) {
    const std::vector<Interval> intervals = random_intervals(random, random() % 60, 20);
    check_packing(intervals, pack_intervals(intervals));
  }
}

TEST("thousands of buffers are packed in little more than what lives at once") {
  std::mt19937 random(2);
  constexpr int kSteps = 500;
  const std::vector<Interval> intervals = random_intervals(random, 3000, kSteps);
  const Packing packing = pack_intervals(intervals);
  check_packing(intervals, packing);
  size_t most = 0;
  for (int step = 0; step < kSteps; step++) {
    size_t live = 0;
    for (const Interval& i : intervals) {
      if (i.first <= step && step <= i.last) live += std::max(aligned_size(i.bytes), kAlignment);
    }
    most = std::max(most, live);
  }
  CHECK(packing.bytes <= most + most / 4,
        std::to_string(packing.bytes) + " > " + std::to_string(most));
}

TEST("a chain of same-sized values needs two places, and one where it may run in place") {
  Registry registry = mix_registry();
  for (double alias : {0.0, 1.0}) {
    Program program;
    program.values.assign(21, {DType::uint8, {64}});
    program.bindings = {{Access::read, 0}, {Access::write, 20}};
    for (int i = 0; i < 20; i++) {
      Attrs attrs;
      attrs.set("salt", 1.0);
      attrs.set("alias", alias);
      attrs.set("scratch", 0.0);
      program.instructions.push_back({"mix", {i}, {i + 1}, attrs, "mix"});
    }
    LoadedProgram loaded(program, registry, {});
    CHECK(loaded.arena_bytes() == (alias == 0 ? 128 : 64), std::to_string(loaded.arena_bytes()));
  }
}

TEST("more memory than there is") {
  Registry registry = mix_registry();
  Program program;
  for (int i = 0; i < 8; i++) program.values.push_back({DType::uint8, {int64_t{1} << 50}});
  for (int i = 0; i < 8; i++) {
    Attrs attrs;
    attrs.set("salt", 1.0);
    attrs.set("alias", 0.0);
    attrs.set("scratch", 0.0);
    program.instructions.push_back({"mix", {}, {i}, attrs, "mix"});
  }
  std::string message = message_of([&] { LoadedProgram(program, registry, {}); });
  CHECK(message.find("more memory than can be addressed") != std::string::npos, message);
}
