// Ops that make a pixel of its neighbours.
#include <algorithm>
#include <cmath>

#include "image_isa.h"
#include "image_kernels.h"

namespace torchts {
namespace {

// The inner pixels of a row, between the image and its mean over 3 x 3 pixels, rounded.
TORCHTS_LOOP void sharpen_row_loop(const uint8_t* __restrict above, const uint8_t* __restrict row,
                                   const uint8_t* __restrict below, int64_t width, float rest,
                                   uint8_t* __restrict out) {
  for (int64_t x = 1; x < width - 1; x++) {
    const int32_t sum = above[x - 1] + above[x] + above[x + 1] + row[x - 1] + 5 * row[x] +
                        row[x + 1] + below[x - 1] + below[x] + below[x + 1];
    const int32_t blurred = (2 * sum + 13) / 26;
    const float value = std::fma(rest, static_cast<float>(blurred - row[x]), row[x]);
    out[x] = static_cast<uint8_t>(static_cast<int32_t>(std::min(std::max(value, 0.0f), 255.0f)));
  }
}
TORCHTS_FOR_EACH_ISA(sharpen_row, sharpen_row_loop)

// sum[i] += weight * values[i], rounded once.
TORCHTS_LOOP void add_weighted_loop(const float* __restrict values, float weight, int64_t count,
                                    float* __restrict sum) {
  for (int64_t i = 0; i < count; i++) sum[i] = std::fma(weight, values[i], sum[i]);
}
TORCHTS_FOR_EACH_ISA(add_weighted, add_weighted_loop)

TORCHTS_LOOP void round_row_loop(const float* __restrict values, int64_t count,
                                 uint8_t* __restrict out) {
  for (int64_t i = 0; i < count; i++) {
    const float value = std::nearbyint(values[i]);
    out[i] = static_cast<uint8_t>(static_cast<int32_t>(std::min(std::max(value, 0.0f), 255.0f)));
  }
}
TORCHTS_FOR_EACH_ISA(round_row, round_row_loop)

int64_t reflected(int64_t at, int64_t length) {
  return at < 0 ? -at : at < length ? at : 2 * (length - 1) - at;
}

}  // namespace

void adjust_sharpness(ImageView in, double factor, uint8_t* out) {
  const int64_t height = in.shape.height, width = in.shape.width;
  std::copy_n(in.data, in.shape.size(), out);
  if (height <= 2 || width <= 2) return;
  const float rest = static_cast<float>(1.0 - factor);
  for (int64_t c = 0; c < in.shape.channels; c++) {
    for (int64_t y = 1; y < height - 1; y++) {
      const int64_t at = (c * height + y) * width;
      const uint8_t* row = in.data + at;
      sharpen_row(row - width, row, row + width, width, rest, out + at);
    }
  }
}

void blur_image(ImageView in, const ImageOp& op, uint8_t* out) {
  const int64_t height = in.shape.height, width = in.shape.width;
  const int64_t across = static_cast<int64_t>(op.numbers.size()),
                down = static_cast<int64_t>(op.kernel_y.size());
  std::vector<float> padded(static_cast<size_t>(width + across - 1));
  std::vector<float> rows(static_cast<size_t>(height * width));
  std::vector<float> sum(static_cast<size_t>(width));
  for (int64_t c = 0; c < in.shape.channels; c++) {
    std::fill(rows.begin(), rows.end(), 0.0f);
    for (int64_t y = 0; y < height; y++) {
      const uint8_t* row = in.data + (c * height + y) * width;
      for (int64_t i = 0; i < width + across - 1; i++) {
        padded[i] = row[reflected(i - across / 2, width)];
      }
      for (int64_t k = 0; k < across; k++) {
        add_weighted(padded.data() + k, op.numbers[k], width, rows.data() + y * width);
      }
    }
    for (int64_t y = 0; y < height; y++) {
      std::fill(sum.begin(), sum.end(), 0.0f);
      for (int64_t k = 0; k < down; k++) {
        const float* row = rows.data() + reflected(y + k - down / 2, height) * width;
        add_weighted(row, op.kernel_y[k], width, sum.data());
      }
      round_row(sum.data(), width, out + (c * height + y) * width);
    }
  }
}

}  // namespace torchts
