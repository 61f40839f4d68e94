// Ops that only move the pixels of an image.
#include <algorithm>
#include <cstring>

#include "image_isa.h"
#include "image_kernels.h"

namespace torchts {
namespace {

// A row of `out` from a row of `in`: columns [0, width) of the result show [left, left + width).
void crop_row(const uint8_t* in, int64_t in_width, int64_t left, int64_t width, uint8_t fill,
              uint8_t* out) {
  const int64_t first = std::clamp<int64_t>(-left, 0, width);
  const int64_t end = std::clamp<int64_t>(in_width - left, first, width);
  std::memset(out, fill, static_cast<size_t>(first));
  if (end > first) std::memcpy(out + first, in + left + first, static_cast<size_t>(end - first));
  std::memset(out + end, fill, static_cast<size_t>(width - end));
}

// A window of the image, `fill` outside of it.
void window(ImageView in, int64_t top, int64_t left, const ImageShape& to, const float* fill,
            uint8_t* out) {
  for (int64_t c = 0; c < in.shape.channels; c++) {
    const uint8_t byte = fill == nullptr ? 0 : static_cast<uint8_t>(fill[c]);
    for (int64_t y = 0; y < to.height; y++, out += to.width) {
      const int64_t row = top + y;
      if (row < 0 || row >= in.shape.height) {
        std::memset(out, byte, static_cast<size_t>(to.width));
      } else {
        const uint8_t* from = in.data + (c * in.shape.height + row) * in.shape.width;
        crop_row(from, in.shape.width, left, to.width, byte, out);
      }
    }
  }
}

TORCHTS_LOOP void reversed_loop(const uint8_t* __restrict in, int64_t width,
                                uint8_t* __restrict out) {
  for (int64_t x = 0; x < width; x++) out[x] = in[width - 1 - x];
}
TORCHTS_FOR_EACH_ISA(reversed, reversed_loop)

// Where a padded place comes from.
int64_t padded(int64_t at, int64_t length, PaddingMode mode) {
  if (mode == PaddingMode::edge) return std::clamp<int64_t>(at, 0, length - 1);
  const int64_t repeat = mode == PaddingMode::symmetric ? 1 : 0;
  if (at < 0) return -at - repeat;
  return at < length ? at : 2 * (length - 1) - at + repeat;
}

}  // namespace

void crop_image(ImageView in, const ImageOp& op, uint8_t* out) {
  window(in, op.top, op.left, op.to, nullptr, out);
}

void pad_image(ImageView in, const ImageOp& op, uint8_t* out) {
  if (op.mode == PaddingMode::constant) {
    window(in, -op.top, -op.left, op.to, op.fill.data(), out);
    return;
  }
  const int64_t height = in.shape.height, width = in.shape.width;
  for (int64_t c = 0; c < in.shape.channels; c++) {
    for (int64_t y = 0; y < op.to.height; y++) {
      const uint8_t* row = in.data + (c * height + padded(y - op.top, height, op.mode)) * width;
      for (int64_t x = 0; x < op.to.width; x++) *out++ = row[padded(x - op.left, width, op.mode)];
    }
  }
}

void reverse_row(const uint8_t* in, int64_t width, uint8_t* out) { reversed(in, width, out); }

void flip_columns(ImageView in, uint8_t* out) {
  const int64_t width = in.shape.width;
  for (int64_t row = 0; row < in.shape.channels * in.shape.height; row++) {
    reverse_row(in.data + row * width, width, out + row * width);
  }
}

void flip_rows(ImageView in, uint8_t* out) {
  const int64_t height = in.shape.height, width = in.shape.width;
  for (int64_t c = 0; c < in.shape.channels; c++) {
    for (int64_t y = 0; y < height; y++, out += width) {
      std::memcpy(out, in.data + (c * height + height - 1 - y) * width, static_cast<size_t>(width));
    }
  }
}

void turn_image(ImageView in, int64_t turns, uint8_t* out) {
  const int64_t height = in.shape.height, width = in.shape.width;
  for (int64_t c = 0; c < in.shape.channels; c++, out += height * width) {
    const uint8_t* plane = in.data + c * height * width;
    for (int64_t y = 0; y < height; y++) {
      for (int64_t x = 0; x < width; x++) {
        int64_t to = y * width + x;
        if (turns == 1) to = (width - 1 - x) * height + y;
        if (turns == 2) to = (height - 1 - y) * width + width - 1 - x;
        if (turns == 3) to = x * height + height - 1 - y;
        out[to] = plane[y * width + x];
      }
    }
  }
}

}  // namespace torchts
