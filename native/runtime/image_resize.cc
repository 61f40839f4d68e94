// Resampling: each output is a weighted mean of the inputs below a filter, with integer weights;
// first along the rows, then along the columns, each result rounded to a byte. As
// src/engine/image-ops/resample.ts, whose integers are Pillow's or PyTorch's.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "image_isa.h"
#include "image_kernels.h"

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

// What each output is made of: `count` inputs from `first` on, with weights of `bits` fractional
// bits; `most` places are kept for the weights of each.
struct Weights {
  std::vector<int32_t> first, count, values;
  int64_t most = 0;
  int bits = 0;
};

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

Weights weights(int64_t inputs, int64_t outputs, const ImageOp& op) {
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

inline uint8_t to_byte(int32_t sum, int bits) {
  return static_cast<uint8_t>(std::clamp(sum >> bits, 0, 255));
}

constexpr int64_t kRows = 16;  // that are resampled together, so that a vector holds one column

// `in` is (width, kRows), `out` (outputs, kRows).
TORCHTS_LOOP void resample_columns_loop(const uint8_t* __restrict in, const int32_t* first,
                                        const int32_t* count, const int32_t* values, int64_t most,
                                        int bits, int64_t outputs, uint8_t* __restrict out) {
  for (int64_t i = 0; i < outputs; i++, out += kRows) {
    int32_t sum[kRows];
    for (int64_t r = 0; r < kRows; r++) sum[r] = (1 << bits) >> 1;
    const uint8_t* from = in + first[i] * kRows;
    for (int32_t k = 0; k < count[i]; k++, from += kRows) {
      const int32_t weight = values[i * most + k];
      for (int64_t r = 0; r < kRows; r++) sum[r] += weight * from[r];
    }
    for (int64_t r = 0; r < kRows; r++) out[r] = to_byte(sum[r], bits);
  }
}
TORCHTS_FOR_EACH_ISA(resample_columns, resample_columns_loop)

// A row of `width` of the weighted sum of `count` rows.
TORCHTS_LOOP void resample_rows_loop(const uint8_t* __restrict in, int64_t stride,
                                     const int32_t* values, int32_t count, int bits, int64_t width,
                                     int32_t* __restrict sum, uint8_t* __restrict out) {
  for (int64_t x = 0; x < width; x++) sum[x] = (1 << bits) >> 1;
  for (int32_t k = 0; k < count; k++, in += stride) {
    const int32_t weight = values[k];
    for (int64_t x = 0; x < width; x++) sum[x] += weight * in[x];
  }
  for (int64_t x = 0; x < width; x++) out[x] = to_byte(sum[x], bits);
}
TORCHTS_FOR_EACH_ISA(resample_rows, resample_rows_loop)

// (rows, columns) of bytes, to be resampled along its rows; the rows lie `stride` apart.
void along_rows(const uint8_t* in, int64_t rows, int64_t columns, int64_t stride, const Weights& by,
                uint8_t* out) {
  const int64_t outputs = static_cast<int64_t>(by.first.size());
  std::vector<uint8_t> block(static_cast<size_t>(columns * kRows));
  std::vector<uint8_t> made(static_cast<size_t>(outputs * kRows));
  for (int64_t begin = 0; begin < rows; begin += kRows) {
    const int64_t count = std::min(kRows, rows - begin);
    for (int64_t r = 0; r < count; r++) {
      const uint8_t* row = in + (begin + r) * stride;
      for (int64_t x = 0; x < columns; x++) block[x * kRows + r] = row[x];
    }
    resample_columns(block.data(), by.first.data(), by.count.data(), by.values.data(), by.most,
                     by.bits, outputs, made.data());
    for (int64_t r = 0; r < count; r++) {
      uint8_t* row = out + (begin + r) * outputs;
      for (int64_t x = 0; x < outputs; x++) row[x] = made[x * kRows + r];
    }
  }
}

// (rows, width) to (outputs, width); the rows lie `stride` apart.
void along_columns(const uint8_t* in, int64_t stride, int64_t width, const Weights& by,
                   uint8_t* out) {
  std::vector<int32_t> sum(static_cast<size_t>(width));
  for (size_t i = 0; i < by.first.size(); i++, out += width) {
    resample_rows(in + by.first[i] * stride, stride, by.values.data() + i * by.most, by.count[i],
                  by.bits, width, sum.data(), out);
  }
}

void smooth_resize(ImageView in, const ImageOp& op, uint8_t* out) {
  const bool across = op.width != op.to.width, down = op.height != op.to.height;
  const Weights columns = across ? weights(op.width, op.to.width, op) : Weights{};
  const Weights rows = down ? weights(op.height, op.to.height, op) : Weights{};
  std::vector<uint8_t> between(across && down ? static_cast<size_t>(op.height * op.to.width) : 0);
  for (int64_t c = 0; c < in.shape.channels; c++, out += op.to.area()) {
    const uint8_t* from = in.data + (c * in.shape.height + op.top) * in.shape.width + op.left;
    int64_t stride = in.shape.width;
    if (across) {
      uint8_t* to = down ? between.data() : out;
      along_rows(from, op.height, op.width, stride, columns, to);
      from = to;
      stride = op.to.width;
    }
    if (down) {
      along_columns(from, stride, op.to.width, rows, out);
    } else if (!across) {
      for (int64_t y = 0; y < op.height; y++) {
        std::memcpy(out + y * op.width, from + y * stride, static_cast<size_t>(op.width));
      }
    }
  }
}

// Which input each output shows.
std::vector<int64_t> nearest_places(int64_t inputs, int64_t outputs, const ImageOp& op) {
  std::vector<int64_t> places(static_cast<size_t>(outputs));
  const double step = static_cast<double>(inputs) / static_cast<double>(outputs);
  const float scale = static_cast<float>(step);
  const float shift = op.interpolation == Interpolation::nearest_exact ? 0.5f : 0.0f;
  // Pillow adds the steps one by one: where a sum falls on an edge, rounding decides.
  double middle = step * 0.5;
  for (int64_t i = 0; i < outputs; i++, middle += step) {
    const double place = op.arithmetic == Arithmetic::pil
                             ? middle
                             : static_cast<double>((static_cast<float>(i) + shift) * scale);
    places[i] = std::min(inputs - 1, static_cast<int64_t>(place));
  }
  return places;
}

void nearest_resize(ImageView in, const ImageOp& op, uint8_t* out) {
  const std::vector<int64_t> rows = nearest_places(op.height, op.to.height, op);
  const std::vector<int64_t> columns = nearest_places(op.width, op.to.width, op);
  for (int64_t c = 0; c < in.shape.channels; c++) {
    for (const int64_t y : rows) {
      const uint8_t* row = in.data + (c * in.shape.height + op.top + y) * in.shape.width + op.left;
      for (const int64_t x : columns) *out++ = row[x];
    }
  }
}

}  // namespace

void resize_image(ImageView in, const ImageOp& op, uint8_t* out) {
  const bool is_nearest = op.interpolation == Interpolation::nearest ||
                          op.interpolation == Interpolation::nearest_exact;
  (is_nearest ? nearest_resize : smooth_resize)(in, op, out);
}

}  // namespace torchts
