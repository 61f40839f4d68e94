// Sharpness: what makes a pixel of its eight neighbours.
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

}  // namespace torchts
