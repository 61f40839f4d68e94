// pointwise: out_j[i] = results[j] of a straight-line program over broadcast inputs at i.
// The program runs block by block, each step over a whole block, so that registers stay in L1.
// Any dtypes; computes in float32, float64 or int64 as each step says; overwrites (`=`).
// Element i depends on its inputs alone: the same bits for any thread count.
#include <algorithm>
#include <cstring>

#include "../runtime/parallel.h"
#include "check.h"
#include "pointwise_steps.h"
#include "register.h"
#include "strides.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

constexpr int64_t kBlock = 512;             // elements
constexpr int64_t kSlotBytes = kBlock * 8;  // one register of any type
constexpr int64_t kGrain = 16 * 1024;       // elements a thread, times a step's cost
constexpr int kNone = -1;

// How a register gets its values.
enum class Place {
  slot,      // scratch, written once a block
  constant,  // scratch, written once a run: immediates and single-element inputs
  operand,   // the operand's own memory: inputs that need no change, results of the right type
};

struct Register {
  Compute type;
  Place place = Place::slot;
  int slot = kNone;      // for slot and constant
  int last_use = kNone;  // the last step that reads it
  int output = kNone;    // for a step's register in Place::operand
};

struct Input {
  size_t itemsize;
  std::vector<Dim> dims;  // empty: one element
  ConvertFn load;
  ConvertFn broadcast;

  bool single() const { return dims.empty(); }
  bool contiguous() const { return dims.size() == 1 && dims[0].stride == 1; }
};

struct Output {
  int reg;
  size_t itemsize;
  ConvertFn store;  // null where the step writes the output itself
};

struct Step {
  StepFn run = nullptr;      // null for `const`
  ConvertFn cast = nullptr;  // instead of `run` for `cast`
  int args[3];
  double immediate;
};

// The steps through `input` on a walk through `output`'s memory: in the same layout, or row-major
// and perhaps broadcast.
std::vector<Dim> walk(const TensorType& input, const TensorType& output) {
  const Axes axes = output.layout.axes(output.shape);
  const Shape sizes = sizes_of(axes);
  if (input.layout.is_row_major()) {
    return collapse(sizes, strides_along(axes, broadcast_strides(input.shape, output.shape)));
  }
  require(input.shape == output.shape && input.layout == output.layout,
          "an input has another layout than the output");
  return collapse(sizes, contiguous_strides(sizes));
}

// A run of elements is loaded as a whole, or one is repeated.
bool can_load(const std::vector<Dim>& dims) { return dims.empty() || dims.back().stride <= 1; }

class Pointwise final : public Kernel {
 public:
  explicit Pointwise(const KernelSpec& spec) : count_(spec.outputs[0].numel()) {
    int cost = 1;
    add_inputs(spec);
    add_steps(spec, &cost);
    add_outputs(spec);
    assign_slots();
    const int64_t blocks = (count_ + kBlock - 1) / kBlock;
    threads_ = useful_threads(static_cast<int>(std::min<int64_t>(spec.threads, blocks)),
                              count_ * cost / 2, kGrain);
  }

  size_t scratch_bytes() const override {
    return count_ == 0 ? 0 : static_cast<size_t>(threads_) * thread_bytes();
  }

  // An output may take an input's place when each element of the input has been read for the
  // last time before the output's element is written.
  bool may_alias(int input, int output) const override {
    const Input& in = inputs_[input];
    if (!in.contiguous() || in.dims[0].size != count_) return false;
    if (in.itemsize != outputs_[output].itemsize) return false;
    if (registers_[input].place == Place::slot) return true;
    return last_read(input) <= write_time(output);
  }

  void run(const Operands& operands) override {
    const int64_t blocks = (count_ + kBlock - 1) / kBlock;
    parallel_ranges(threads_, blocks, [&](int64_t begin, int64_t end, int thread) {
      char* scratch = static_cast<char*>(operands.scratch) + thread * thread_bytes();
      char** at = reinterpret_cast<char**>(scratch + slots_ * kSlotBytes);
      begin_run(operands, scratch, at);
      for (int64_t block = begin; block < end; block++) {
        run_block(operands, at, block * kBlock, std::min(kBlock, count_ - block * kBlock));
      }
    });
  }

 private:
  void add_inputs(const KernelSpec& spec) {
    for (const TensorType& type : spec.inputs) {
      Input input{itemsize(type.dtype), walk(type, spec.outputs[0]), find_load(type.dtype),
                  find_broadcast(type.dtype)};
      if (input.dims.size() == 1 && input.dims[0].stride == 0) input.dims.clear();
      check_rank(input.dims);
      require(can_load(input.dims), "an input cannot be read in the layout of the output");
      Register reg{compute_type(type.dtype)};
      if (input.single())
        reg.place = Place::constant;
      else if (input.contiguous() && is_computed_in_place(type.dtype))
        reg.place = Place::operand;
      inputs_.push_back(input);
      registers_.push_back(reg);
    }
  }

