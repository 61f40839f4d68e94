// What each name of POINTWISE_FNS (src/engine/kernels.ts) computes, for any element or vector
// type V: a functor `name::apply(a, b, c)`. They are written in operators, `select` and the
// v-functions of vec_math.h, so another backend reuses them by overloading those for its types.
#pragma once

#include <type_traits>

#include "../runtime/dtype.h"
#include "vec_math.h"
#include "vec_storage.h"

// X(name, arguments). `const` and `cast` change no value and are the interpreter's own.
// clang-format off
#define TORCHTS_POINTWISE_ANY(X)                                                          \
  X(to_bfloat16, 1) X(to_float16, 1) X(to_int32, 1) X(to_uint8, 1) X(to_bool, 1)         \
  X(neg, 1) X(abs, 1) X(relu, 1) X(sign, 1) X(floor, 1) X(ceil, 1) X(round, 1)            \
  X(trunc, 1) X(isnan, 1) X(isinf, 1) X(logical_not, 1)                                               \
  X(add, 2) X(sub, 2) X(mul, 2) X(div, 2) X(pow, 2) X(fmod, 2) X(maximum, 2) X(minimum, 2) \
  X(eq, 2) X(ne, 2) X(lt, 2) X(le, 2) X(gt, 2) X(ge, 2)                                   \
  X(logical_and, 2) X(logical_or, 2) X(logical_xor, 2) X(where, 3)
// Those that exist in floating types only.
#define TORCHTS_POINTWISE_FLOATING(X)                                                     \
  X(exp, 1) X(expm1, 1) X(log, 1) X(log1p, 1) X(sqrt, 1) X(rsqrt, 1) X(reciprocal, 1)     \
  X(sin, 1) X(cos, 1) X(tanh, 1) X(sigmoid, 1) X(erf, 1) X(atan2, 2)                     \
  X(gelu, 1) X(gelu_tanh, 1) X(gelu_derivative, 1) X(gelu_tanh_derivative, 1)
// Those that exist in integers only. The functions of pointwise_scalar.cc come on top.
#define TORCHTS_POINTWISE_INTEGER(X)                                                      \
  X(bitwise_and, 2) X(bitwise_or, 2) X(bitwise_xor, 2)                                     \
  X(bitwise_left_shift, 2) X(bitwise_right_shift, 2) X(gcd, 2)
// clang-format on

