#include "image_ops.h"

#include <algorithm>
#include <cmath>

#include "image_isa.h"
#include "image_kernels.h"
#include "philox.h"

namespace torchts {
namespace {

TORCHTS_LOOP void add_share_loop(const uint8_t* __restrict part, float share, size_t count,
                                 float* __restrict sum) {
  for (size_t i = 0; i < count; i++) sum[i] += share * static_cast<float>(part[i]);
}
TORCHTS_FOR_EACH_ISA(add_share, add_share_loop)

TORCHTS_LOOP void clamp_sum_loop(const float* __restrict sum, size_t count,
                                 uint8_t* __restrict out) {
  for (size_t i = 0; i < count; i++) {
    out[i] = static_cast<uint8_t>(static_cast<int32_t>(std::min(std::max(sum[i], 0.0f), 255.0f)));
  }
}
TORCHTS_FOR_EACH_ISA(clamp_sum, clamp_sum_loop)

void run_mix(const ImageOp& op, ImageView in, uint8_t* out) {
  std::vector<float> sum(in.shape.size());
  add_share(in.data, static_cast<float>(op.number), sum.size(), sum.data());
  ImageScratch scratch;
  for (const ImageOp::Chain& chain : op.chains) {
    add_share(scratch.apply(chain.ops, in).data, chain.share, sum.size(), sum.data());
  }
  clamp_sum(sum.data(), sum.size(), out);
}

void run(const ImageOp& op, ImageView in, uint8_t* out) {
  switch (op.code) {
    case ImageOpCode::crop:
      return crop_image(in, op, out);
    case ImageOpCode::pad:
      return pad_image(in, op, out);
    case ImageOpCode::resize:
      return resize_image(in, op, out);
    case ImageOpCode::horizontal_flip:
      return flip_columns(in, out);
    case ImageOpCode::vertical_flip:
      return flip_rows(in, out);
    case ImageOpCode::rot90:
      return turn_image(in, op.whole, out);
    case ImageOpCode::affine:
      return affine_image(in, op, out);
    case ImageOpCode::perspective:
      return perspective_image(in, op, out);
    case ImageOpCode::brightness:
      return adjust_brightness(in, op.number, out);
    case ImageOpCode::contrast:
      return adjust_contrast(in, op.number, out);
    case ImageOpCode::saturation:
      return adjust_saturation(in, op.number, out);
    case ImageOpCode::hue:
      return adjust_hue(in, op.number, out);
    case ImageOpCode::sharpness:
      return adjust_sharpness(in, op.number, out);
    case ImageOpCode::grayscale:
      return gray_image(in, op.to.channels, op.arithmetic, out);
    case ImageOpCode::invert:
      return invert_image(in, out);
    case ImageOpCode::autocontrast:
      return autocontrast_image(in, out);
    case ImageOpCode::equalize:
      return equalize_image(in, out);
    case ImageOpCode::posterize:
      return posterize_image(in, op.whole, out);
    case ImageOpCode::solarize:
      return solarize_image(in, op.number, out);
    case ImageOpCode::gaussian_blur:
      return blur_image(in, op, out);
    case ImageOpCode::mix:
      return run_mix(op, in, out);
    case ImageOpCode::erase:
      return;  // of floats: erase_box
  }
}

// Number i of normal noise: four come from a block. Box and Muller, 1958.
float normal_noise(uint64_t key, uint64_t i) {
  constexpr double kTwoPi = 6.283185307179586;
  const PhiloxBlock block =
      philox_4x32_10({{static_cast<uint32_t>(i / 4), static_cast<uint32_t>(i >> 34), 0, 0}}, key);
  const size_t pair = i % 4 / 2 * 2;
  const double radius = std::sqrt(-2 * std::log((block.word[pair] + 1.0) * 0x1p-32));
  const double angle = kTwoPi * (block.word[pair + 1] * 0x1p-32);
  return static_cast<float>(radius * (i % 2 == 0 ? std::cos(angle) : std::sin(angle)));
}

}  // namespace

ImageView ImageScratch::apply(const std::vector<ImageOp>& ops, ImageView image) {
  for (const ImageOp& op : ops) {
    std::vector<uint8_t>& buffer = buffers_[next_];
    next_ = 1 - next_;
    buffer.resize(std::max(buffer.size(), op.to.size()));
    run(op, image, buffer.data());
    image = {op.to, buffer.data()};
  }
  return image;
}

void erase_box(const ImageOp& op, const ImageShape& shape, float* values) {
  uint64_t drawn = 0;
  for (int64_t c = 0; c < shape.channels; c++) {
    for (int64_t y = op.top; y < op.top + op.height; y++) {
      float* row = values + (c * shape.height + y) * shape.width + op.left;
      for (int64_t x = 0; x < op.width; x++) {
        row[x] = op.fill.empty() ? normal_noise(op.key, drawn++) : op.fill[c];
      }
    }
  }
}

}  // namespace torchts
