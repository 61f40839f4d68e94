#include "plan.h"

#include <algorithm>

#include "arena.h"

namespace torchts {
namespace {

class Planner {
 public:
  Planner(const Program& program, const std::vector<const Kernel*>& kernels)
      : program_(program),
        kernels_(kernels),
        steps_(static_cast<int>(program.instructions.size())),
        plan_(),
        buffer_of_(program.values.size(), -1) {
    plan_.values.resize(program.values.size());
  }

  Plan make() {
    find_lives();
    place_results();
    place_arena_values();
    pack();
    return std::move(plan_);
  }

 private:
  ValuePlan& group(int value) { return plan_.values[plan_.values[value].root]; }
  size_t bytes(int value) const { return program_.values[value].bytes(); }

  void start_group(int value, int step) {
    ValuePlan& root = plan_.values[value];
    root.root = value;
    root.first = root.last = step;
  }

  // Roots, and the steps between which each group is needed by instructions.
  void find_lives() {
    for (size_t k = 0; k < program_.bindings.size(); k++) {
      const Binding& binding = program_.bindings[k];
      if (binding.access == Access::write) continue;
      start_group(binding.value, -1);
      put_in_binding(binding.value, static_cast<int>(k));
    }
    for (int value : program_.scalars) start_group(value, -1);
    for (int step = 0; step < steps_; step++) {
      const Instruction& instruction = program_.instructions[step];
      if (instruction.is_alias()) {
        int root = plan_.values[instruction.inputs[0]].root;
        plan_.values[instruction.outputs[0]].root = root;
        continue;
      }
      for (int value : instruction.inputs) group(value).last = step;
      for (int value : instruction.outputs) start_group(value, step);
    }
  }

  void put_in_binding(int value, int binding) {
    Place& place = plan_.values[value].place;
    place.kind = Place::kBinding;
    place.binding = binding;
  }

  // The group whose value must be in binding `k`'s buffer at the end; -1 if it is already there.
  int result_root(const Binding& binding) {
    if (binding.access == Access::read) return -1;
    if (binding.access == Access::write) return plan_.values[binding.value].root;
    int root = plan_.values[binding.result].root;
    return root == plan_.values[binding.value].root ? -1 : root;
  }

  // Results are computed in the buffer they belong to where that is safe, else copied there.
  void place_results() {
    std::vector<bool> is_result(program_.values.size(), false);
    for (const Binding& binding : program_.bindings) {
      if (int root = result_root(binding); root >= 0) is_result[root] = true;
    }
    std::vector<int> copied;
    for (size_t k = 0; k < program_.bindings.size(); k++) {
      const Binding& binding = program_.bindings[k];
      int root = result_root(binding);
      if (root < 0) continue;
      if (can_compute_in(binding, root, is_result)) {
        put_in_binding(root, static_cast<int>(k));
        plan_.values[root].last = steps_;
      } else {
        copied.push_back(static_cast<int>(k));
      }
    }
    plan_copies(copied);
  }

  bool can_compute_in(const Binding& binding, int root, const std::vector<bool>& is_result) {
    const ValuePlan& result = plan_.values[root];
    // A binding's own contents and a scalar are not computed; a placed group has its home.
    if (result.first < 0 || result.place.kind == Place::kBinding) return false;
    if (binding.access == Access::write) return true;
    const ValuePlan& old = plan_.values[binding.value];
    // The old contents are copied to another buffer at the end, so they must last.
    if (is_result[binding.value]) return false;
    if (old.last > result.first) return false;
    return old.last < result.first || may_overwrite(result.first, binding.value, root);
  }

  // May instruction `step` write group `to`, one of its outputs, over group `from`?
  bool may_overwrite(int step, int from, int to) {
    const Instruction& instruction = program_.instructions[step];
    auto output = std::find(instruction.outputs.begin(), instruction.outputs.end(), to);
    int o = static_cast<int>(output - instruction.outputs.begin());
    for (size_t i = 0; i < instruction.inputs.size(); i++) {
      if (plan_.values[instruction.inputs[i]].root != from) continue;
      if (!kernels_[step]->may_alias(static_cast<int>(i), o)) return false;
    }
    return true;
  }

  // A source that is itself an updated buffer is saved to the arena before any buffer is
  // overwritten: two updates may exchange their contents.
  void plan_copies(const std::vector<int>& bindings) {
    std::vector<CopyPlan> final_copies;
    int step = steps_;
    for (int k : bindings) {
      int root = result_root(program_.bindings[k]);
      Place to;
      to.kind = Place::kBinding;
      to.binding = k;
      CopyPlan copy{root, plan_.values[root].place, to, bytes(root)};
      if (holds_old_contents(root)) {
        CopyPlan save = copy;
        save.to = Place();
        save.to.kind = Place::kArena;
        copy.from = save.to;
        plan_.values[root].last = std::max(plan_.values[root].last, step);
        plan_.copies.push_back(save);
        staged_.push_back(static_cast<int>(final_copies.size()));
        step++;
      }
      final_copies.push_back(copy);
    }
    for (const CopyPlan& copy : final_copies) {
      if (!holds_old_contents(copy.value)) plan_.values[copy.value].last = step;
      plan_.copies.push_back(copy);
      step++;
    }
  }

