// Ops that read an image at other places. Places are float32, from -1 to 1 over the image, with the
// roundings of torchvision's grids and of PyTorch's grid_sample. A row is made in blocks: places,
// then what is read there and with which shares, then each channel. Channels are read from planes
// with a margin, so that nothing outside the image needs a branch.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "image_isa.h"
#include "image_kernels.h"

namespace torchts {
namespace {

constexpr int32_t kMargin = 2;      // on every side: what lies outside is read at its corner
constexpr int32_t kBlock = 128;     // pixels of a row
constexpr int64_t kMostPlanes = 4;  // that are read at the same time

// One row of (x, y) -> a x + b y + c.
struct Plane {
  float a, b, c;

  Plane over(float by) const { return {a / by, b / by, c / by}; }
};

TORCHTS_LOOP float value_at(const Plane& plane, float x, float y) {
  return (x * plane.a + y * plane.b) + plane.c;
}

// Where a pixel of the result comes from.
struct Map {
  Plane across, down, below;
  float shift_x, shift_y;  // added to a column and a row first
  bool divides;            // by `below`
  float width, height;     // of the image

  Map(const ImageShape& from, const std::vector<float>& m, bool is_perspective)
      : across(Plane{m[0], m[1], m[2]}.over(0.5f * static_cast<float>(from.width))),
        down(Plane{m[3], m[4], m[5]}.over(0.5f * static_cast<float>(from.height))),
        below(is_perspective ? Plane{m[6], m[7], 1.0f} : Plane{}),
        shift_x(0.5f),
        shift_y(0.5f),
        divides(is_perspective),
        width(static_cast<float>(from.width)),
        height(static_cast<float>(from.height)) {}
};

// From [-1, 1] over `size` pixels to the middle of a pixel.
TORCHTS_LOOP float unnormalized(float place, float size) {
  return (place + 1.0f) * (size / 2.0f) - 0.5f;
}

// To the nearest whole number, halves to the even one, of less than 2^22.
TORCHTS_LOOP float rounded(float value) {
  constexpr float kWhole = 12582912.0f;  // has no fractional bits
  return (value + kWhole) - kWhole;
}

TORCHTS_LOOP uint8_t to_byte(float value) {
  return static_cast<uint8_t>(
      static_cast<int32_t>(rounded(std::min(std::max(value, 0.0f), 255.0f))));
}

// A block of a row: u and v are columns and rows of the image.
struct Block {
  float u[kBlock], v[kBlock];
  int32_t at[kBlock];  // of the first pixel, in a plane with its margin
  float share[4][kBlock];
  float mask[kBlock];  // the sum of the shares inside the image
  uint16_t upper[kBlock], lower[kBlock];
};

TORCHTS_LOOP void place_block_loop(const Map& map, int32_t first, int32_t row, int32_t count,
                                   Block& to) {
  const float y = static_cast<float>(row) + map.shift_y;
  for (int32_t i = 0; i < count; i++) {
    const float x = static_cast<float>(first + i) + map.shift_x;
    float u = value_at(map.across, x, y), v = value_at(map.down, x, y);
    if (map.divides) {
      const float by = value_at(map.below, x, y);
      u = u / by - 1.0f;
      v = v / by - 1.0f;
    }
    to.u[i] = unnormalized(u, map.width);
    to.v[i] = unnormalized(v, map.height);
  }
}
TORCHTS_FOR_EACH_ISA(place_block, place_block_loop)

TORCHTS_LOOP int32_t in_margin(int32_t x, int32_t y, int32_t stride) {
  return (y + kMargin) * stride + x + kMargin;
}

// Whether any pixel of the image may be seen there; not where NaN is.
TORCHTS_LOOP bool is_near(const Map& map, float u, float v) {
  return (u >= -1.0f) & (u <= map.width) & (v >= -1.0f) & (v <= map.height);
}

TORCHTS_LOOP void nearest_block_loop(const Map& map, int32_t stride, int32_t count, Block& block) {
  for (int32_t i = 0; i < count; i++) {
    const bool near = is_near(map, block.u[i], block.v[i]);
    const float u = near ? block.u[i] : -2.0f, v = near ? block.v[i] : -2.0f;
    block.at[i] =
        in_margin(static_cast<int32_t>(rounded(u)), static_cast<int32_t>(rounded(v)), stride);
  }
}
TORCHTS_FOR_EACH_ISA(nearest_block, nearest_block_loop)

TORCHTS_LOOP int32_t floor_of(float value) {
  const int32_t whole = static_cast<int32_t>(value);
  return whole - (static_cast<float>(whole) > value ? 1 : 0);
}

TORCHTS_LOOP void bilinear_block_loop(const Map& map, int32_t stride, int32_t count, Block& block) {
  const int32_t right = static_cast<int32_t>(map.width) - 1;
  const int32_t bottom = static_cast<int32_t>(map.height) - 1;
  for (int32_t i = 0; i < count; i++) {
    const bool near = is_near(map, block.u[i], block.v[i]);
    const float u = near ? block.u[i] : -2.0f, v = near ? block.v[i] : -2.0f;
    const int32_t x = floor_of(u), y = floor_of(v);
    const float w = u - static_cast<float>(x), n = v - static_cast<float>(y);
    const float e = 1.0f - w, s = 1.0f - n;
    block.at[i] = in_margin(x, y, stride);
    block.share[0][i] = e * s;
    block.share[1][i] = w * s;
    block.share[2][i] = e * n;
    block.share[3][i] = w * n;
    const bool has_left = (x >= 0) & (x <= right), has_right = (x >= -1) & (x < right);
    const bool has_top = (y >= 0) & (y <= bottom), has_bottom = (y >= -1) & (y < bottom);
    float mask = has_left & has_top ? e * s : 0.0f;
    mask += has_right & has_top ? w * s : 0.0f;
    mask += has_left & has_bottom ? e * n : 0.0f;
    mask += has_right & has_bottom ? w * n : 0.0f;
    block.mask[i] = mask;
  }
}
TORCHTS_FOR_EACH_ISA(bilinear_block, bilinear_block_loop)

// Outside the image bytes are 0, and add nothing. `fill` is null where none is blended in.
TORCHTS_LOOP void blend_block_loop(const uint8_t* plane, int32_t stride, const float* fill,
                                   int32_t count, Block& block, uint8_t* __restrict out) {
  for (int32_t i = 0; i < count; i++) {
    std::memcpy(block.upper + i, plane + block.at[i], 2);
    std::memcpy(block.lower + i, plane + block.at[i] + stride, 2);
  }
  const float colour = fill == nullptr ? 0.0f : *fill;
  for (int32_t i = 0; i < count; i++) {
    const int32_t upper = block.upper[i], lower = block.lower[i];
    float value = block.share[0][i] * static_cast<float>(upper & 255);
    value = std::fma(block.share[1][i], static_cast<float>(upper >> 8), value);
    value = std::fma(block.share[2][i], static_cast<float>(lower & 255), value);
    value = std::fma(block.share[3][i], static_cast<float>(lower >> 8), value);
    const float filled = (value - colour) * block.mask[i] + colour;
    out[i] = to_byte(fill == nullptr ? value : filled);
  }
}
TORCHTS_FOR_EACH_ISA(blend_block, blend_block_loop)

// Some planes of an image, each with `fills` of its own around it.
class Margined {
 public:
  Margined(ImageView in, int64_t first, int64_t count, const uint8_t* fills)
      : stride_(in.shape.width + 2 * kMargin),
        size_(stride_ * (in.shape.height + 2 * kMargin)),
        bytes_(new uint8_t[static_cast<size_t>(count * size_)]) {
    for (int64_t p = 0; p < count; p++) {
      uint8_t* to = bytes_.get() + p * size_;
      const uint8_t* from = in.data + (first + p) * in.shape.area();
      const size_t margin = static_cast<size_t>(kMargin * stride_ + kMargin);
      std::memset(to, fills[p], margin);
      to += margin;
      for (int64_t y = 0; y < in.shape.height; y++, from += in.shape.width, to += stride_) {
        std::memcpy(to, from, static_cast<size_t>(in.shape.width));
        std::memset(to + in.shape.width, fills[p], 2 * kMargin);
      }
      std::memset(to, fills[p], margin - 2 * kMargin);
    }
  }

