#include "loaded_program.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

namespace torchts {
namespace {

constexpr int kPoison = 0xff;  // a NaN in every floating type, -1 in the integers

// As C converts, but defined for every input: out of range saturates, NaN becomes 0.
int64_t to_integer(double value) {
  if (std::isnan(value)) return 0;
  if (value >= 9223372036854775808.0) return INT64_MAX;
  if (value <= -9223372036854775808.0) return INT64_MIN;
  return static_cast<int64_t>(value);
}

int64_t nanoseconds() {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <class T>
void store(void* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

void store_number(void* to, DType dtype, double value) {
  switch (dtype) {
    case DType::float32:
      return store(to, static_cast<float>(value));
    case DType::float64:
      return store(to, value);
    case DType::bfloat16:
      return store(to, to_bfloat16(static_cast<float>(value)));
    case DType::float16:
      return store(to, to_float16(static_cast<float>(value)));
    case DType::int64:
      return store(to, to_integer(value));
    case DType::int32:
      return store(to, static_cast<int32_t>(to_integer(value)));
    case DType::uint8:
      return store(to, static_cast<uint8_t>(to_integer(value)));
    case DType::boolean:
      return store(to, static_cast<uint8_t>(value != 0));
  }
}

}  // namespace

LoadedProgram::LoadedProgram(Program program, const Registry& registry, const LoadOptions& options)
    : poison_(options.poison) {
  Arranged arranged = arrange(std::move(program), registry, options);
  program_ = std::move(arranged.program);
  kernels_ = std::move(arranged.kernels);
  methods_ = std::move(arranged.methods);
  std::vector<const Kernel*> kernels;
  for (const auto& kernel : kernels_) kernels.push_back(kernel.get());
  plan_ = make_plan(program_, kernels);
  arena_ = std::make_unique<Memory>(plan_.arena_bytes);
  if (poison_) std::memset(arena_->data(), kPoison, plan_.arena_bytes);
  build_slots();
}

void LoadedProgram::build_slots() {
  std::vector<size_t> first_slot;
  for (const Instruction& instruction : program_.instructions) {
    first_slot.push_back(slots_.size());
    if (instruction.is_alias()) continue;
    for (int value : instruction.inputs) add_slot(plan_.values[value].place);
    for (int value : instruction.outputs) add_slot(plan_.values[value].place);
  }
  copy_slots_ = slots_.size();
  for (const CopyPlan& copy : plan_.copies) {
    add_slot(copy.to);
    add_slot(copy.from);
  }
  auto scratch = plan_.scratch.begin();
  for (size_t i = 0; i < program_.instructions.size(); i++) {
    const Instruction& instruction = program_.instructions[i];
    if (instruction.is_alias()) continue;
    void** inputs = slots_.data() + first_slot[i];
    void* scratch_data = arena_->data();
    if (scratch != plan_.scratch.end() && scratch->step == static_cast<int>(i)) {
      scratch_data = arena_->data() + scratch->offset;
      ++scratch;
    }
    Operands operands{inputs, inputs + instruction.inputs.size(), scratch_data};
    steps_.push_back({kernels_[i].get(), operands, static_cast<int>(i)});
  }
  std::stable_sort(patches_.begin(), patches_.end(),
                   [](const Patch& a, const Patch& b) { return a.binding < b.binding; });
  bound_.assign(program_.bindings.size(), nullptr);
  first_patch_.assign(program_.bindings.size() + 1, 0);
  for (const Patch& patch : patches_) first_patch_[patch.binding + 1]++;
  for (size_t k = 0; k < program_.bindings.size(); k++) first_patch_[k + 1] += first_patch_[k];
}

void LoadedProgram::add_slot(const Place& place) {
  if (place.kind == Place::kBinding) {
    patches_.push_back({place.binding, static_cast<int>(slots_.size())});
    slots_.push_back(nullptr);
  } else {
    slots_.push_back(arena_->data() + place.offset);
  }
}

void LoadedProgram::run(void* const* bindings, const double* scalars, int64_t* clock) {
  bind(bindings);
  store_scalars(scalars);
  next_freed_ = 0;
  if (poison_) poison_after(-1);
  run_steps(clock);
  const int64_t steps_end = clock == nullptr ? 0 : nanoseconds();
  run_copies();
  if (clock != nullptr) finish_clock(clock, steps_end);
}

// Gives the ends their times, and each alias that of the instruction behind it.
void LoadedProgram::finish_clock(int64_t* clock, int64_t steps_end) const {
  const size_t count = program_.instructions.size();
  clock[count] = steps_end;
  clock[count + 1] = nanoseconds();
  for (size_t i = count; i-- > 0;) {
    if (program_.instructions[i].is_alias()) clock[i] = clock[i + 1];
  }
}

void LoadedProgram::bind(void* const* bindings) {
  for (size_t k = 0; k < bound_.size(); k++) {
    if (bindings[k] == bound_[k]) continue;
    bound_[k] = bindings[k];
    for (size_t p = first_patch_[k]; p < first_patch_[k + 1]; p++) {
      slots_[patches_[p].slot] = bindings[k];
    }
  }
}

void LoadedProgram::store_scalars(const double* scalars) {
  for (size_t i = 0; i < program_.scalars.size(); i++) {
    int value = program_.scalars[i];
    void* to = arena_->data() + plan_.values[value].place.offset;
    store_number(to, program_.values[value].dtype, scalars[i]);
  }
}

void LoadedProgram::run_steps(int64_t* clock) {
  size_t i = 0;
  try {
    for (; i < steps_.size(); i++) {
      if (clock != nullptr) clock[steps_[i].instruction] = nanoseconds();
      steps_[i].kernel->run(steps_[i].operands);
      if (poison_) poison_after(steps_[i].instruction);
    }
  } catch (const std::exception& error) {
    const int failed = steps_[i].instruction;
    throw std::runtime_error(
        describe_failure(program_, program_.instructions[failed], error.what()));
  }
}

void LoadedProgram::run_copies() {
  const int first_step = static_cast<int>(program_.instructions.size());
  if (poison_) poison_after(first_step - 1);  // aliases may come last
  for (size_t i = 0; i < plan_.copies.size(); i++) {
    void* const* slots = slots_.data() + copy_slots_ + 2 * i;
    std::memcpy(slots[0], slots[1], plan_.copies[i].bytes);
    if (poison_) poison_after(first_step + static_cast<int>(i));
  }
}

void LoadedProgram::poison_after(int step) {
  for (; next_freed_ < plan_.freed.size() && plan_.freed[next_freed_].step <= step; next_freed_++) {
    const ArenaRange& range = plan_.freed[next_freed_];
    std::memset(arena_->data() + range.offset, kPoison, range.bytes);
  }
}

}  // namespace torchts
