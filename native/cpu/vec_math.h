// Elementary functions on vectors. float32 uses polynomials within about 2 ulp of the true value
// (after Cephes, S. Moshier, and N. Juffa's erff); float64 calls libm lane by lane. NaN gives NaN,
// overflow infinity, and the functions' limits are exact.
#pragma once

#include <limits>
#include <type_traits>

#include "vec.h"

namespace torchts {
inline namespace TORCHTS_ISA {

// f(lane) or f(lane, lane) for each lane.
template <class V, class F>
inline V map_lanes(V a, F f) {
  V out = a;
  for (int i = 0; i < static_cast<int>(sizeof(V) / sizeof a[0]); i++) out[i] = f(a[i]);
  return out;
}
template <class V, class F>
inline V map_lanes(V a, V b, F f) {
  V out = a;
  for (int i = 0; i < static_cast<int>(sizeof(V) / sizeof a[0]); i++) out[i] = f(a[i], b[i]);
  return out;
}

constexpr float kInfinity = std::numeric_limits<float>::infinity();

inline VecF to_float_lanes(VecI value) { return __builtin_convertvector(value, VecF); }
inline VecI to_int_lanes(VecF value) { return __builtin_convertvector(value, VecI); }

inline VecF vabs(VecF x) { return bit_cast<VecF>(bit_cast<VecI>(x) & 0x7fffffff); }
inline VecD vabs(VecD x) { return bit_cast<VecD>(bit_cast<VecL>(x) & 0x7fffffffffffffff); }
inline VecL vabs(VecL x) { return select(x < 0, -x, x); }

inline VecF copysign(VecF magnitude, VecF sign) {
  constexpr int32_t kSign = std::numeric_limits<int32_t>::min();
  return bit_cast<VecF>((bit_cast<VecI>(magnitude) & ~kSign) | (bit_cast<VecI>(sign) & kSign));
}

// (With AVX-512 the masked forms: GCC warns about the plain ones' undefined operand.)
#if defined(__AVX512F__)
inline VecF vsqrt(VecF x) { return _mm512_maskz_sqrt_ps(0xffff, x); }
inline VecD vsqrt(VecD x) { return _mm512_maskz_sqrt_pd(0xff, x); }
#elif defined(__AVX2__)
inline VecF vsqrt(VecF x) { return _mm256_sqrt_ps(x); }
inline VecD vsqrt(VecD x) { return _mm256_sqrt_pd(x); }
#elif defined(__SSE2__)
inline VecF vsqrt(VecF x) { return _mm_sqrt_ps(x); }
inline VecD vsqrt(VecD x) { return _mm_sqrt_pd(x); }
#else
inline VecF vsqrt(VecF x) {
  return map_lanes(x, [](float v) { return std::sqrt(v); });
}
inline VecD vsqrt(VecD x) {
  return map_lanes(x, [](double v) { return std::sqrt(v); });
}
#endif

// Rounding to whole numbers: `nearest` takes halves to even.
enum class Rounding { nearest = 0, down = 1, up = 2, to_zero = 3 };

template <Rounding kMode, class V>
inline V round_to(V x) {
#if defined(__AVX512F__)
  if constexpr (sizeof x[0] == 4)
    return _mm512_maskz_roundscale_ps(0xffff, x, static_cast<int>(kMode));
  else
    return _mm512_maskz_roundscale_pd(0xff, x, static_cast<int>(kMode));
#elif defined(__AVX2__)
  if constexpr (sizeof x[0] == 4)
    return _mm256_round_ps(x, static_cast<int>(kMode) | 8);
  else
    return _mm256_round_pd(x, static_cast<int>(kMode) | 8);
#else
  return map_lanes(x, [](auto v) {
    switch (kMode) {
      case Rounding::nearest:
        return std::nearbyint(v);
      case Rounding::down:
        return std::floor(v);
      case Rounding::up:
        return std::ceil(v);
      default:
        return std::trunc(v);
    }
  });
#endif
}

// 2^n for whole n in [-126, 127].
inline VecF exp2_whole(VecI n) { return bit_cast<VecF>((n + 127) << 23); }

struct ExpReduction {
  VecI n;
  VecF r;  // x = n ln 2 + r, |r| <= ln 2 / 2
};

inline ExpReduction reduce_exp(VecF x) {
  constexpr float kMagic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number
  const VecF shifted = x * 1.44269504f + kMagic;
  const VecF n = shifted - kMagic;
  const VecF r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  return {bit_cast<VecI>(shifted) - bit_cast<int32_t>(kMagic), r};
}

// (exp(r) - 1 - r) / r^2 for |r| <= ln 2 / 2.
inline VecF exp_tail(VecF r) {
  VecF p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  return p * r + 5.0000001201e-1f;
}

inline VecF vexp(VecF x) {
  x = select(x > 89.0f, splat(89.0f), x);
  x = select(x < -104.0f, splat(-104.0f), x);
  const ExpReduction reduced = reduce_exp(x);
  const VecF p = exp_tail(reduced.r) * (reduced.r * reduced.r) + reduced.r + 1.0f;
  // Two factors, because 2^n itself may be infinite or zero where the product is not.
  const VecI half = reduced.n >> 1;
  return p * exp2_whole(half) * exp2_whole(reduced.n - half);
}

inline VecF vexpm1(VecF x) {
  const VecF clamped = select(x > 89.0f, splat(89.0f), select(x < -20.0f, splat(-20.0f), x));
  const ExpReduction reduced = reduce_exp(clamped);
  const VecF p = exp_tail(reduced.r) * (reduced.r * reduced.r) + reduced.r;
  const VecF half = exp2_whole(reduced.n - 1);
  const VecF result = 2.0f * (half * p + (half - 0.5f));
  return select(vabs(x) < 1e-7f, x, result);  // keeps the sign of zero
}

inline VecF vlog(VecF x) {
  const VecI tiny = x < 1.17549435e-38f;
  const VecF scaled = select(tiny, x * 8388608.0f, x);
  // Mantissa in [sqrt(1/2), sqrt(2)): subtracting sqrt(1/2)'s bits carries into the exponent.
  const VecI offset = bit_cast<VecI>(bit_cast<Vec<uint32_t>>(scaled) - 0x3f3504f3u);
  const VecI exponent = (offset >> 23) - select(tiny, VecI{} + 23, VecI{});
  const VecF f = bit_cast<VecF>((offset & 0x007fffff) + 0x3f3504f3) - 1.0f;
  const VecF e = to_float_lanes(exponent);
  VecF p = f * 7.0376836292e-2f - 1.1514610310e-1f;
  p = p * f + 1.1676998740e-1f;
  p = p * f - 1.2420140846e-1f;
  p = p * f + 1.4249322787e-1f;
  p = p * f - 1.6668057665e-1f;
  p = p * f + 2.0000714765e-1f;
  p = p * f - 2.4999993993e-1f;
  p = p * f + 3.3333331174e-1f;
  const VecF square = f * f;
  VecF result = p * f * square + e * -2.12194440e-4f;
  result = result - 0.5f * square + f + e * 0.693359375f;
  result = select(x == kInfinity, x, result);
  result = select(x == 0.0f, splat(-kInfinity), result);
  return select((x < 0.0f) | (x != x), splat(std::numeric_limits<float>::quiet_NaN()), result);
}

// log(u) x / (u - 1) with u = 1 + x rounded: the two errors of the rounding cancel.
inline VecF vlog1p(VecF x) {
  const VecF u = x + 1.0f;
  const VecF result = vlog(u) * (x / (u - 1.0f));
  return select((u == 1.0f) | (u == kInfinity), x, result);
}

inline VecF vsigmoid(VecF x) { return 1.0f / (1.0f + vexp(-x)); }

inline VecF vtanh(VecF x) {
  const VecF magnitude = vabs(x);
  const VecF square = x * x;
  VecF p = square * -5.70498872745e-3f + 2.06390887954e-2f;
  p = p * square - 5.37397155531e-2f;
  p = p * square + 1.33314422036e-1f;
  p = p * square - 3.33332819422e-1f;
  const VecF near_zero = p * square * x + x;
  const VecF far = copysign(1.0f - 2.0f / (vexp(magnitude + magnitude) + 1.0f), x);
  return select(magnitude < 0.625f, near_zero, far);
}

inline VecF verf(VecF x) {
  const VecF t = vabs(x);
  const VecF square = x * x;
  VecF q = -1.72853470e-5f * t + 3.83197126e-4f;
  q = q * square + (-3.88396438e-3f * t + 2.42546219e-2f);
  q = q * t - 1.06777877e-1f;
  q = q * t - 6.34846687e-1f;
  q = q * t - 1.28717512e-1f;
  q = q * t - t;
  const VecF far = copysign(1.0f - vexp(q), x);
  VecF p = square * -5.96761703e-4f + 4.99119423e-3f;
  p = p * square - 2.67681349e-2f;
  p = p * square + 1.12819925e-1f;
  p = p * square - 3.76125336e-1f;
  p = p * square + 1.28379166e-1f;
  // Beyond 4 erf is 1 in float32, where q would overflow to infinities of both signs.
  const VecF limited = select(t > 4.0f, copysign(splat(1.0f), x), far);
  return select(x != x, x, select(t > 0.927734375f, limited, p * x + x));
}

// sin(x + quarters pi / 2). Cody-Waite reduction in three parts holds up to 8192; libm beyond.
inline VecF sin_quarters(VecF x, int32_t quarters) {
  constexpr float kMagic = 12582912.0f;
  const VecF shifted = x * 0.636619772f + kMagic;
  const VecF n = shifted - kMagic;
  const VecI quadrant = bit_cast<VecI>(shifted) - bit_cast<int32_t>(kMagic) + quarters;
  const VecF r = ((x - n * 1.5703125f) - n * 4.83751296997e-4f) - n * 7.54978995489e-8f;
  const VecF square = r * r;
  VecF s = square * -1.9515295891e-4f + 8.3321608736e-3f;
  s = (s * square - 1.6666654611e-1f) * square * r + r;
  VecF c = square * 2.443315711809948e-5f - 1.388731625493765e-3f;
  c = (c * square + 4.166664568298827e-2f) * square * square - 0.5f * square + 1.0f;
  const VecF value = select((quadrant & 1) != 0, c, s);
  return select((quadrant & 2) != 0, -value, value);
}

inline bool any_lane(VecI mask) {
  int32_t any = 0;
  for (int i = 0; i < kLanes<int32_t>; i++) any |= mask[i];
  return any != 0;
}

inline VecF vsin(VecF x) {
  if (any_lane(~(vabs(x) < 8192.0f))) return map_lanes(x, [](float v) { return std::sin(v); });
  return sin_quarters(x, 0);
}
inline VecF vcos(VecF x) {
  if (any_lane(~(vabs(x) < 8192.0f))) return map_lanes(x, [](float v) { return std::cos(v); });
  return sin_quarters(x, 1);
}

inline VecD vexp(VecD x) {
  return map_lanes(x, [](double v) { return std::exp(v); });
}
inline VecD vexpm1(VecD x) {
  return map_lanes(x, [](double v) { return std::expm1(v); });
}
inline VecD vlog(VecD x) {
  return map_lanes(x, [](double v) { return std::log(v); });
}
inline VecD vlog1p(VecD x) {
  return map_lanes(x, [](double v) { return std::log1p(v); });
}
inline VecD vtanh(VecD x) {
  return map_lanes(x, [](double v) { return std::tanh(v); });
}
inline VecD verf(VecD x) {
  return map_lanes(x, [](double v) { return std::erf(v); });
}
inline VecD vsin(VecD x) {
  return map_lanes(x, [](double v) { return std::sin(v); });
}
inline VecD vcos(VecD x) {
  return map_lanes(x, [](double v) { return std::cos(v); });
}
inline VecD vsigmoid(VecD x) { return 1.0 / (1.0 + vexp(-x)); }

// x Phi(x) with Phi the normal distribution (Hendrycks and Gimpel 2016), and its derivative.
template <class V>
inline V vgelu(V x) {
  using T = std::decay_t<decltype(x[0])>;
  return x * (T(0.5) * (T(1) + verf(x * T(0.70710678118654752440))));
}
template <class V>
inline V vgelu_derivative(V x) {
  using T = std::decay_t<decltype(x[0])>;
  const V density = vexp(x * x * T(-0.5)) * T(0.39894228040143267794);
  return T(0.5) * (T(1) + verf(x * T(0.70710678118654752440))) + x * density;
}

// The same with Phi(x) = (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.
template <class V>
inline V gelu_tanh_inner(V x) {
  using T = std::decay_t<decltype(x[0])>;
  return vtanh(x * (T(0.79788456080286535588) * (T(1) + T(0.044715) * x * x)));
}
template <class V>
inline V vgelu_tanh(V x) {
  using T = std::decay_t<decltype(x[0])>;
  return x * (T(0.5) * (T(1) + gelu_tanh_inner(x)));
}
template <class V>
inline V vgelu_tanh_derivative(V x) {
  using T = std::decay_t<decltype(x[0])>;
  const V t = gelu_tanh_inner(x);
  const V near = select(vabs(x) < T(100), x, V{});  // farther off, t is 1 and x^2 may overflow
  const V slope = T(0.79788456080286535588) * (T(1) + T(3 * 0.044715) * near * near);
  return T(0.5) * (T(1) + t) + T(0.5) * near * (T(1) - t * t) * slope;
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
