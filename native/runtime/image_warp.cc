// Ops that read an image at other places. Places are float32, from -1 to 1 over the image, with the
// roundings of torchvision's grids and of PyTorch's grid_sample.
#include <algorithm>
#include <cmath>

#include "image_kernels.h"

namespace torchts {
namespace {

// One row of (x, y) -> a x + b y + c.
struct Plane {
  float a, b, c;

  float at(float x, float y) const { return (x * a + y * b) + c; }
  Plane over(float by) const { return {a / by, b / by, c / by}; }
};

// From [-1, 1] over `size` pixels to the middle of a pixel.
float unnormalized(float place, float size) { return (place + 1.0f) * (size / 2.0f) - 0.5f; }

uint8_t rounded(float value) {
  return static_cast<uint8_t>(std::min(std::max(std::nearbyint(value), 0.0f), 255.0f));
}

// The pixels around a place, and their shares; one share where the nearest is taken.
struct Taps {
  int64_t at[4];
  float share[4];
  int count = 0;
  float mask = 0;

  void add(float x, float y, float part, const ImageShape& shape) {
    // NaN fails this too.
    if (!(x >= 0 && y >= 0 && x < static_cast<float>(shape.width) &&
          y < static_cast<float>(shape.height))) {
      return;
    }
    at[count] = static_cast<int64_t>(y) * shape.width + static_cast<int64_t>(x);
    share[count++] = part;
    mask += part;
  }
};

Taps taps_at(float x, float y, const ImageShape& shape, Interpolation interpolation) {
  Taps taps;
  if (interpolation == Interpolation::nearest) {
    taps.add(std::nearbyint(x), std::nearbyint(y), 1.0f, shape);
    return taps;
  }
  const float left = std::floor(x), top = std::floor(y);
  const float w = x - left, n = y - top, e = 1.0f - w, s = 1.0f - n;
  taps.add(left, top, e * s, shape);
  taps.add(left + 1.0f, top, w * s, shape);
  taps.add(left, top + 1.0f, e * n, shape);
  taps.add(left + 1.0f, top + 1.0f, w * n, shape);
  return taps;
}

uint8_t sampled(const uint8_t* plane, const Taps& taps, const ImageOp& op, int64_t channel) {
  float value = 0;
  for (int i = 0; i < taps.count; i++) {
    // A product of a byte is exact enough for two roundings to be one.
    value = static_cast<float>(static_cast<double>(taps.share[i]) * plane[taps.at[i]] +
                               static_cast<double>(value));
  }
  if (op.fill.empty()) return rounded(value);
  const float fill = op.fill[channel];
  if (op.interpolation == Interpolation::nearest) return rounded(taps.mask < 0.5f ? fill : value);
  return rounded((value - fill) * taps.mask + fill);
}

template <class PlaceOf>
void warp(ImageView in, const ImageOp& op, const PlaceOf& place_of, uint8_t* out) {
  const int64_t area = op.to.area();
  for (int64_t y = 0; y < op.to.height; y++) {
    for (int64_t x = 0; x < op.to.width; x++, out++) {
      const auto [u, v] = place_of(static_cast<float>(x), static_cast<float>(y));
      const Taps taps = taps_at(u, v, in.shape, op.interpolation);
      for (int64_t c = 0; c < in.shape.channels; c++) {
        out[c * area] = sampled(in.data + c * in.shape.area(), taps, op, c);
      }
    }
  }
}

}  // namespace

void affine_image(ImageView in, const ImageOp& op, uint8_t* out) {
  const float width = static_cast<float>(in.shape.width),
              height = static_cast<float>(in.shape.height);
  const std::vector<float>& m = op.numbers;
  const Plane across = Plane{m[0], m[1], m[2]}.over(0.5f * width);
  const Plane down = Plane{m[3], m[4], m[5]}.over(0.5f * height);
  const float middle_x = static_cast<float>(op.to.width - 1) * 0.5f;
  const float middle_y = static_cast<float>(op.to.height - 1) * 0.5f;
  const auto place_of = [=](float column, float row) {
    const float x = column - middle_x, y = row - middle_y;
    return std::pair{unnormalized(across.at(x, y), width), unnormalized(down.at(x, y), height)};
  };
  warp(in, op, place_of, out);
}

void perspective_image(ImageView in, const ImageOp& op, uint8_t* out) {
  const float width = static_cast<float>(in.shape.width),
              height = static_cast<float>(in.shape.height);
  const std::vector<float>& m = op.numbers;
  const Plane across = Plane{m[0], m[1], m[2]}.over(0.5f * width);
  const Plane down = Plane{m[3], m[4], m[5]}.over(0.5f * height);
  const Plane below{m[6], m[7], 1.0f};
  const auto place_of = [=](float column, float row) {
    const float x = column + 0.5f, y = row + 0.5f, by = below.at(x, y);
    return std::pair{unnormalized(across.at(x, y) / by - 1.0f, width),
                     unnormalized(down.at(x, y) / by - 1.0f, height)};
  };
  warp(in, op, place_of, out);
}

}  // namespace torchts
