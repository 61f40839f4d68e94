// Loops over rows of any length in vectors: the last one may be partial.
#pragma once

#include "vec.h"

namespace torchts {
inline namespace TORCHTS_ISA {

// Calls body(first, lanes) over [0, count): whole vectors, then what is left.
template <class T, class Body>
inline void for_each_vector(int64_t count, const Body& body) {
  int64_t i = 0;
  for (; i + kLanes<T> <= count; i += kLanes<T>) body(i, kLanes<T>);
  if (i < count) body(i, static_cast<int>(count - i));
}

// The first `lanes` lanes; the others are zero.
template <class T>
inline Vec<T> load_some(const T* from, int lanes) {
  return lanes == kLanes<T> ? load(from) : load_partial(from, lanes);
}

template <class T>
inline void store_some(T* to, Vec<T> value, int lanes) {
  if (lanes == kLanes<T>)
    store<T>(to, value);
  else
    store_partial<T>(to, value, lanes);
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
