// Classical orthogonal polynomials of degree n at x, by their recurrences (DLMF 18.9) in the type
// of x, so that they overflow where PyTorch's do. Of a negative degree they are 0.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "vec.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace special {

// The degree as a whole number: -1 for NaN and for what no int64 holds, as PyTorch has it.
template <class T>
inline int64_t degree(T n) {
  return n > -1 && n < T(9.2e18) ? static_cast<int64_t>(n) : -1;
}

// The n-th after `zeroth` and `first`, where each follows from the last two as
// next(k, last, before). NaN stays.
template <class T, class F>
inline T recurrence(int64_t n, T zeroth, T first, const F& next) {
  if (n < 0) return 0;
  if (n == 0) return zeroth;
  T before = zeroth, last = first;
  for (int64_t k = 1; k < n && last == last; k++) {
    const T after = next(static_cast<T>(k), last, before);
    before = last;
    last = after;
  }
  return last;
}

// The four kinds share 2 x p - q and differ in where they start. Inside (-1, 1), where the
// recurrence of a high degree would lose digits, they are trigonometric functions of the angle
// (DLMF 18.5).
template <class T>
inline T chebyshev(int64_t n, T x, T first) {
  return recurrence(n, T(1), first, [x](T, T p, T q) { return (x + x) * p - q; });
}

template <class T>
inline T alternating(int64_t n, T value) {
  return n % 2 == 0 ? value : -value;
}

template <class T>
inline T chebyshev_t(T x, T degrees) {
  const int64_t n = degree(degrees);
  if (n < 0) return 0;
  if (std::abs(x) == 1) return x > 0 ? T(1) : alternating(n, T(1));
  if (n > 6 && std::abs(x) < 1) return std::cos(static_cast<T>(n) * std::acos(x));
  return chebyshev(n, x, x);
}

template <class T>
inline T chebyshev_u(T x, T degrees) {
  const int64_t n = degree(degrees);
  if (n < 0) return 0;
  const T most = static_cast<T>(n + 1);
  if (std::abs(x) == 1) return x > 0 ? most : alternating(n, most);
  if (n > 8 && std::abs(x) < 1) {
    const T angle = std::acos(x);
    return std::sin(most * angle) / std::sin(angle);
  }
  return chebyshev(n, x, x + x);
}

template <class T>
inline T chebyshev_v(T x, T degrees) {
  const int64_t n = degree(degrees);
  if (n < 0) return 0;
  if (std::abs(x) == 1) return x > 0 ? T(1) : alternating(n, static_cast<T>(n + n + 1));
  if (n > 8 && std::abs(x) < 1) {
    const T angle = std::acos(x);
    return std::cos((static_cast<T>(n) + T(0.5)) * angle) / std::cos(angle / 2);
  }
  return chebyshev(n, x, x + x - 1);
}

template <class T>
inline T chebyshev_w(T x, T degrees) {
  const int64_t n = degree(degrees);
  if (n < 0) return 0;
  if (std::abs(x) == 1) return x > 0 ? static_cast<T>(n + n + 1) : alternating(n, T(1));
  if (n > 8 && std::abs(x) < 1) {
    const T angle = std::acos(x);
    return std::sin((static_cast<T>(n) + T(0.5)) * angle) / std::sin(angle / 2);
  }
  return chebyshev(n, x, x + x + 1);
}

// Beyond this degree PyTorch gives NaN: nearly everywhere the values leave the type's range.
template <class T>
constexpr int64_t kMostHermite = sizeof(T) == 4 ? 128 : 512;

// The physicists' polynomials.
template <class T>
inline T hermite_h(T x, T degrees) {
  const int64_t n = degree(degrees);
  if (n > kMostHermite<T>) return std::numeric_limits<T>::quiet_NaN();
  return recurrence(n, T(1), x + x, [x](T k, T p, T q) { return (x + x) * p - (k + k) * q; });
}

// The probabilists'.
template <class T>
inline T hermite_he(T x, T degrees) {
  const int64_t n = degree(degrees);
  if (n > kMostHermite<T>) return std::numeric_limits<T>::quiet_NaN();
  return recurrence(n, T(1), x, [x](T k, T p, T q) { return x * p - k * q; });
}

template <class T>
inline T laguerre_l(T x, T degrees) {
  const int64_t n = degree(degrees);
  if (n >= 0 && x == 0) return 1;
  return recurrence(n, T(1), T(1) - x,
                    [x](T k, T p, T q) { return (((k + k) + (T(1) - x)) * p - k * q) / (k + 1); });
}

template <class T>
inline T legendre_p(T x, T degrees) {
  const int64_t n = degree(degrees);
  if (n >= 0 && std::abs(x) == 1) return x > 0 ? T(1) : alternating(n, T(1));
  return recurrence(n, T(1), x,
                    [x](T k, T p, T q) { return ((k + k + 1) * x * p - k * q) / (k + 1); });
}

}  // namespace special
}  // namespace TORCHTS_ISA
}  // namespace torchts
