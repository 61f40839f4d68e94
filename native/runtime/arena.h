// Packs buffers with known lifetimes into one block of memory.
#pragma once

#include <cstddef>
#include <vector>

namespace torchts {

// A buffer that holds its bytes from step `first` to step `last`, both included.
struct Interval {
  size_t bytes;
  int first;
  int last;
};

struct Packing {
  std::vector<size_t> offsets;  // of each interval, multiples of kAlignment
  size_t bytes = 0;             // of the whole block
};

// Largest first, each at the best fit: the smallest gap it fits in among the buffers that live at
// the same time (Pisarchyk & Lee 2020, "Efficient Memory Management for Deep Neural Net
// Inference", greedy by size). Thousands of buffers are placed in the order of time instead, each
// in the smallest gap that is free then: blocks a few per cent larger, in near-linear time.
// Deterministic. Throws std::runtime_error when the block would be larger than an address space.
Packing pack_intervals(const std::vector<Interval>& intervals);

}  // namespace torchts