  int32_t stride() const { return static_cast<int32_t>(stride_); }
  const uint8_t* plane(int64_t p) const { return bytes_.get() + p * size_; }

 private:
  int64_t stride_, size_;
  std::unique_ptr<uint8_t[]> bytes_;
};

void warp_planes(ImageView in, const ImageOp& op, const Map& map, int64_t first, int64_t count,
                 uint8_t* out) {
  const bool is_nearest = op.interpolation == Interpolation::nearest;
  const bool fills = !op.fill.empty();
  uint8_t around[kMostPlanes] = {};
  for (int64_t p = 0; p < count && fills && is_nearest; p++)
    around[p] = to_byte(op.fill[first + p]);
  const Margined planes(in, first, count, around);
  const int32_t width = static_cast<int32_t>(op.to.width);
  Block block;
  for (int64_t y = 0; y < op.to.height; y++) {
    for (int32_t x = 0; x < width; x += kBlock) {
      const int32_t size = std::min(kBlock, width - x);
      place_block(map, x, static_cast<int32_t>(y), size, block);
      if (is_nearest) {
        nearest_block(map, planes.stride(), size, block);
      } else {
        bilinear_block(map, planes.stride(), size, block);
      }
      for (int64_t p = 0; p < count; p++) {
        uint8_t* to = out + ((first + p) * op.to.height + y) * width + x;
        const uint8_t* plane = planes.plane(p);
        if (is_nearest) {
          for (int32_t i = 0; i < size; i++) to[i] = plane[block.at[i]];
        } else {
          const float* fill = fills ? &op.fill[static_cast<size_t>(first + p)] : nullptr;
          blend_block(plane, planes.stride(), fill, size, block, to);
        }
      }
    }
  }
}

void warp(ImageView in, const ImageOp& op, const Map& map, uint8_t* out) {
  for (int64_t c = 0; c < in.shape.channels; c += kMostPlanes) {
    warp_planes(in, op, map, c, std::min(kMostPlanes, in.shape.channels - c), out);
  }
}

}  // namespace

void affine_image(ImageView in, const ImageOp& op, uint8_t* out) {
  Map map(in.shape, op.numbers, false);
  map.shift_x = static_cast<float>(op.to.width - 1) * -0.5f;
  map.shift_y = static_cast<float>(op.to.height - 1) * -0.5f;
  warp(in, op, map, out);
}

void perspective_image(ImageView in, const ImageOp& op, uint8_t* out) {
  warp(in, op, Map(in.shape, op.numbers, true), out);
}

}  // namespace torchts
