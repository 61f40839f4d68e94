// The one way to use several threads inside a kernel. Work is cut into `threads` equal ranges, so
// a result depends on the thread count and on nothing else. oneDNN brings OpenMP's pool; using the
// same pool here keeps two pools from spinning against each other.
#pragma once

#include <algorithm>
#include <cstdint>

#ifdef _OPENMP
#include <omp.h>
#endif

namespace torchts {

// How many of `threads` are worth waking for `work` elementary operations: one per `grain`.
inline int useful_threads(int threads, int64_t work, int64_t grain) {
  int64_t wanted = work / std::max<int64_t>(grain, 1);
  return static_cast<int>(std::clamp<int64_t>(wanted, 1, std::max(threads, 1)));
}

// Calls body(begin, end, thread) for `threads` consecutive ranges that cover [0, count).
template <class Body>
void parallel_ranges(int threads, int64_t count, const Body& body) {
  if (threads <= 1 || count <= 1) {
    if (count > 0) body(int64_t{0}, count, 0);
    return;
  }
  const int parts = static_cast<int>(std::min<int64_t>(threads, count));
#pragma omp parallel for num_threads(parts) schedule(static, 1)
  for (int part = 0; part < parts; part++) {
    body(count * part / parts, count * (part + 1) / parts, part);
  }
}

}  // namespace torchts
