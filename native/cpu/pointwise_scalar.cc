// Loops over scalar functions, one for each floating type: out[i] = f(a[i]) or f(a[i], b[i]).
// Those of `special::` compute in float64; the others in the type itself.
#include "pointwise_scalar.h"

#include "bessel_functions.h"
#include "float_parts.h"
#include "incomplete_gamma.h"
#include "orthogonal_polynomials.h"
#include "special_functions.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

// A loop over the formula `apply(x, y)`; y is x where there is one argument.
template <class T, class F>
void scalar_loop(const void* a, const void* b, void* out, int64_t count, const F& apply) {
  const T* x = static_cast<const T*>(a);
  const T* y = static_cast<const T*>(b);
  T* to = static_cast<T*>(out);
  for (int64_t i = 0; i < count; i++) to[i] = static_cast<T>(apply(x[i], y[i]));
}

template <class T>
StepCode scalar_step(const std::string& fn) {
#define TORCHTS_STEP(name, arguments, cost, second, formula)                                       \
  if (fn == #name)                                                                                 \
    return {                                                                                       \
        [](const void* a, [[maybe_unused]] const void* b, const void*, void* out, int64_t count) { \
          scalar_loop<T>(a, second, out, count,                                                    \
                         [](T x, [[maybe_unused]] T y) { return formula; });                       \
        },                                                                                         \
        arguments, cost};
#define TORCHTS_OF_ONE(name, cost, formula) TORCHTS_STEP(name, 1, cost, a, formula)
#define TORCHTS_OF_TWO(name, cost, formula) TORCHTS_STEP(name, 2, cost, b, formula)
  TORCHTS_OF_ONE(tan, 30, std::tan(x))
  TORCHTS_OF_ONE(asin, 20, std::asin(x))
  TORCHTS_OF_ONE(acos, 20, std::acos(x))
  TORCHTS_OF_ONE(atan, 20, std::atan(x))
  TORCHTS_OF_ONE(sinh, 30, std::sinh(x))
  TORCHTS_OF_ONE(cosh, 30, std::cosh(x))
  TORCHTS_OF_ONE(asinh, 40, std::asinh(x))
  TORCHTS_OF_ONE(acosh, 40, std::acosh(x))
  TORCHTS_OF_ONE(atanh, 30, std::atanh(x))
  TORCHTS_OF_ONE(exp2, 10, std::exp2(x))
  TORCHTS_OF_ONE(log2, 10, std::log2(x))
  TORCHTS_OF_ONE(log10, 20, std::log10(x))
  TORCHTS_OF_ONE(erfc, 40, std::erfc(x))
  TORCHTS_OF_ONE(erfinv, 200, special::erfinv(x))
  TORCHTS_OF_ONE(lgamma, 60, special::log_gamma(x))
  TORCHTS_OF_ONE(digamma, 80, special::digamma(x))
  TORCHTS_OF_ONE(erfcx, 60, special::erfcx(x))
  TORCHTS_OF_ONE(ndtri, 200, special::ndtri(x))
  TORCHTS_OF_ONE(i0, 100, special::bessel_i0(x))
  TORCHTS_OF_ONE(i0e, 100, special::bessel_i0e(x))
  TORCHTS_OF_ONE(i1, 100, special::bessel_i1(x))
  TORCHTS_OF_ONE(i1e, 100, special::bessel_i1e(x))
  TORCHTS_OF_ONE(modified_bessel_k0, 500, special::bessel_k(0, x))
  TORCHTS_OF_ONE(modified_bessel_k1, 500, special::bessel_k(1, x))
  TORCHTS_OF_ONE(scaled_modified_bessel_k0, 500, special::scaled_bessel_k(0, x))
  TORCHTS_OF_ONE(scaled_modified_bessel_k1, 500, special::scaled_bessel_k(1, x))
  TORCHTS_OF_ONE(bessel_j0, 200, special::bessel_j0(x))
  TORCHTS_OF_ONE(bessel_j1, 200, special::bessel_j1(x))
  TORCHTS_OF_ONE(bessel_y0, 200, special::bessel_y(0, x))
  TORCHTS_OF_ONE(bessel_y1, 200, special::bessel_y(1, x))
  TORCHTS_OF_ONE(airy_ai, 300, special::airy_ai(x))
  TORCHTS_OF_ONE(frexp_mantissa, 5, special::frexp_mantissa(x))
  TORCHTS_OF_ONE(frexp_exponent, 5, special::frexp_exponent(x))
  TORCHTS_OF_TWO(zeta, 400, special::zeta(x, y))
  TORCHTS_OF_TWO(gammainc, 300, special::incomplete_gamma(x, y).p)
  TORCHTS_OF_TWO(gammaincc, 300, special::incomplete_gamma(x, y).q)
  TORCHTS_OF_TWO(chebyshev_polynomial_t, 50, special::chebyshev_t(x, y))
  TORCHTS_OF_TWO(chebyshev_polynomial_u, 50, special::chebyshev_u(x, y))
  TORCHTS_OF_TWO(chebyshev_polynomial_v, 50, special::chebyshev_v(x, y))
  TORCHTS_OF_TWO(chebyshev_polynomial_w, 50, special::chebyshev_w(x, y))
  TORCHTS_OF_TWO(hermite_polynomial_h, 50, special::hermite_h(x, y))
  TORCHTS_OF_TWO(hermite_polynomial_he, 50, special::hermite_he(x, y))
  TORCHTS_OF_TWO(laguerre_polynomial_l, 50, special::laguerre_l(x, y))
  TORCHTS_OF_TWO(legendre_polynomial_p, 50, special::legendre_p(x, y))
  TORCHTS_OF_TWO(nextafter, 10, std::nextafter(x, y))
  TORCHTS_OF_TWO(nextafter_bfloat16, 10, special::nextafter_among<bfloat16>(x, y))
  TORCHTS_OF_TWO(nextafter_float16, 10, special::nextafter_among<float16>(x, y))
#undef TORCHTS_OF_TWO
#undef TORCHTS_OF_ONE
#undef TORCHTS_STEP
  return {nullptr, 0, 0};
}

}  // namespace

StepCode find_scalar_step(const std::string& fn, Compute type) {
  if (type == Compute::float32) return scalar_step<float>(fn);
  if (type == Compute::float64) return scalar_step<double>(fn);
  return {nullptr, 0, 0};
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