  void add_steps(const KernelSpec& spec, int* cost) {
    const Attrs::Strings& fns = spec.attrs.texts("fns");
    const Attrs::Strings& types = spec.attrs.texts("types");
    const std::vector<int64_t> args = spec.attrs.integers("args");
    const Attrs::Numbers& immediates = spec.attrs.numbers("imms");
    require(types.size() == fns.size() && args.size() == 3 * fns.size() &&
                immediates.size() == fns.size(),
            "fns, types, args and imms differ in length");
    for (size_t k = 0; k < fns.size(); k++) {
      Register reg{compute_type(types[k])};
      Step step{};
      int arguments = 0;
      step.immediate = immediates[k];
      if (fns[k] == "const") {
        reg.place = Place::constant;
      } else if (fns[k] == "cast") {
        arguments = 1;
        step.cast = find_cast(checked(args[3 * k]).type, reg.type);
        *cost += 1;
      } else {
        const StepCode code = find_step(fns[k], reg.type);
        arguments = code.arguments;
        step.run = code.run;
        *cost += code.cost;
      }
      for (int a = 0; a < 3; a++) {
        step.args[a] = a < arguments ? static_cast<int>(args[3 * k + a]) : kNone;
        if (a >= arguments) continue;
        Register& read = checked(args[3 * k + a]);
        require(step.run == nullptr || read.type == reg.type,
                "an argument of " + fns[k] + " has another type");
        read.last_use = static_cast<int>(k);
      }
      steps_.push_back(step);
      registers_.push_back(reg);
    }
  }

  void add_outputs(const KernelSpec& spec) {
    const std::vector<int64_t> results = spec.attrs.integers("results");
    require(results.size() == spec.outputs.size(), "results and outputs differ in number");
    const int end = static_cast<int>(steps_.size());
    for (size_t j = 0; j < results.size(); j++) {
      const TensorType& type = spec.outputs[j];
      require_shape("an output", type.shape, spec.outputs[0].shape);
      require(type.layout == spec.outputs[0].layout, "the outputs differ in layout");
      Register& reg = checked(results[j]);
      Output output{static_cast<int>(results[j]), itemsize(type.dtype), nullptr};
      const bool is_step = results[j] >= static_cast<int64_t>(inputs_.size());
      if (is_step && reg.place == Place::slot && is_computed_in_place(type.dtype) &&
          compute_type(type.dtype) == reg.type) {
        reg.place = Place::operand;
        reg.output = static_cast<int>(j);
      } else {
        output.store = find_store(reg.type, type.dtype);
        reg.last_use = end;
      }
      outputs_.push_back(output);
    }
  }

  Register& checked(int64_t reg) {
    require(reg >= 0 && reg < static_cast<int64_t>(registers_.size()),
            "a step reads a register that is not yet written");
    return registers_[static_cast<size_t>(reg)];
  }

  // Constants keep their slot; others share: a slot is free again after its last use. A step may
  // write over its own argument, except for a cast, which changes the size of elements.
  void assign_slots() {
    std::vector<int> free;
    const auto take = [&] {
      if (free.empty()) return slots_++;
      const int slot = free.back();
      free.pop_back();
      return slot;
    };
    for (Register& reg : registers_) {
      if (reg.place == Place::constant) reg.slot = slots_++;
    }
    const int inputs = static_cast<int>(inputs_.size());
    for (int r = 0; r < inputs; r++) {
      if (registers_[r].place == Place::slot) registers_[r].slot = take();
    }
    for (int k = 0; k < static_cast<int>(steps_.size()); k++) {
      Register& written = registers_[inputs + k];
      const bool is_cast = steps_[k].cast != nullptr;
      if (is_cast && written.place == Place::slot) written.slot = take();
      for (int r = 0; r < inputs + k; r++) {
        const Register& reg = registers_[r];
        if (reg.place == Place::slot && reg.last_use == k) free.push_back(reg.slot);
      }
      if (!is_cast && written.place == Place::slot) written.slot = take();
      // A result nobody reads frees its slot at once.
      if (written.place == Place::slot && written.last_use == kNone) free.push_back(written.slot);
    }
  }

