// Bessel functions of the orders 0 and 1, and Airy's Ai, in float64 to a few units of 1e-16 of
// their size (of their amplitude, where they oscillate). Formulas of the NIST Digital Library of
// Mathematical Functions, https://dlmf.nist.gov. Limits at infinity are PyTorch's.
#pragma once

#include <cmath>
#include <limits>

#include "vec.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace special {

constexpr double kEulerGamma = 0.57721566490153286061;

// ---- J and Y -----------------------------------------------------------------------------------

struct BesselPair {
  double j[2], y[2];
};

// Hankel's expansions 10.17.3 and 10.17.4, for x >= 25.
inline void bessel_far(double x, int order, double* j, double* y) {
  double term = 1, p = 1, q = 0;
  for (int k = 1; k < 40 && std::abs(term) > 1e-18; k++) {
    const double odd = 2 * k - 1;
    term *= (4.0 * order - odd * odd) / (8 * k * x);
    const double sign = k % 4 < 2 ? 1 : -1;
    (k % 2 == 0 ? p : q) += sign * term;
  }
  // cos and sin of x - pi/4, and of that less pi/2 for the order 1; without rounding x - pi/4.
  const double c = std::cos(x), s = std::sin(x);
  const double cosine = order == 0 ? c + s : s - c;
  const double sine = order == 0 ? s - c : -(s + c);
  const double size = 1 / std::sqrt(M_PI * x);
  *j = size * (p * cosine - q * sine);
  *y = size * (p * sine + q * cosine);
}

// Miller's algorithm (3.6): the J_n by their recurrence downwards from a large n, scaled so that
// 1 = J_0 + 2 J_2 + 2 J_4 + ...; the Y by Neumann's expansions in them (Abramowitz and
// Stegun 9.1.88).
inline BesselPair bessel_near(double x) {
  const int top = 16 + 2 * static_cast<int>(std::ceil(0.95 * x));
  double above = 0, at = 1e-280, norm = 0, even = 0, odd = 0;
  BesselPair out{};
  for (int n = top; n >= 0; n--) {
    // at = J_n, above = J_{n+1}, both times a common factor.
    const int k = n / 2;
    if (n % 2 == 0) {
      norm += n == 0 ? at : 2 * at;
      if (n > 0) even += (k % 2 == 0 ? at : -at) / k;
    } else if (n > 1) {
      odd += (k % 2 == 0 ? at : -at) * n / (static_cast<double>(k) * (k + 1));
    }
    if (n < 2) out.j[n] = at;
    const double below = 2 * n / x * at - above;
    above = at;
    at = below;
  }
  for (double* value : {&out.j[0], &out.j[1], &even, &odd}) *value /= norm;
  const double logarithm = (std::log(x) - M_LN2) + kEulerGamma;
  out.y[0] = (2 * logarithm * out.j[0] - 4 * even) / M_PI;
  out.y[1] = (2 * (logarithm - 1) * out.j[1] - 2 * out.j[0] / x - 2 * odd) / M_PI;
  return out;
}

// The first terms of the power series 10.2.2 and 10.8.1.
inline BesselPair bessel_tiny(double x) {
  const double logarithm = (std::log(x) - M_LN2) + kEulerGamma, square = x * x / 4;
  BesselPair out{{1 - square, x / 2 * (1 - square / 2)}, {}};
  out.y[0] = 2 / M_PI * (logarithm * out.j[0] + square);
  out.y[1] = (2 * (logarithm - 1) * out.j[1] - 2 * out.j[0] / x) / M_PI;
  return out;
}

// J and Y of x > 0.
inline BesselPair bessel_pair(double x) {
  if (x < 1e-4) return bessel_tiny(x);
  if (x < 25) return bessel_near(x);
  BesselPair out;
  for (int order : {0, 1}) bessel_far(x, order, &out.j[order], &out.y[order]);
  return out;
}

inline double bessel_j0(double x) { return x == 0 ? 1 : bessel_pair(std::abs(x)).j[0]; }
inline double bessel_j1(double x) {
  return x == 0 ? x : std::copysign(1.0, x) * bessel_pair(std::abs(x)).j[1];
}
inline double bessel_y(int order, double x) {
  if (x == 0) return -std::numeric_limits<double>::infinity();
  return x > 0 ? bessel_pair(x).y[order] : std::numeric_limits<double>::quiet_NaN();
}

// ---- I and K -----------------------------------------------------------------------------------

// e^-x I_order(x) for x >= 0: the power series 10.25.2, all of whose terms are positive, or the
// expansion 10.40.1.
inline double scaled_bessel_i(int order, double x) {
  if (std::isinf(x)) return 0;
  double term = 1, sum = 1;
  if (x <= 20) {
    const double square = x * x / 4;
    for (int k = 1; term > 1e-17 * sum; k++) {
      term *= square / (static_cast<double>(k) * (k + order));
      sum += term;
    }
    return std::exp(-x) * sum * (order == 0 ? 1 : x / 2);
  }
  for (int k = 1; k < 40 && std::abs(term) > 1e-18; k++) {
    const double odd = 2 * k - 1;
    term *= -(4.0 * order - odd * odd) / (8 * k * x);
    sum += term;
  }
  return sum / std::sqrt(2 * M_PI * x);
}