  bool holds_old_contents(int root) {
    const ValuePlan& value = plan_.values[root];
    return value.first < 0 && value.place.kind == Place::kBinding &&
           program_.bindings[value.place.binding].access == Access::update;
  }

  // Gives every group without a home an arena buffer: one it may be written over, or its own.
  void place_arena_values() {
    for (int value : program_.scalars) new_buffer(value);
    for (int step = 0; step < steps_; step++) {
      const Instruction& instruction = program_.instructions[step];
      if (instruction.is_alias()) continue;
      std::vector<int> taken;
      for (int output : instruction.outputs) {
        if (plan_.values[output].place.kind == Place::kBinding) continue;
        int source = in_place_source(step, output, taken);
        if (source < 0) {
          new_buffer(output);
          continue;
        }
        taken.push_back(source);
        plan_.values[output].in_place = source;
        buffer_of_[output] = buffer_of_[source];
        buffers_[buffer_of_[source]].last = plan_.values[output].last;
      }
    }
  }

  void new_buffer(int root) {
    buffer_of_[root] = static_cast<int>(buffers_.size());
    buffers_.push_back({bytes(root), plan_.values[root].first, plan_.values[root].last});
  }

  int in_place_source(int step, int output, const std::vector<int>& taken) {
    for (int input : program_.instructions[step].inputs) {
      int root = plan_.values[input].root;
      if (buffer_of_[root] < 0 || plan_.values[root].last != step) continue;
      if (bytes(root) != bytes(output)) continue;
      if (std::find(taken.begin(), taken.end(), root) != taken.end()) continue;
      if (may_overwrite(step, root, output)) return root;
    }
    return -1;
  }

  void pack() {
    size_t value_buffers = buffers_.size();
    for (int step = 0; step < steps_; step++) {
      const Kernel* kernel = kernels_[step];
      if (kernel == nullptr || kernel->scratch_bytes() == 0) continue;
      plan_.scratch.push_back({step, 0, kernel->scratch_bytes()});
      buffers_.push_back({kernel->scratch_bytes(), step, step});
    }
    size_t stage_buffers = buffers_.size();
    int saves = static_cast<int>(staged_.size());
    for (int i = 0; i < saves; i++) {
      buffers_.push_back({plan_.copies[i].bytes, steps_ + i, steps_ + saves + staged_[i]});
    }
    Packing packing = pack_intervals(buffers_);
    plan_.arena_bytes = packing.bytes;
    for (size_t i = 0; i < plan_.scratch.size(); i++) {
      plan_.scratch[i].offset = packing.offsets[value_buffers + i];
    }
    for (int i = 0; i < saves; i++) {
      size_t offset = packing.offsets[stage_buffers + i];
      plan_.copies[i].to.offset = offset;
      plan_.copies[saves + staged_[i]].from.offset = offset;
    }
    place_groups(packing);
    list_freed(packing);
  }

  // Every member of a group gets the root's place and life; copies learn their sources.
  void place_groups(const Packing& packing) {
    for (size_t v = 0; v < plan_.values.size(); v++) {
      ValuePlan& value = plan_.values[v];
      if (value.root != static_cast<int>(v) || buffer_of_[v] < 0) continue;
      value.place.kind = Place::kArena;
      value.place.offset = packing.offsets[buffer_of_[v]];
    }
    for (ValuePlan& value : plan_.values) {
      if (value.root >= 0) value = plan_.values[value.root];
    }
    for (CopyPlan& copy : plan_.copies) {
      if (copy.from.kind == Place::kNowhere) copy.from = plan_.values[copy.value].place;
    }
  }

  void list_freed(const Packing& packing) {
    for (size_t i = 0; i < buffers_.size(); i++) {
      plan_.freed.push_back({buffers_[i].last, packing.offsets[i], buffers_[i].bytes});
    }
    std::stable_sort(plan_.freed.begin(), plan_.freed.end(),
                     [](const ArenaRange& a, const ArenaRange& b) { return a.step < b.step; });
  }

  const Program& program_;
  const std::vector<const Kernel*>& kernels_;
  const int steps_;  // how many instructions
  Plan plan_;
  std::vector<int> buffer_of_;     // of each root: index into buffers_, -1 for none
  std::vector<Interval> buffers_;  // values, then scratch, then saved copies
  std::vector<int> staged_;        // of each save: which final copy it feeds
};

}  // namespace

Plan make_plan(const Program& program, const std::vector<const Kernel*>& kernels) {
  return Planner(program, kernels).make();
}

}  // namespace torchts