  // In the order of a block: steps first, then the stores of the outputs.
  int write_time(int output) const {
    const int steps = static_cast<int>(steps_.size());
    if (outputs_[output].store != nullptr) return steps + output;
    return outputs_[output].reg - static_cast<int>(inputs_.size());
  }
  int last_read(int reg) const {
    int last = registers_[reg].last_use;
    for (int j = 0; j < static_cast<int>(outputs_.size()); j++) {
      if (outputs_[j].reg == reg) last = write_time(j);
    }
    return last;
  }

  size_t thread_bytes() const {
    const size_t table = registers_.size() * sizeof(char*);
    return slots_ * kSlotBytes + (table + 63) / 64 * 64;
  }

  // Points every register in scratch at its slot, and fills the constants.
  void begin_run(const Operands& operands, char* scratch, char** at) const {
    const int64_t length = std::min(kBlock, count_);
    const int inputs = static_cast<int>(inputs_.size());
    for (int r = 0; r < static_cast<int>(registers_.size()); r++) {
      const Register& reg = registers_[r];
      if (reg.place == Place::operand) continue;
      at[r] = scratch + reg.slot * kSlotBytes;
      if (reg.place != Place::constant) continue;
      if (r < inputs)
        inputs_[r].broadcast(operands.inputs[r], at[r], length);
      else
        fill_constant(reg.type, steps_[r - inputs].immediate, at[r], length);
    }
  }

  void run_block(const Operands& operands, char** at, int64_t begin, int64_t length) const {
    const int inputs = static_cast<int>(inputs_.size());
    for (int r = 0; r < inputs; r++) {
      const char* from = static_cast<const char*>(operands.inputs[r]);
      if (registers_[r].place == Place::operand) {
        at[r] = const_cast<char*>(from + begin * inputs_[r].itemsize);  // only read
      } else if (registers_[r].place == Place::slot) {
        load_block(inputs_[r], registers_[r].type, from, begin, length, at[r]);
      }
    }
    for (size_t k = 0; k < steps_.size(); k++) {
      const Step& step = steps_[k];
      char*& to = at[inputs + k];
      const int output = registers_[inputs + k].output;
      if (output != kNone) {
        to = static_cast<char*>(operands.outputs[output]) + begin * outputs_[output].itemsize;
      }
      const auto arg = [&](int a) { return step.args[a] == kNone ? nullptr : at[step.args[a]]; };
      if (step.run != nullptr)
        step.run(arg(0), arg(1), arg(2), to, length);
      else if (step.cast != nullptr)
        step.cast(arg(0), to, length);
    }
    for (size_t j = 0; j < outputs_.size(); j++) {
      const Output& output = outputs_[j];
      if (output.store == nullptr) continue;
      char* to = static_cast<char*>(operands.outputs[j]) + begin * output.itemsize;
      output.store(at[output.reg], to, length);
    }
  }

  static void load_block(const Input& input, Compute type, const char* from, int64_t begin,
                         int64_t length, char* to) {
    const size_t element = itemsize(type);
    if (input.contiguous()) return input.load(from + begin * input.itemsize, to, length);
    const bool repeats = input.dims.back().stride == 0;
    const ConvertFn convert = repeats ? input.broadcast : input.load;
    for_each_run(input.dims, begin, begin + length,
                 [&](int64_t offset, int64_t at, int64_t run_length) {
                   convert(from + offset * input.itemsize, to + at * element, run_length);
                 });
  }

  int64_t count_;
  int threads_ = 1;
  int slots_ = 0;
  std::vector<Input> inputs_;
  std::vector<Step> steps_;
  std::vector<Output> outputs_;
  std::vector<Register> registers_;  // the inputs', then the steps'
};

std::unique_ptr<Kernel> make(const KernelSpec& spec) { return std::make_unique<Pointwise>(spec); }

bool supports(const KernelSpec& spec) { return !spec.outputs.empty(); }

// Everything in the layout of the first input that has one, if the others can be read along it.
void arrange(KernelSpec* spec) {
  TensorType output = spec->outputs[0];
  const auto is_full = [&](const TensorType& type) { return type.shape == output.shape; };
  for (const TensorType& type : spec->inputs) {
    if (is_full(type) && output.layout.is_row_major()) output.layout = type.layout;
  }
  for (TensorType type : spec->inputs) {
    type.layout = {};
    if (!is_full(type) && !can_load(walk(type, output))) output.layout = {};
  }
  for (TensorType& type : spec->inputs) type.layout = is_full(type) ? output.layout : Layout();
  for (TensorType& type : spec->outputs) type.layout = output.layout;
}

}  // namespace

void register_pointwise(Registry& registry) {
  registry.add({"pointwise", "portable", 0, supports, make, arrange});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
