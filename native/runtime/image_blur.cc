// Blurs by two kernels, with the bits of a convolution by their product, as torchvision computes
// it: a term for each pixel of the kernel, row by row, every sum rounded once (fma). Sums along the
// rows and then along the columns take far fewer terms, but round otherwise, so they are a guess.
// Where it is so close to a half that its error could change the byte, the long sum is made.
#include <algorithm>
#include <cmath>
#include <memory>

#include "image_isa.h"
#include "image_kernels.h"

namespace torchts {
namespace {

constexpr int64_t kChunk = 64;  // columns that are summed together
constexpr int64_t kSums = 8;    // long sums that are made together

// out[x] = sum over k of kernel[k] * rows[k][x]
TORCHTS_LOOP void sum_rows_loop(const float* const* rows, const float* kernel, int64_t count,
                                int64_t width, float* __restrict out) {
  for (int64_t x = 0; x < width; x += kChunk) {
    float sum[kChunk] = {};
    const int64_t size = std::min(kChunk, width - x);
    for (int64_t k = 0; k < count; k++) {
      const float* row = rows[k] + x;
      const float weight = kernel[k];
      if (size == kChunk) {
        for (int64_t i = 0; i < kChunk; i++) sum[i] += weight * row[i];
      } else {
        for (int64_t i = 0; i < size; i++) sum[i] += weight * row[i];
      }
    }
    for (int64_t i = 0; i < size; i++) out[x + i] = sum[i];
  }
}
TORCHTS_FOR_EACH_ISA(sum_rows, sum_rows_loop)

TORCHTS_LOOP uint8_t to_byte(float value) {
  constexpr float kWhole = 12582912.0f;  // has no fractional bits: halves go to the even number
  return static_cast<uint8_t>(static_cast<int32_t>((std::min(value, 255.0f) + kWhole) - kWhole));
}

// Rounds guesses, none of them negative, and marks those within `error` of a half. Whether there
// are any.
TORCHTS_LOOP bool round_row_loop(const float* __restrict guess, int64_t width, float error,
                                 uint8_t* __restrict out, uint8_t* __restrict unsure) {
  uint8_t any = 0;
  for (int64_t x = 0; x < width; x++) {
    const float below = static_cast<float>(static_cast<int32_t>(guess[x]));
    const uint8_t close = std::fabs((guess[x] - below) - 0.5f) <= error ? 1 : 0;
    out[x] = to_byte(guess[x]);
    unsure[x] = close;
    any |= close;
  }
  return any != 0;
}
TORCHTS_FOR_EACH_ISA(round_row, round_row_loop)

// sum[i] of kernel (down, across) and the pixels from places[i] on.
TORCHTS_LOOP void long_sums_loop(const float* pixels, int64_t stride, const float* kernel,
                                 int64_t down, int64_t across, const int64_t* places, float* sums) {
  float sum[kSums] = {};
  for (int64_t y = 0; y < down; y++, pixels += stride) {
    for (int64_t x = 0; x < across; x++, kernel++) {
      for (int64_t i = 0; i < kSums; i++) sum[i] = std::fma(*kernel, pixels[places[i] + x], sum[i]);
    }
  }
  std::copy_n(sum, kSums, sums);
}
TORCHTS_FOR_EACH_ISA(long_sums, long_sums_loop)

int64_t reflected(int64_t at, int64_t length) {
  return at < 0 ? -at : at < length ? at : 2 * (length - 1) - at;
}

struct Kernels {
  const std::vector<float>&x, &y;
  std::vector<float> product;
  float error;  // of a guess, at most

  explicit Kernels(const ImageOp& op) : x(op.numbers), y(op.kernel_y), error(0) {
    for (const float down : y) {
      for (const float across : x) product.push_back(down * across);
    }
    error = static_cast<float>(most_error());
  }

