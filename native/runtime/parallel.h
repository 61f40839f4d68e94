// The one way to use several threads inside a kernel. Work is cut into `threads` equal ranges, so
// a result depends on the thread count and on nothing else, whichever thread computes a range.
#pragma once

#include <algorithm>
#include <cstdint>

namespace torchts {

// Calls task(context, part) once for every part in [0, parts), on the caller and other threads;
// returns when all are done. Tasks must not throw, and not ask for parallel work themselves.
using ParallelTask = void (*)(void* context, int part);
using ParallelRunner = void (*)(int parts, ParallelTask task, void* context);

// Set when a provider is registered; every provider has its own copy.
inline ParallelRunner parallel_runner = nullptr;

// How many of `threads` are worth waking for `work` elementary operations: one per `grain`.
inline int useful_threads(int threads, int64_t work, int64_t grain) {
  int64_t wanted = work / std::max<int64_t>(grain, 1);
  return static_cast<int>(std::clamp<int64_t>(wanted, 1, std::max(threads, 1)));
}

// Calls body(begin, end, part) for `threads` consecutive ranges that cover [0, count).
template <class Body>
void parallel_ranges(int threads, int64_t count, const Body& body) {
  if (threads <= 1 || count <= 1) {
    if (count > 0) body(int64_t{0}, count, 0);
    return;
  }
  struct Call {
    const Body& body;
    int64_t count;
    int parts;
  };
  Call call{body, count, static_cast<int>(std::min<int64_t>(threads, count))};
  parallel_runner(
      call.parts,
      [](void* context, int part) {
        const Call& c = *static_cast<const Call*>(context);
        c.body(c.count * part / c.parts, c.count * (part + 1) / c.parts, part);
      },
      &call);
}

}  // namespace torchts
