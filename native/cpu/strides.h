// Walking a dense output while reading a broadcast or strided operand.
#pragma once

#include <algorithm>
#include <vector>

#include "check.h"
#include "vec.h"

namespace torchts {
inline namespace TORCHTS_ISA {

constexpr size_t kMaxRank = 16;  // of a collapsed operand

// One dimension of the output's index space and the operand's step along it, in elements.
struct Dim {
  int64_t size;
  int64_t stride;
};

// The fewest dimensions that address the same elements in the same order; outermost first.
inline std::vector<Dim> collapse(const Shape& shape, const std::vector<int64_t>& strides) {
  std::vector<Dim> dims;
  for (size_t i = 0; i < shape.size(); i++) {
    if (shape[i] == 1) continue;
    if (!dims.empty() && dims.back().stride == strides[i] * shape[i]) {
      dims.back() = {dims.back().size * shape[i], strides[i]};
    } else {
      dims.push_back({shape[i], strides[i]});
    }
  }
  return dims;
}

// The strides of a dense operand of shape `from` broadcast to `to` (0 where it repeats).
inline std::vector<int64_t> broadcast_strides(const Shape& from, const Shape& to) {
  require(from.size() <= to.size(), "an input has more dimensions than the output");
  const size_t missing = to.size() - from.size();
  std::vector<int64_t> strides = contiguous_strides(from);
  strides.insert(strides.begin(), missing, 0);
  for (size_t i = 0; i < to.size(); i++) {
    const int64_t size = i < missing ? 1 : from[i - missing];
    require(size == 1 || size == to[i], "an input cannot be broadcast to the output");
    if (size == 1) strides[i] = 0;
  }
  return strides;
}

// Calls body(offset, at, length) for the runs along the last dimension that cover the flat places
// [begin, end) of the index space; `at` counts from `begin`.
template <class Body>
inline void for_each_run(const std::vector<Dim>& dims, int64_t begin, int64_t end,
                         const Body& body) {
  const int outer = static_cast<int>(dims.size()) - 1;
  const Dim inner = dims[outer];
  int64_t index[kMaxRank];
  int64_t rest = begin / inner.size;
  int64_t base = 0;
  for (int d = outer - 1; d >= 0; d--) {
    index[d] = rest % dims[d].size;
    rest /= dims[d].size;
    base += index[d] * dims[d].stride;
  }
  int64_t column = begin % inner.size;
  for (int64_t at = begin; at < end; column = 0) {
    const int64_t length = std::min(inner.size - column, end - at);
    body(base + column * inner.stride, at - begin, length);
    at += length;
    for (int d = outer - 1; d >= 0; d--) {
      base += dims[d].stride;
      if (++index[d] < dims[d].size) break;
      base -= index[d] * dims[d].stride;
      index[d] = 0;
    }
  }
}

inline void check_rank(const std::vector<Dim>& dims) {
  require(dims.size() <= kMaxRank, "more than 16 separate dimensions");
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
