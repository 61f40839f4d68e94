// A Program made ready to run: implementations chosen, arena allocated, operand pointers built.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "arrange.h"
#include "memory.h"
#include "plan.h"
#include "program.h"

namespace torchts {

class LoadedProgram {
 public:
  // `program` has been checked. Throws std::runtime_error that names the instruction no
  // implementation could be prepared for.
  LoadedProgram(Program program, const Registry& registry, const LoadOptions& options);

  // `bindings[k]` is the buffer of binding k, of exactly its value's bytes and in its value's
  // layout (`bound_type`); no buffer that is written is bound twice. `scalars` are converted to
  // their values' dtypes. Runs of one LoadedProgram must not overlap. Throws std::runtime_error
  // that names the instruction; the buffers it writes are then partly written.
  //
  // `clock`, if given, has room for clock_size() times, in nanoseconds of std::chrono's steady
  // clock: entry i is when instruction i began, the last two when the last instruction and the
  // whole run ended. An alias takes no time.
  void run(void* const* bindings, const double* scalars, int64_t* clock = nullptr);
  size_t clock_size() const { return program_.instructions.size() + 2; }

  // As it runs: with reorders, and the layouts of all values.
  const Program& program() const { return program_; }
  const TensorType& bound_type(size_t binding) const {
    return program_.values[program_.bindings[binding].value];
  }
  size_t arena_bytes() const { return plan_.arena_bytes; }
  const std::vector<std::string>& methods() const { return methods_; }  // of each instruction
  std::string describe() const { return describe_plan(program_, plan_, methods_); }

 private:
  struct Step {
    Kernel* kernel;
    Operands operands;
    int instruction;
  };
  // Pointer slots: everything a run reads or writes goes through one, so that a run with other
  // buffers than the last only rewrites those of the changed bindings.
  struct Patch {
    int binding;
    int slot;
  };

  void build_slots();
  void add_slot(const Place& place);
  void bind(void* const* bindings);
  void store_scalars(const double* scalars);
  void run_steps(int64_t* clock);
  void run_copies();
  void finish_clock(int64_t* clock, int64_t steps_end) const;
  void poison_after(int step);

  Program program_;
  std::vector<std::unique_ptr<Kernel>> kernels_;  // null for an alias
  std::vector<std::string> methods_;
  Plan plan_;
  std::unique_ptr<Memory> arena_;
  bool poison_;
  size_t next_freed_ = 0;

  std::vector<void*> slots_;
  std::vector<Patch> patches_;       // sorted by binding
  std::vector<size_t> first_patch_;  // of binding k; one more entry ends the last
  std::vector<void*> bound_;         // buffer of each binding in the latest run
  std::vector<Step> steps_;
  size_t copy_slots_ = 0;  // the copies' slots start here, two a copy: to, from
};

}  // namespace torchts
