#include "arena.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "memory.h"

namespace torchts {
namespace {

struct Placed {
  size_t begin;
  size_t end;
  int first;
  int last;
};

// `placed` is sorted by `begin`.
size_t best_fit(const std::vector<Placed>& placed, const Interval& interval, size_t bytes) {
  size_t best = std::numeric_limits<size_t>::max();
  size_t best_gap = std::numeric_limits<size_t>::max();
  size_t top = 0;  // the end of what has been passed and lives at the same time
  for (const Placed& other : placed) {
    if (other.last < interval.first || interval.last < other.first) continue;
    if (other.begin >= top + bytes && other.begin - top < best_gap) {
      best = top;
      best_gap = other.begin - top;
    }
    top = std::max(top, other.end);
  }
  return best_gap == std::numeric_limits<size_t>::max() ? top : best;
}

}  // namespace

Packing pack_intervals(const std::vector<Interval>& intervals) {
  std::vector<int> order(intervals.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return intervals[a].bytes > intervals[b].bytes; });
  Packing packing;
  packing.offsets.resize(intervals.size());
  std::vector<Placed> placed;
  placed.reserve(intervals.size());
  for (int i : order) {
    const Interval& interval = intervals[i];
    // An empty buffer still gets an address of its own: kernels never see a null pointer.
    size_t bytes = std::max(aligned_size(interval.bytes), kAlignment);
    size_t begin = best_fit(placed, interval, bytes);
    if (bytes > kMostBytes || begin + bytes > kMostBytes) {
      throw std::runtime_error("the values of the Program need more memory than can be addressed");
    }
    Placed entry{begin, begin + bytes, interval.first, interval.last};
    auto after =
        std::upper_bound(placed.begin(), placed.end(), entry,
                         [](const Placed& a, const Placed& b) { return a.begin < b.begin; });
    placed.insert(after, entry);
    packing.offsets[i] = begin;
    packing.bytes = std::max(packing.bytes, entry.end);
  }
  return packing;
}

}  // namespace torchts