inline double bessel_i0e(double x) { return std::isnan(x) ? x : scaled_bessel_i(0, std::abs(x)); }
inline double bessel_i1e(double x) {
  if (std::isnan(x)) return x;
  return std::copysign(scaled_bessel_i(1, std::abs(x)), x);
}
inline double bessel_i0(double x) { return std::exp(std::abs(x)) * bessel_i0e(x); }
inline double bessel_i1(double x) { return std::exp(std::abs(x)) * bessel_i1e(x); }

// e^x K_nu(x) by the integral 10.32.9: the trapezoidal rule errs by less than 1e-16 where its step
// suits the width of the integrand.
inline double scaled_bessel_k_integral(double nu, double x) {
  const double step = x < 40 ? 9.8 / (40 + x) : 0.7 / std::sqrt(x);
  double sum = 0.5;
  double term = 1;
  for (int i = 1; term > 1e-17; i++) {
    const double t = i * step, half = std::sinh(t / 2);
    term = std::exp(-2 * x * half * half) * std::cosh(nu * t);
    sum += term;
  }
  return sum * step;
}

// The power series 10.31.1, for x <= 2.
inline double bessel_k_near(int order, double x) {
  const double square = x * x / 4;
  // psi is -gamma + 1 + 1/2 + ... + 1/k; the terms of I_order, with and without it.
  double psi = -kEulerGamma, psi_above = order == 0 ? psi : psi + 1;
  double term = 1, regular = 0, sum = 0;
  for (int k = 1; k < 30; k++) {
    regular += term;
    sum += term * (order == 0 ? psi : (psi + psi_above) / 2);
    term *= square / (static_cast<double>(k) * (k + order));
    psi += 1.0 / k;
    psi_above += 1.0 / (k + order);
  }
  const double logarithm = (std::log(x) - M_LN2);
  if (order == 0) return sum - logarithm * regular;
  return 1 / x + x / 2 * (logarithm * regular - sum);
}

inline double scaled_bessel_k(int order, double x) {
  if (x == 0) return std::numeric_limits<double>::infinity();
  if (!(x > 0)) return std::numeric_limits<double>::quiet_NaN();
  if (x <= 2) return std::exp(x) * bessel_k_near(order, x);
  return std::isinf(x) ? 0 : scaled_bessel_k_integral(order, x);
}
inline double bessel_k(int order, double x) {
  return x > 0 && x <= 2 ? bessel_k_near(order, x) : std::exp(-x) * scaled_bessel_k(order, x);
}

// ---- Ai ----------------------------------------------------------------------------------------

// Ai and its derivative at -12, -11, ..., 1.
constexpr double kAiry[][2] = {
    {-0.066555175054373129474, 1.0231104533679707299},
    {-0.00875958925570238129, -1.0273278736645794215},
    {0.040241238486443190689, 0.9962650441327900559},
    {-0.022133721547341403674, -0.97566398092633159471},
    {-0.052705050356386202622, 0.93556093819830655103},
    {0.18428083525050563728, -0.77100816841012654773},
    {-0.32914517362982310523, 0.34593548728134289493},
    {0.35076100902411431979, 0.32719281855444313679},
    {-0.070265532949289515099, -0.7906285753685813803},
    {-0.37881429367765807435, 0.31458376921659881365},
    {0.22740742820168557599, 0.61825902074169104141},
    {0.5355608832923521188, -0.010160567116645209395},
    {0.35502805388781723926, -0.25881940379280679841},
    {0.13529241631288141552, -0.15914744129679321279},
};

// Taylor's series around the nearest whole number, by the equation Ai'' = x Ai: 9.2.1.
inline double airy_near(double x) {
  const int center = static_cast<int>(std::lround(x));
  const double h = x - center;
  const double* start = kAiry[center + 12];
  double a = 0, b = start[0], c = start[1];  // the coefficients of h^(n-1), h^n and h^(n+1)
  double power = h, sum = b + c * h;
  for (int n = 0; n < 40; n++) {
    const double next = (center * b + a) / ((n + 1.0) * (n + 2.0));
    power *= h;
    sum += next * power;
    a = b;
    b = c;
    c = next;
  }
  return sum;
}

// The expansion 9.7.9 for x < -12.
inline double airy_oscillating(double x) {
  const double zeta = 2.0 / 3 * -x * std::sqrt(-x);
  double term = 1, even = 1, odd = 0;
  for (int k = 1; k < 40 && std::abs(term) > 1e-18; k++) {
    term *= (6.0 * k - 5) * (6.0 * k - 3) * (6.0 * k - 1) / ((2.0 * k - 1) * 216 * k * zeta);
    const double sign = k % 4 < 2 ? 1 : -1;
    (k % 2 == 0 ? even : odd) += sign * term;
  }
  const double c = std::cos(zeta), s = std::sin(zeta);  // of zeta - pi/4: (c + s), (s - c) / sqrt 2
  const double size = 1 / std::sqrt(2 * M_PI * std::sqrt(-x));
  return size * ((c + s) * even + (s - c) * odd);
}

inline double airy_ai(double x) {
  if (!std::isfinite(x)) return std::numeric_limits<double>::quiet_NaN();
  if (x < -12) return airy_oscillating(x);
  if (x < 1.5) return airy_near(x);
  if (x > 110) return 0;                           // below the smallest number
  const double zeta = 2.0 / 3 * x * std::sqrt(x);  // 9.6.2
  return std::sqrt(x / 3) / M_PI * std::exp(-zeta) * scaled_bessel_k_integral(1.0 / 3, zeta);
}

}  // namespace special
}  // namespace TORCHTS_ISA
}  // namespace torchts
