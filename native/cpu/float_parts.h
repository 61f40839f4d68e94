// What a float is made of: its exponent, its mantissa and its neighbours.
#pragma once

#include <cmath>

#include "../runtime/dtype.h"
#include "vec.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace special {

// std::frexp leaves the exponent of what is not finite open.
template <class T>
inline int frexp_exponent(T x) {
  int exponent = 0;
  if (std::isfinite(x)) std::frexp(x, &exponent);
  return exponent;
}

template <class T>
inline T frexp_mantissa(T x) {
  int exponent;
  return std::isfinite(x) ? std::frexp(x, &exponent) : x;
}

// The neighbour of x towards y among the numbers that the half-width type holds.
template <class Half, class T>
inline T nextafter_among(T x, T y) {
  const Half from = from_float<Half>(static_cast<float>(x));
  const float at = to_float(from), to = to_float(from_float<Half>(static_cast<float>(y)));
  if (at != at || to != to) return static_cast<T>(at + to);
  if (at == to) return static_cast<T>(to);
  // Sign and magnitude: the next integer is the next number away from zero.
  const uint16_t smallest = to > 0 ? 1 : 0x8001;
  const bool is_away = (at < to) == (at > 0);
  Half next;
  next.bits = at == 0 ? smallest : static_cast<uint16_t>(from.bits + (is_away ? 1 : -1));
  return static_cast<T>(to_float(next));
}

}  // namespace special
}  // namespace TORCHTS_ISA
}  // namespace torchts
