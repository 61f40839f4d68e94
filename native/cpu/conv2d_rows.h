// What the convolutions with vectors along the width of the output share (conv2d_rows.cc,
// conv2d_rows_bwd_weight.cc): few output channels, stride 1, one group, float32.
#pragma once

#include "conv2d.h"
#include "vec.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace conv2d_rows {

constexpr int64_t kGrain = 1 << 18;  // multiplications a thread
constexpr int kMaxChannels = 6;      // of a tile: with two vectors they fit 16 registers
constexpr int64_t kLane = kLanes<float>;

inline int64_t round_up(int64_t value, int64_t to) { return (value + to - 1) / to * to; }

// A correlation with stride 1: forward, or the gradient of x seen as one.
struct Correlation {
  int64_t batch, in_channels, in_height, in_width, out_channels, out_height, out_width;
  int64_t kernel_height, kernel_width, pad_top, pad_left;

  int64_t taps() const { return kernel_height * kernel_width; }
  // Rows below the image that the taps of the last output reach.
  int64_t pad_bottom() const {
    return std::max<int64_t>(out_height + kernel_height - 1 - pad_top - in_height, 0);
  }
  int64_t work() const {
    return batch * out_channels * out_height * out_width * in_channels * taps();
  }
};

inline Correlation forward_of(const Conv2d& s) {
  return {s.batch,     s.in_channels,   s.height,       s.width,      s.out_channels, s.out_height,
          s.out_width, s.kernel_height, s.kernel_width, s.padding[0], s.padding[1]};
}

// One image with `top` and `bottom` rows of zeros, zeros left and right of every row for as far as
// the taps reach, and a vector's width behind it.
struct PaddedImage {
  int64_t channels, height, width, top, left, rows, row;

  PaddedImage(const Correlation& s, int64_t top, int64_t bottom)
      : channels(s.in_channels),
        height(s.in_height),
        width(s.in_width),
        top(top),
        left(s.pad_left),
        rows(s.in_height + top + bottom),
        row(std::max(s.in_width + s.pad_left, s.out_width + s.kernel_width - 1)) {}

  bool is_padded() const { return rows > height || row > width; }
  int64_t elements() const { return round_up(channels * rows * row + kLane, 16); }

  // Once for all images that are copied to one place, whose padding stays.
  void clear(float* to) const { std::fill_n(to, elements(), 0.0f); }
  void copy(const float* x, float* to) const {
    to += top * row + left;
    for (int64_t c = 0; c < channels; c++, to += (rows - height) * row) {
      for (int64_t h = 0; h < height; h++, x += width, to += row) {
        for (int64_t q = 0; q < width; q += kLane) {
          store_lanes<float>(to + q, load_lanes(x + q, width - q), width - q);
        }
      }
    }
  }
};

inline bool is_simple(const KernelSpec& spec, const Conv2d& s) {
  for (int d = 0; d < 2; d++) {
    if (s.stride[d] != 1 || s.dilation[d] != 1) return false;
  }
  return spec.outputs[0].dtype == DType::float32 && s.groups == 1 && s.taps() > 1;
}

// Are lanes along a width of `columns` well filled?
inline bool fills_lanes(int64_t columns) { return 4 * columns >= 3 * round_up(columns, kLane); }

}  // namespace conv2d_rows
}  // namespace TORCHTS_ISA
}  // namespace torchts
