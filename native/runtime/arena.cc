#include "arena.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <queue>
#include <set>
#include <stdexcept>

#include "memory.h"

namespace torchts {
namespace {

// The time of packing by size grows with the square of their number: about 10 ms for so many.
constexpr size_t kMostBySize = 2048;

// An empty buffer still gets an address of its own: kernels never see a null pointer.
size_t room_for(const Interval& interval) {
  return std::max(aligned_size(interval.bytes), kAlignment);
}

// The intervals' numbers so that `comes_before` holds; equal ones stay in order.
std::vector<int> sorted(const std::vector<Interval>& intervals,
                        const std::function<bool(const Interval&, const Interval&)>& comes_before) {
  std::vector<int> order(intervals.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return comes_before(intervals[a], intervals[b]); });
  return order;
}

void place(Packing& packing, int i, size_t begin, size_t bytes) {
  if (bytes > kMostBytes || begin + bytes > kMostBytes) {
    throw std::runtime_error("the values of the Program need more memory than can be addressed");
  }
  packing.offsets[i] = begin;
  packing.bytes = std::max(packing.bytes, begin + bytes);
}

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

void pack_by_size(const std::vector<Interval>& intervals, Packing& packing) {
  std::vector<Placed> placed;
  placed.reserve(intervals.size());
  const auto larger = [](const Interval& a, const Interval& b) { return a.bytes > b.bytes; };
  for (int i : sorted(intervals, larger)) {
    const Interval& interval = intervals[i];
    const size_t bytes = room_for(interval);
    const size_t begin = best_fit(placed, interval, bytes);
    place(packing, i, begin, bytes);
    const Placed entry{begin, begin + bytes, interval.first, interval.last};
    auto after =
        std::upper_bound(placed.begin(), placed.end(), entry,
                         [](const Placed& a, const Placed& b) { return a.begin < b.begin; });
    placed.insert(after, entry);
  }
}

// The free gaps of a block that grows at its end.
class FreeList {
 public:
  // The start of `bytes` bytes: in the smallest gap that has them, or at the end.
  size_t take(size_t bytes) {
    const auto gap = by_size_.lower_bound({bytes, 0});
    if (gap == by_size_.end()) return grow(bytes);
    const auto [size, begin] = *gap;
    remove(begin, size);
    if (size > bytes) add(begin + bytes, size - bytes);
    return begin;
  }

  void give_back(size_t begin, size_t bytes) {
    auto after = by_place_.upper_bound(begin);
    if (after != by_place_.begin()) {
      const auto [place, size] = *std::prev(after);
      if (place + size == begin) {
        remove(place, size);
        begin = place;
        bytes += size;
      }
    }
    if (after != by_place_.end() && after->first == begin + bytes) {
      const auto [place, size] = *after;
      remove(place, size);
      bytes += size;
    }
    add(begin, bytes);
  }

 private:
  size_t grow(size_t bytes) {
    size_t begin = end_;
    if (!by_place_.empty()) {
      const auto [place, size] = *std::prev(by_place_.end());
      if (place + size == end_) {
        remove(place, size);
        begin = place;
      }
    }
    end_ = begin + bytes;
    return begin;
  }

  void add(size_t begin, size_t bytes) {
    by_place_.emplace(begin, bytes);
    by_size_.emplace(bytes, begin);
  }

  void remove(size_t begin, size_t bytes) {
    by_place_.erase(begin);
    by_size_.erase({bytes, begin});
  }

  std::map<size_t, size_t> by_place_;
  std::set<std::pair<size_t, size_t>> by_size_;  // (size, place)
  size_t end_ = 0;
};

void pack_by_time(const std::vector<Interval>& intervals, Packing& packing) {
  using Ending = std::pair<int, int>;  // (last step, interval)
  std::priority_queue<Ending, std::vector<Ending>, std::greater<Ending>> live;
  FreeList gaps;
  const auto earlier = [](const Interval& a, const Interval& b) {
    return a.first != b.first ? a.first < b.first : a.bytes > b.bytes;
  };
  for (int i : sorted(intervals, earlier)) {
    while (!live.empty() && live.top().first < intervals[i].first) {
      const int ended = live.top().second;
      gaps.give_back(packing.offsets[ended], room_for(intervals[ended]));
      live.pop();
    }
    const size_t bytes = room_for(intervals[i]);
    place(packing, i, gaps.take(bytes), bytes);
    live.emplace(intervals[i].last, i);
  }
}

}  // namespace

Packing pack_intervals(const std::vector<Interval>& intervals) {
  Packing packing;
  packing.offsets.resize(intervals.size());
  const bool is_many = intervals.size() > kMostBySize;
  (is_many ? pack_by_time : pack_by_size)(intervals, packing);
  return packing;
}

}  // namespace torchts
