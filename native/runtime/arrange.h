// Chooses the implementation of every instruction and the layout of every value.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "program.h"
#include "select.h"

namespace torchts {

struct Arranged {
  // With layouts in `values`, and with `reorder` instructions where an implementation wants a value
  // in another layout than the one it was made in. A bound value's layout is that of its buffer,
  // before a run and after it.
  Program program;
  std::vector<std::unique_ptr<Kernel>> kernels;  // of each instruction; null for an alias
  std::vector<std::string> methods;              // of each instruction
};

// Walks the Program once. A value has the layout its maker writes; one that was bound by the caller
// has the layout its first reader asks for, so that parameters and optimizer state stay in it
// from run to run. A cast waits for the first reader of its result and passes the wish on: a
// float32 parameter lies as the readers of its bfloat16 copy want it. Each (value, layout) is
// reordered once. `program` has been checked. Throws std::runtime_error that names the instruction
// no implementation could be prepared for.
Arranged arrange(Program program, const Registry& registry, const LoadOptions& options);

}  // namespace torchts
