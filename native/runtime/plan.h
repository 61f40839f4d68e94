// Decides where every value of a Program lives: in the arena, in a caller's buffer, or over
// another value that is no longer needed.
//
// Time is counted in steps: -1 is the start of a run (bindings and scalars are there), `i` is
// instruction `i`, and the copies into callers' buffers follow the last instruction, one step
// each. Values joined by `alias` are one group with one place; the group's root is the member that
// was defined first.
#pragma once

#include <string>
#include <vector>

#include "program.h"

namespace torchts {

struct Place {
  enum Kind { kNowhere, kArena, kBinding };
  Kind kind = kNowhere;  // kNowhere: the value is never defined
  size_t offset = 0;     // in the arena
  int binding = -1;
};

struct ValuePlan {
  Place place;
  int root = -1;      // of the alias group; the value itself when it is the root
  int first = 0;      // step that defines the group
  int last = 0;       // last step that reads the group
  int in_place = -1;  // root of the group this one was written over
};

// Bytes moved at the end of a run because a result could not be computed where it belongs.
struct CopyPlan {
  int value;  // whose bytes
  Place from;
  Place to;
  size_t bytes;
};

struct ArenaRange {
  int step;
  size_t offset;
  size_t bytes;
};

struct Plan {
  std::vector<ValuePlan> values;
  std::vector<CopyPlan> copies;
  std::vector<ArenaRange> scratch;  // of the instructions that need some
  std::vector<ArenaRange> freed;    // what holds nothing any more after a step, in step order
  size_t arena_bytes = 0;
};

// `kernels[i]` is instruction i's kernel, null for an alias. The Program has been checked.
Plan make_plan(const Program& program, const std::vector<const Kernel*>& kernels);

// The plan for people and for the test that looks for overlaps. `methods[i]` names instruction
// i's implementation. One line a value, an instruction, a scratch range and a copy:
//
//   value 3 float32 (2, 3) arena 128+24 life 0..4 in place of 1
//   value 4 float32 (6,) binding 2 life -1..7 alias of 0
//   instruction 0 matmul portable (0, 1) -> (3) scratch 256+4096 "linear"
//   copy 9 value 3 -> binding 1
std::string describe_plan(const Program& program, const Plan& plan,
                          const std::vector<std::string>& methods);

}  // namespace torchts
