// The regularized incomplete gamma functions P(a, x) and Q(a, x) = 1 - P(a, x), in float64. By
// DLMF 8.11.4 (series of P), 8.9.2 (continued fraction of Q) and 8.12 (both near x = a, for large
// a, with the coefficients of DiDonato and Morris 1986).
#pragma once

#include <cmath>
#include <limits>

#include "vec.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace special {

struct GammaParts {
  double p, q;
};

// mu - log(1 + mu), with all its digits also at 0.
inline double minus_log1p(double mu) {
  if (std::abs(mu) > 0.3) return mu - std::log1p(mu);
  // log(1 + mu) = 2 (s + s^3 / 3 + ...) with s = mu / (2 + mu); and mu - 2 s = mu s.
  const double s = mu / (2 + mu);
  double power = s, sum = 0;
  for (int k = 3; k < 41; k += 2) {
    power *= s * s;
    sum += power / k;
  }
  return mu * s - 2 * sum;
}

// log Gamma(1 + a), with all its digits also at 0.
inline double log_gamma_plus_one(double a) {
  if (std::abs(a) > 1e-3) return std::lgamma(1 + a);
  constexpr double kEuler = 0.57721566490153286, kSecond = 0.82246703342411322;  // zeta(2) / 2
  constexpr double kThird = 0.40068563438653143, kFourth = 0.27058080842778454;  // zeta(k) / k
  constexpr double kFifth = 0.20738555102867399;
  return a * (-kEuler + a * (kSecond - a * (kThird - a * (kFourth - a * kFifth))));
}

// The factors of Stirling's series: Gamma(a) = sqrt(2 pi / a) (a / e)^a (g_0 + g_1 / a + ...).
constexpr double kStirling[] = {
    1.0,
    1.0 / 12,
    1.0 / 288,
    -139.0 / 51840,
    -571.0 / 2488320,
    163879.0 / 209018880,
    5246819.0 / 75246796800,
    -534703531.0 / 902961561600,
    -4483131259.0 / 86684309913600,
    432261921612371.0 / 514904800886784000,
    6232523202521089.0 / 86504006548979712000.0,
};

// x^a e^-x / Gamma(a + 1). For large a of Stirling's series, as its factors would overflow.
inline double gamma_density(double a, double x) {
  if (a < 15) return std::exp(a * std::log(x) - x - log_gamma_plus_one(a));
  double series = 0;
  for (int k = 10; k >= 0; k--) series = series / a + kStirling[k];
  return std::exp(-a * minus_log1p((x - a) / a)) / std::sqrt(2 * M_PI * a) / series;
}

// P by its series, whose terms are all positive; it is short where x is not far beyond a.
inline double gamma_series(double a, double x) {
  double term = 1, sum = 1;
  for (int n = 1; n < 2000 && term > sum * 1e-17; n++) {
    term *= x / (a + n);
    sum += term;
  }
  return sum * gamma_density(a, x);
}

// Q by its continued fraction, evaluated forwards (Lentz's method), for x > a.
inline double gamma_fraction(double a, double x) {
  constexpr double kTiny = 1e-300;
  double b = x + 1 - a, c = 1 / kTiny, d = 1 / b, value = d;
  for (int n = 1; n < 2000; n++) {
    const double numerator = -n * (n - a);
    b += 2;
    d = numerator * d + b;
    c = b + numerator / c;
    if (std::abs(d) < kTiny) d = kTiny;
    if (std::abs(c) < kTiny) c = kTiny;
    d = 1 / d;
    value *= d * c;
    if (std::abs(d * c - 1) < 1e-16) break;
  }
  return value * a * gamma_density(a, x);
}

// Q for small x by 1 - x^a / Gamma(a + 1) (1 + a sum_n (-x)^n / ((a + n) n!)), without the
// difference's loss of digits for small a.
inline double gamma_small(double a, double x) {
  double term = 1, sum = 0;
  for (int n = 1; n < 100 && std::abs(term) > 1e-18; n++) {
    term *= -x / n;
    sum += term / (a + n);
  }
  const double logarithm = a * std::log(x) - log_gamma_plus_one(a);
  return -std::expm1(logarithm) - std::exp(logarithm) * a * sum;
}

// Coefficients d[k][n] of the expansion in eta^n a^-k.
struct TemmeTable {
  static constexpr int kOrders = 10, kPowers = 26;
  double d[kOrders][kPowers];
};

constexpr TemmeTable make_temme_table() {
  constexpr int kCount = TemmeTable::kPowers + 2 * TemmeTable::kOrders + 2;
  // mu as a series in eta, where eta^2 / 2 = mu - log(1 + mu).
  double alpha[kCount] = {0, 1, 1.0 / 3};
  for (int n = 3; n < kCount; n++) {
    double sum = alpha[n - 1];
    for (int j = 2; j < n; j++) sum -= j * alpha[j] * alpha[n - j + 1];
    alpha[n] = sum / (n + 1);
  }
  TemmeTable table{};
  double above[kCount] = {}, row[kCount] = {};
  for (int k = 0; k < TemmeTable::kOrders; k++) {
    const int length = kCount - 2 - 2 * k;
    for (int n = 0; n < length; n++) {
      const double first = n == 0 ? -1.0 / 3 : (n + 2) * alpha[n + 2];
      const double factor = (k % 2 == 0 ? 1 : -1) * kStirling[k];
      row[n] = k == 0 ? first : factor * first + (n + 2) * above[n + 2];
    }
    for (int n = 0; n < length; n++) above[n] = row[n];
    for (int n = 0; n < TemmeTable::kPowers; n++) table.d[k][n] = row[n];
  }
  return table;
}

// Both for large a and x near it.
inline GammaParts gamma_uniform(double a, double x) {
  static constexpr TemmeTable kTable = make_temme_table();
  const double mu = (x - a) / a;
  const double half = minus_log1p(mu);  // eta^2 / 2
  const double eta = std::copysign(std::sqrt(2 * half), mu);
  double sum = 0;
  for (int k = TemmeTable::kOrders - 1; k >= 0; k--) {
    double inner = 0;
    for (int n = TemmeTable::kPowers - 1; n >= 0; n--) inner = inner * eta + kTable.d[k][n];
    sum = sum / a + inner;
  }
  const double rest = std::exp(-a * half) / std::sqrt(2 * M_PI * a) * sum;
  const double argument = eta * std::sqrt(a / 2);
  return {std::erfc(-argument) / 2 - rest, std::erfc(argument) / 2 + rest};
}

inline GammaParts incomplete_gamma(double a, double x) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  if (a < 0 || x < 0) return {kNaN, kNaN};
  if (a == 0) return x > 0 ? GammaParts{1, 0} : GammaParts{kNaN, kNaN};
  if (x == 0) return {0, 1};
  if (std::isinf(a)) return std::isinf(x) ? GammaParts{kNaN, kNaN} : GammaParts{0, 1};
  if (std::isinf(x)) return {1, 0};
  if (std::isnan(a) || std::isnan(x)) return {kNaN, kNaN};
  if (a > 20 && std::abs(x - a) < 0.3 * a) return gamma_uniform(a, x);
  if (x < 1.1 && a < 1.1 * x + 0.5) {
    const double q = gamma_small(a, x);
    return {a > x ? gamma_series(a, x) : 1 - q, q};
  }
  if (x <= a || x < 1.1) {
    const double p = gamma_series(a, x);
    return {p, 1 - p};
  }
  const double q = gamma_fraction(a, x);
  return {1 - q, q};
}

}  // namespace special
}  // namespace TORCHTS_ISA
}  // namespace torchts
