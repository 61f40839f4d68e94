// The integers are those of src/engine/image-ops/resample.ts, Pillow's or PyTorch's.
#include "image_weights.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

namespace torchts {
namespace {

constexpr double kPi = 3.141592653589793;

double sinc(double x) { return x == 0 ? 1 : std::sin(x * kPi) / (x * kPi); }

// Keys' cubic.
double cubic(double x, double a) {
  const double d = std::fabs(x);
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
}

double linear(double x) { return std::max(0.0, 1 - std::fabs(x)); }

// Beyond `support` from its middle a filter is 0.
struct Filter {
  double support;
  double (*at)(double x);
};

Filter filter_of(Interpolation interpolation) {
  switch (interpolation) {
    case Interpolation::box:
      return {0.5, [](double x) { return x > -0.5 && x <= 0.5 ? 1.0 : 0.0; }};
    case Interpolation::hamming:
      return {1, [](double x) {
                const double d = std::fabs(x);
                if (d == 0) return 1.0;
                return d >= 1 ? 0 : sinc(d) * (0.54 + 0.46 * std::cos(d * kPi));
              }};
    case Interpolation::bicubic:
      return {2, [](double x) { return cubic(x, -0.5); }};
    case Interpolation::lanczos:
      return {3, [](double x) { return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0; }};
    default:
      return {1, linear};
  }
}

// Weights in floating point, before they are rounded together.
struct Shares {
  std::vector<int32_t> first, count;
  std::vector<double> values;
  int64_t most;

  Shares(int64_t outputs, int64_t most_inputs)
      : first(outputs), count(outputs), values(outputs * most_inputs), most(most_inputs) {}
};

// Where the image shrinks the filter widens.
Shares smooth_shares(int64_t inputs, int64_t outputs, const Filter& filter) {
  const double scale = static_cast<double>(inputs) / static_cast<double>(outputs);
  const double stretch = std::max(1.0, scale), reach = filter.support * stretch;
  Shares shares(outputs, 2 * static_cast<int64_t>(std::ceil(reach)) + 1);
  for (int64_t i = 0; i < outputs; i++) {
    const double middle = (i + 0.5) * scale;
    const int64_t start = std::max<int64_t>(0, static_cast<int64_t>(middle - reach + 0.5));
    const int64_t end = std::min(inputs, static_cast<int64_t>(middle + reach + 0.5));
    double* row = shares.values.data() + i * shares.most;
    double sum = 0;
    for (int64_t k = 0; k < end - start; k++) {
      row[k] = filter.at((k + start - middle + 0.5) * (1 / stretch));
      sum += row[k];
    }
    for (int64_t k = 0; k < end - start && sum != 0; k++) row[k] /= sum;
    shares.first[i] = static_cast<int32_t>(start);
    shares.count[i] = static_cast<int32_t>(end - start);
  }
  return shares;
}

// The two or four inputs around an output, whatever the step; those outside count for the last.
Shares sharp_shares(int64_t inputs, int64_t outputs, bool is_cubic) {
  const int64_t reach = is_cubic ? 2 : 1;
  const double scale = static_cast<double>(inputs) / static_cast<double>(outputs);
  Shares shares(outputs, 2 * reach);
  for (int64_t i = 0; i < outputs; i++) {
    const double middle = scale * (i + 0.5) - 0.5,
                 place = is_cubic ? middle : std::max(0.0, middle);
    const int64_t at = std::min(static_cast<int64_t>(std::floor(place)), inputs - 1);
    const double rest = std::clamp(place - static_cast<double>(at), 0.0, 1.0);
    const int64_t start = std::max<int64_t>(0, at - reach + 1);
    for (int64_t k = 0; k < 2 * reach; k++) {
      const double distance = static_cast<double>(k + 1 - reach) - rest;
      const double weight = is_cubic ? cubic(distance, -0.75) : linear(distance);
      const int64_t input = std::clamp<int64_t>(at - reach + 1 + k, 0, inputs - 1);
      shares.values[i * shares.most + input - start] += weight;
    }
    shares.first[i] = static_cast<int32_t>(start);
    shares.count[i] = static_cast<int32_t>(std::min(inputs, at + reach + 1) - start);
  }
  return shares;
}

Weights made_weights(int64_t inputs, int64_t outputs, const ImageOp& op) {
  constexpr int kMostBits = 22;
  const bool is_pil = op.arithmetic == Arithmetic::pil;
  Shares shares = is_pil || op.antialias
                      ? smooth_shares(inputs, outputs, filter_of(op.interpolation))
                      : sharp_shares(inputs, outputs, op.interpolation == Interpolation::bicubic);
  Weights result;
  result.bits = is_pil ? kMostBits : 0;
  const double greatest = *std::max_element(shares.values.begin(), shares.values.end());
  const auto fits = [&](int bits) {
    return static_cast<int64_t>(0.5 + greatest * static_cast<double>(1 << bits)) < 1 << 15;
  };
  while (result.bits < kMostBits && fits(result.bits + 1)) result.bits++;
  result.values.reserve(shares.values.size());
  for (const double value : shares.values) {
    const double share = value * static_cast<double>(1 << result.bits);
    result.values.push_back(static_cast<int32_t>(share < 0 ? share - 0.5 : share + 0.5));
  }
  result.first = std::move(shares.first);
  result.count = std::move(shares.count);
  result.most = shares.most;
  return result;
}

using Key = std::tuple<int64_t, int64_t, Interpolation, bool, Arithmetic>;

struct Remembered {
  Key key;
  std::shared_ptr<const Weights> weights;
};

constexpr size_t kMostRemembered = 1 << 16;  // numbers: a thread keeps what it remembers

}  // namespace

std::shared_ptr<const Weights> weights(int64_t inputs, int64_t outputs, const ImageOp& op) {
  thread_local std::array<Remembered, 4> remembered;
  thread_local size_t next = 0;
  const Key key{inputs, outputs, op.interpolation, op.antialias, op.arithmetic};
  for (const Remembered& each : remembered) {
    if (each.weights != nullptr && each.key == key) return each.weights;
  }
  auto made = std::make_shared<const Weights>(made_weights(inputs, outputs, op));
  if (made->values.size() <= kMostRemembered) {
    remembered[next] = {key, made};
    next = (next + 1) % remembered.size();
  }
  return made;
}

}  // namespace torchts
