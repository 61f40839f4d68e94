// Functions of one number that libm lacks, computed in float64. The formulas are those of
// Abramowitz and Stegun, "Handbook of Mathematical Functions": 6.3 (digamma), 7.1 (erf), 23.2
// (zeta), 26.2 (the normal distribution).
#pragma once

#include <cmath>
#include <limits>

namespace torchts {
inline namespace TORCHTS_ISA {
namespace special {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

inline double log_gamma(double x) {
  int sign;  // std::lgamma writes it to a global variable
  return ::lgamma_r(x, &sign);
}

// The inverse of erf: a guess within 1e-2 (Winitzki 2008), then two of Halley's steps.
inline double erfinv(double x) {
  const double size = std::abs(x), left = 1 - size;
  if (!(size < 1)) return size == 1 ? std::copysign(kInfinity, x) : kNaN;
  if (size == 0) return x;
  const double kShape = 0.147;
  const double logarithm = std::log(left * (1 + size));
  const double half = 2 / (M_PI * kShape) + logarithm / 2;
  double y = std::sqrt(std::sqrt(half * half - logarithm / kShape) - half);
  for (int i = 0; i < 2; i++) {
    // Near 1 only what is left of it has digits.
    const double error = size < 0.5 ? std::erf(y) - size : left - std::erfc(y);
    const double step = error * std::sqrt(M_PI) / 2 * std::exp(y * y);
    y -= step / (1 + y * step);
  }
  return std::copysign(y, x);
}

// e^(x^2) erfc(x), which neither overflows nor loses digits for large x: 7.1.23.
inline double erfcx(double x) {
  if (x < 0) return 2 * std::exp(x * x) - erfcx(-x);
  if (x > 12) {
    const double half = 0.5 / (x * x);
    double term = 1, sum = 1;
    for (int k = 1; k < 12; k++) {
      term *= -(2 * k - 1) * half;
      sum += term;
    }
    return sum / (x * std::sqrt(M_PI));
  }
  // What rounding x^2 loses is given back.
  const double square = x * x;
  return std::exp(square) * (1 + std::fma(x, x, -square)) * std::erfc(x);
}

// The inverse of the normal distribution's cumulative function. In the middle by erfinv; in the
// tails 26.2.23, good to 5e-4, and two of Halley's steps.
inline double ndtri(double p) {
  if (!(p > 0 && p < 1)) return p == 0 ? -kInfinity : p == 1 ? kInfinity : kNaN;
  if (std::abs(p - 0.5) < 0.25) return std::sqrt(2) * erfinv(2 * p - 1);
  const double tail = p < 0.5 ? p : 1 - p;
  const double logarithm = std::log(tail), t = std::sqrt(-2 * logarithm);
  double x = t - (2.515517 + t * (0.802853 + t * 0.010328)) /
                     (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
  for (int i = 0; i < 2; i++) {
    // The tail over the density, e^(x^2/2) erfc(x/sqrt 2), does not underflow.
    const double mills = std::sqrt(M_PI / 2) * erfcx(x * M_SQRT1_2);
    const double excess = mills - std::sqrt(2 * M_PI) * std::exp(x * x / 2 + logarithm);
    x += excess / (1 - x * excess / 2);
  }
  return p < 0.5 ? -x : x;
}

// Bernoulli numbers B_2, B_4, ... B_24.
constexpr double kBernoulli[] = {
    1.0 / 6, -1.0 / 30,     1.0 / 42,      -1.0 / 30,       5.0 / 66,       -691.0 / 2730,
    7.0 / 6, -3617.0 / 510, 43867.0 / 798, -174611.0 / 330, 854513.0 / 138, -236364091.0 / 2730};

// The derivative of log_gamma. At 0 it is infinite with the sign that -x has.
inline double digamma(double x) {
  if (x == 0) return std::copysign(kInfinity, -x);
  if (x == -kInfinity || (x < 0 && x == std::floor(x))) return kNaN;
  if (x < 0) return digamma(1 - x) - M_PI / std::tan(M_PI * std::fmod(x, 1.0));
  double sum = 0;
  for (; x < 10; x += 1) sum -= 1 / x;
  if (x == kInfinity) return x;
  const double square = 1 / (x * x);
  double power = square, series = 0;
  for (int k = 0; k < 7; k++, power *= square) series += kBernoulli[k] / (2 * k + 2) * power;
  return sum + std::log(x) - 0.5 / x - series;
}

// Hurwitz's zeta function, sum over k >= 0 of (q + k)^-s, by Euler and Maclaurin's formula.
inline double zeta(double s, double q) {
  if (std::isnan(s) || std::isnan(q) || s < 1) return kNaN;
  if (s == 1) return kInfinity;
  if (q == kInfinity) return 0;
  if (q <= 0 && q == std::floor(q)) return kInfinity;
  if (q <= 0 && s != std::floor(s)) return kNaN;
  double at = q, term = std::pow(q, -s), sum = term;
  for (int k = 0; k < 9 || at <= 9; k++) {
    at += 1;
    term = std::pow(at, -s);
    sum += term;
    if (std::abs(term) < std::numeric_limits<double>::epsilon() * std::abs(sum)) return sum;
  }
  if (term == 0) return sum;  // the rest is smaller still
  sum += term * at / (s - 1) - term / 2;
  double factor = s, divisor = 2;  // of the derivatives, and (2k)!
  for (int k = 0; k < 12; k++) {
    term /= at;
    sum += kBernoulli[k] / divisor * factor * term;
    factor *= (s + 2 * k + 1) * (s + 2 * k + 2);
    divisor *= (2 * k + 3.0) * (2 * k + 4.0);
    term /= at;
  }
  return sum;
}

}  // namespace special
}  // namespace TORCHTS_ISA
}  // namespace torchts
