// Ops on one image: src/engine/image-ops/op.ts says what they are, apply.ts beside it what
// they compute, bit by bit. Whatever is random about them was drawn in TypeScript.
#pragma once

#include <memory>
#include <vector>

#include "image.h"

namespace torchts {

enum class Interpolation { nearest, nearest_exact, box, bilinear, hamming, bicubic, lanczos };
enum class Arithmetic { pil, tensor };
enum class PaddingMode { constant, edge, reflect, symmetric };

// In the order of src/engine/native/encode-ops.ts.
enum class ImageOpCode {
  crop,
  pad,
  resize,
  horizontal_flip,
  vertical_flip,
  rot90,
  affine,
  perspective,
  brightness,
  contrast,
  saturation,
  hue,
  sharpness,
  grayscale,
  invert,
  autocontrast,
  equalize,
  posterize,
  solarize,
  gaussian_blur,
  mix,
  erase,
};
constexpr int kImageOpCodes = static_cast<int>(ImageOpCode::erase) + 1;

// Which members an op has depends on its code.
struct ImageOp {
  struct Chain {
    float share;
    std::vector<ImageOp> ops;
  };

  ImageOpCode code;
  ImageShape to;  // what it gives
  int64_t top = 0, left = 0, height = 0, width = 0;
  Interpolation interpolation = Interpolation::nearest;
  Arithmetic arithmetic = Arithmetic::tensor;
  PaddingMode mode = PaddingMode::constant;
  bool antialias = true;
  int64_t whole = 0;            // turns, bits
  double number = 0;            // a factor, a threshold, a share
  std::vector<float> numbers;   // a matrix, coefficients, a kernel along the columns
  std::vector<float> kernel_y;  // along the rows
  std::vector<float> fill;      // one number a channel; none where nothing is filled in
  uint64_t key = 0;             // of noise, where an erased box has no values
  std::vector<Chain> chains;
};

// What is done to one image of a batch: ops on its bytes, then boxes of its floats erased.
struct ImageWork {
  std::vector<ImageOp> ops, erase;
};

// Reads the work of one image of shape `from`: `values` as encode-ops.ts writes them. Throws
// std::invalid_argument for what makes no sense, and where the result is not of shape `to`.
ImageWork parse_work(const double* values, size_t count, const ImageShape& from,
                     const ImageShape& to);

// Memory that ops reuse from image to image.
class ImageScratch {
 public:
  // What `ops`, which were parsed for its shape, make of an image; valid until the next call.
  ImageView apply(const std::vector<ImageOp>& ops, ImageView image);

 private:
  std::vector<uint8_t> buffers_[2];
  int next_ = 0;
};

// Erases a box of (channels, height, width) floats.
void erase_box(const ImageOp& op, const ImageShape& shape, float* values);

}  // namespace torchts