namespace torchts {
inline namespace TORCHTS_ISA {
namespace fn {

template <class V>
using Element = std::decay_t<decltype(std::declval<V>()[0])>;
template <class V>
constexpr bool kFloating = std::is_floating_point_v<Element<V>>;

// A comparison's result as numbers: 1 where `mask`, else 0.
template <class V, class M>
inline V truth(M mask) {
  return select(mask, V{} + Element<V>(1), V{});
}

inline int64_t wrapping_power(int64_t base, int64_t exponent) {
  if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent % 2 == 0 ? 1 : -1) : 0;
  uint64_t result = 1, square = static_cast<uint64_t>(base);
  for (; exponent != 0; exponent >>= 1, square *= square) {
    if (exponent & 1) result *= square;
  }
  return static_cast<int64_t>(result);
}

// ---- narrowing ----

struct to_bfloat16 {
  template <class V>
  static V apply(V a) {
    using T = Element<V>;
    return map_lanes(a, [](T v) {
      return static_cast<T>(to_float(torchts::to_bfloat16(static_cast<float>(v))));
    });
  }
  static VecF apply(VecF a) {
    const VecI bits = bit_cast<VecI>(a);
    const VecI rounded = (bits + 0x7fff + ((bits >> 16) & 1)) & ~0xffff;
    return select(a != a, a, bit_cast<VecF>(rounded));
  }
};
struct to_float16 {
  template <class V>
  static V apply(V a) {
    using T = Element<V>;
    return map_lanes(a, [](T v) {
      return static_cast<T>(to_float(torchts::to_float16(static_cast<float>(v))));
    });
  }
  static VecF apply(VecF a) { return widen<float16>(torchts::narrow<float16>(a)); }
};
template <class Narrow>
struct narrow {
  template <class V>
  static V apply(V a) {
    using T = Element<V>;
    return map_lanes(
        a, [](T v) { return static_cast<T>(static_cast<Narrow>(static_cast<int64_t>(v))); });
  }
};
using to_int32 = narrow<int32_t>;
using to_uint8 = narrow<uint8_t>;
struct to_bool {
  template <class V>
  static V apply(V a) {
    return truth<V>(a != 0);
  }
};

// ---- one argument ----

struct neg {
  template <class V>
  static V apply(V a) {
    return -a;
  }
};
struct abs {
  template <class V>
  static V apply(V a) {
    return vabs(a);
  }
};
struct relu {  // NaN stays
  template <class V>
  static V apply(V a) {
    return select(a <= 0, V{}, a);
  }
};
struct sign {  // 0 for NaN
  template <class V>
  static V apply(V a) {
    return truth<V>(a > 0) - truth<V>(a < 0);
  }
};
template <Rounding kMode>
struct rounding {
  template <class V>
  static V apply(V a) {
    if constexpr (kFloating<V>) return round_to<kMode>(a);
    return a;
  }
};
using floor = rounding<Rounding::down>;
using ceil = rounding<Rounding::up>;
using round = rounding<Rounding::nearest>;
using trunc = rounding<Rounding::to_zero>;
struct isnan {
  template <class V>
  static V apply(V a) {
    return truth<V>(a != a);
  }
};
struct isinf {
  template <class V>
  static V apply(V a) {
    if constexpr (kFloating<V>) {
      return truth<V>(vabs(a) == std::numeric_limits<Element<V>>::infinity());
    }
    return V{};
  }
};
struct logical_not {
  template <class V>
  static V apply(V a) {
    return truth<V>(a == 0);
  }
};
struct reciprocal {
  template <class V>
  static V apply(V a) {
    return Element<V>(1) / a;
  }
};
struct sqrt {
  template <class V>
  static V apply(V a) {
    return vsqrt(a);
  }
};
struct rsqrt {
  template <class V>
  static V apply(V a) {
    return Element<V>(1) / vsqrt(a);
  }
};
#define TORCHTS_FROM_VEC_MATH(name) \
  struct name {                     \
    template <class V>              \
    static V apply(V a) {           \
      return v##name(a);            \
    }                               \
  };
TORCHTS_FROM_VEC_MATH(exp)
TORCHTS_FROM_VEC_MATH(expm1)
TORCHTS_FROM_VEC_MATH(log)
TORCHTS_FROM_VEC_MATH(log1p)
TORCHTS_FROM_VEC_MATH(sin)
TORCHTS_FROM_VEC_MATH(cos)
TORCHTS_FROM_VEC_MATH(tanh)
TORCHTS_FROM_VEC_MATH(sigmoid)
TORCHTS_FROM_VEC_MATH(erf)
TORCHTS_FROM_VEC_MATH(gelu)
TORCHTS_FROM_VEC_MATH(gelu_tanh)
TORCHTS_FROM_VEC_MATH(gelu_derivative)
TORCHTS_FROM_VEC_MATH(gelu_tanh_derivative)
#undef TORCHTS_FROM_VEC_MATH

// ---- two arguments ----

struct add {
  template <class V>
  static V apply(V a, V b) {
    return a + b;
  }
};
struct sub {
  template <class V>
  static V apply(V a, V b) {
    return a - b;
  }
};
struct mul {
  template <class V>
  static V apply(V a, V b) {
    return a * b;
  }
};
struct div {  // integers: truncates; by zero 0
  template <class V>
  static V apply(V a, V b) {
    if constexpr (kFloating<V>)
      return a / b;
    else
      return map_lanes(a, b, [](int64_t n, int64_t d) -> int64_t {
        if (d == 0) return 0;
        return d == -1 ? static_cast<int64_t>(0 - static_cast<uint64_t>(n)) : n / d;
      });
  }
};
struct fmod {
  template <class V>
  static V apply(V a, V b) {
    using T = Element<V>;
    return map_lanes(a, b, [](T n, T d) -> T {
      if constexpr (kFloating<V>)
        return std::fmod(n, d);
      else
        return d == 0 || d == -1 ? 0 : n % d;
    });
  }
};
struct pow {
  template <class V>
  static V apply(V a, V b) {
    using T = Element<V>;
    return map_lanes(a, b, [](T base, T exponent) -> T {
      if constexpr (kFloating<V>)
        return std::pow(base, exponent);
      else
        return wrapping_power(base, exponent);
    });
  }
};
struct atan2 {
  template <class V>
  static V apply(V a, V b) {
    using T = Element<V>;
    return map_lanes(a, b, [](T y, T x) { return std::atan2(y, x); });
  }
};
struct maximum {  // NaN wins
  template <class V>
  static V apply(V a, V b) {
    return select((a > b) | (a != a), a, b);
  }
};
struct minimum {
  template <class V>
  static V apply(V a, V b) {
    return select((a < b) | (a != a), a, b);
  }
};
#define TORCHTS_COMPARISON(name, expression) \
  struct name {                              \
    template <class V>                       \
    static V apply(V a, V b) {               \
      return truth<V>(expression);           \
    }                                        \
  };
TORCHTS_COMPARISON(eq, a == b)
TORCHTS_COMPARISON(ne, a != b)
TORCHTS_COMPARISON(lt, a < b)
TORCHTS_COMPARISON(le, a <= b)
TORCHTS_COMPARISON(gt, a > b)
TORCHTS_COMPARISON(ge, a >= b)
TORCHTS_COMPARISON(logical_and, (a != 0) & (b != 0))
TORCHTS_COMPARISON(logical_or, (a != 0) | (b != 0))
TORCHTS_COMPARISON(logical_xor, (a != 0) ^ (b != 0))
#undef TORCHTS_COMPARISON

#define TORCHTS_BITWISE(name, expression) \
  struct name {                           \
    template <class V>                    \
    static V apply(V a, V b) {            \
      return expression;                  \
    }                                     \
  };
TORCHTS_BITWISE(bitwise_and, a& b)
TORCHTS_BITWISE(bitwise_or, a | b)
TORCHTS_BITWISE(bitwise_xor, a ^ b)
#undef TORCHTS_BITWISE

// Every bit is shifted out by less than 0 and by more than 63.
struct bitwise_left_shift {
  template <class V>
  static V apply(V a, V b) {
    return select((b < 0) | (b > 63), V{}, a << (b & 63));
  }
};
struct bitwise_right_shift {
  template <class V>
  static V apply(V a, V b) {
    return a >> select((b < 0) | (b > 63), V{} + 63, b);
  }
};
struct gcd {
  template <class V>
  static V apply(V a, V b) {
    return map_lanes(a, b, [](int64_t n, int64_t d) {
      while (d != 0) {
        const int64_t rest = d == -1 ? 0 : n % d;
        n = d;
        d = rest;
      }
      return n < 0 ? -n : n;
    });
  }
};

// ---- three arguments ----

struct where {
  template <class V>
  static V apply(V condition, V a, V b) {
    return select(condition != 0, a, b);
  }
};

}  // namespace fn
}  // namespace TORCHTS_ISA
}  // namespace torchts