  // Each rounding of a sum is off by half a last bit of it, and by less than what was added. So is
  // each product of weights, and each rounding of the guess.
  double most_error() const {
    constexpr double kHalfBit = 0x1p-24, kMost = 255.0;
    double whole = 0, error = 0;
    for (const float weight : product) {
      whole += weight;
      error += kMost * std::min<double>(kHalfBit * whole, weight);
    }
    const double terms = static_cast<double>(x.size() + y.size() + 4);
    return 1.01 * (error + kMost * kHalfBit * whole * terms) + 1e-6;
  }
};

// One channel after the other; memory for it.
class Blur {
 public:
  Blur(const ImageShape& shape, const ImageOp& op)
      : kernels_(op),
        height_(shape.height),
        width_(shape.width),
        across_(static_cast<int64_t>(op.numbers.size())),
        down_(static_cast<int64_t>(op.kernel_y.size())),
        stride_(width_ + across_ - 1),
        padded_(new float[static_cast<size_t>((height_ + down_ - 1) * stride_)]),
        along_(new float[static_cast<size_t>(height_ * width_)]),
        rows_(static_cast<size_t>(std::max(across_, down_))),
        guess_(static_cast<size_t>(width_)),
        unsure_(static_cast<size_t>(width_)) {}

  void run(const uint8_t* plane, uint8_t* out) {
    pad(plane);
    for (int64_t y = 0; y < height_; y++) {
      for (int64_t k = 0; k < across_; k++) rows_[k] = padded_row(y + down_ / 2) + k;
      sum_rows(rows_.data(), kernels_.x.data(), across_, width_, along_.get() + y * width_);
    }
    for (int64_t y = 0; y < height_; y++, out += width_) {
      for (int64_t k = 0; k < down_; k++) {
        rows_[k] = along_.get() + reflected(y + k - down_ / 2, height_) * width_;
      }
      sum_rows(rows_.data(), kernels_.y.data(), down_, width_, guess_.data());
      if (round_row(guess_.data(), width_, kernels_.error, out, unsure_.data())) make_sure(y, out);
    }
  }

 private:
  float* padded_row(int64_t y) { return padded_.get() + y * stride_; }

  void pad(const uint8_t* plane) {
    for (int64_t y = 0; y < height_ + down_ - 1; y++) {
      const uint8_t* row = plane + reflected(y - down_ / 2, height_) * width_;
      float* to = padded_row(y);
      const int64_t before = across_ / 2;
      for (int64_t x = 0; x < before; x++) to[x] = row[reflected(x - before, width_)];
      std::copy_n(row, width_, to + before);
      for (int64_t x = width_; x < width_ + before; x++) to[x + before] = row[reflected(x, width_)];
    }
  }

  void make_sure(int64_t y, uint8_t* out) {
    int64_t places[kSums];
    int64_t count = 0;
    for (int64_t x = 0; x < width_; x++) {
      if (unsure_[x] != 0) places[count++] = x;
      if (count == kSums || (x == width_ - 1 && count > 0)) {
        for (int64_t i = count; i < kSums; i++) places[i] = places[0];
        float sums[kSums];
        long_sums(padded_row(y), stride_, kernels_.product.data(), down_, across_, places, sums);
        for (int64_t i = 0; i < count; i++) out[places[i]] = to_byte(sums[i]);
        count = 0;
      }
    }
  }

  Kernels kernels_;
  int64_t height_, width_, across_, down_, stride_;
  std::unique_ptr<float[]> padded_, along_;
  std::vector<const float*> rows_;
  std::vector<float> guess_;
  std::vector<uint8_t> unsure_;
};

}  // namespace

void blur_image(ImageView in, const ImageOp& op, uint8_t* out) {
  Blur blur(in.shape, op);
  for (int64_t c = 0; c < in.shape.channels; c++) {
    blur.run(in.data + c * in.shape.area(), out + c * in.shape.area());
  }
}

}  // namespace torchts
