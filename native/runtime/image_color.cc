// Ops on the colours of an image. What maps a byte to a byte becomes a table first.
#include <algorithm>
#include <array>
#include <cmath>

#include "image_isa.h"
#include "image_kernels.h"

namespace torchts {
namespace {

using ByteTable = std::array<uint8_t, 256>;

// Truncated, as PyTorch's conversion.
inline uint8_t to_byte(float value) {
  return static_cast<uint8_t>(static_cast<int32_t>(std::min(std::max(value, 0.0f), 255.0f)));
}

template <class Of>
ByteTable table_of(const Of& of) {
  ByteTable table;
  for (int byte = 0; byte < 256; byte++) table[byte] = of(byte);
  return table;
}

void map_bytes(const uint8_t* in, size_t count, const ByteTable& table, uint8_t* out) {
  for (size_t i = 0; i < count; i++) out[i] = table[in[i]];
}

// value * ratio + other * rest, where rest = 1 - ratio.
inline float blend(float value, float other, float ratio, float rest) {
  return std::fma(rest, other, value * ratio);
}

inline float luma(float r, float g, float b) {
  const float sum = std::fma(0.114f, b, std::fma(0.587f, g, 0.2989f * r));
  return static_cast<float>(static_cast<int32_t>(sum));
}

// The luma of every pixel of three channels.
TORCHTS_LOOP void luma_plane_loop(const uint8_t* __restrict in, int64_t area,
                                  uint8_t* __restrict out) {
  for (int64_t i = 0; i < area; i++) {
    out[i] = static_cast<uint8_t>(luma(in[i], in[area + i], in[2 * area + i]));
  }
}
TORCHTS_FOR_EACH_ISA(luma_plane, luma_plane_loop)

TORCHTS_LOOP int64_t luma_sum_loop(const uint8_t* in, int64_t area) {
  int64_t sum = 0;
  for (int64_t begin = 0; begin < area; begin += 4096) {
    int32_t part = 0;
    const int64_t end = std::min(area, begin + 4096);
    for (int64_t i = begin; i < end; i++) {
      part += static_cast<int32_t>(luma(in[i], in[area + i], in[2 * area + i]));
    }
    sum += part;
  }
  return sum;
}
TORCHTS_FOR_EACH_ISA(luma_sum, luma_sum_loop)

// Pillow's weights: the luma of ITU-R 601-2, in 16 fractional bits.
void pillow_luma_plane(const uint8_t* in, int64_t area, uint8_t* out) {
  for (int64_t i = 0; i < area; i++) {
    const uint32_t sum = 19595u * in[i] + 38470u * in[area + i] + 7471u * in[2 * area + i];
    out[i] = static_cast<uint8_t>((sum + 0x8000u) >> 16);
  }
}

TORCHTS_LOOP void saturate_loop(const uint8_t* __restrict in, int64_t area, float ratio, float rest,
                                uint8_t* __restrict out) {
  for (int64_t i = 0; i < area; i++) {
    const float r = in[i], g = in[area + i], b = in[2 * area + i];
    const float gray = luma(r, g, b);
    out[i] = to_byte(blend(r, gray, ratio, rest));
    out[area + i] = to_byte(blend(g, gray, ratio, rest));
    out[2 * area + i] = to_byte(blend(b, gray, ratio, rest));
  }
}
TORCHTS_FOR_EACH_ISA(saturate, saturate_loop)

inline float unit(float value) { return std::min(std::max(value, 0.0f), 1.0f); }
// Truncated: the arguments are small.
inline float whole(float value) { return static_cast<float>(static_cast<int32_t>(value)); }

TORCHTS_LOOP void turn_hue_loop(const uint8_t* __restrict in, int64_t area, float factor,
                                uint8_t* __restrict out) {
  constexpr float kUnit = 1.0f / 255.0f, kSixth = 1.0f / 6.0f, kBytes = 255.999f;
  for (int64_t i = 0; i < area; i++) {
    const float r = in[i] * kUnit, g = in[area + i] * kUnit, b = in[2 * area + i] * kUnit;
    const float most = std::max(r, std::max(g, b)), range = most - std::min(r, std::min(g, b));
    const float divisor = range == 0.0f ? 1.0f : range;
    const float s = range / (range == 0.0f ? 1.0f : most);
    const float rc = (most - r) / divisor, gc = (most - g) / divisor, bc = (most - b) / divisor;
    const float at_red = bc - gc, at_green = (rc + 2.0f) - bc, at_blue = (gc + 4.0f) - rc;
    float h = most == r ? at_red : most == g ? at_green : at_blue;
    h = h * kSixth + 1.0f;
    h = (h - whole(h)) + factor;
    h = h - whole(h);
    h = h < 0.0f ? h + 1.0f : h;
    const float sixth = h * 6.0f, step = whole(sixth);
    const float sf = s * (sixth - step), rest = 1.0f - s;
    const float v = most, q = unit((1.0f - sf) * v), t = unit((sf + rest) * v), p = unit(rest * v);
    // Of a whole circle, which rounding may give, the first part again.
    const float part = step == 6.0f ? 0.0f : step;
    const float red = part == 0.0f || part == 5.0f ? v : part == 1.0f ? q : part == 4.0f ? t : p;
    const float green = part == 1.0f || part == 2.0f ? v : part == 3.0f ? q : part == 0.0f ? t : p;
    const float blue = part == 3.0f || part == 4.0f ? v : part == 5.0f ? q : part == 2.0f ? t : p;
    out[i] = static_cast<uint8_t>(static_cast<int32_t>(red * kBytes));
    out[area + i] = static_cast<uint8_t>(static_cast<int32_t>(green * kBytes));
    out[2 * area + i] = static_cast<uint8_t>(static_cast<int32_t>(blue * kBytes));
  }
}
TORCHTS_FOR_EACH_ISA(turn_hue, turn_hue_loop)

struct ByteRange {
  uint8_t least, most;
};

TORCHTS_LOOP ByteRange range_of_loop(const uint8_t* plane, int64_t area) {
  uint8_t least = 255, most = 0;
  for (int64_t i = 0; i < area; i++) {
    least = std::min(least, plane[i]);
    most = std::max(most, plane[i]);
  }
  return {least, most};
}
TORCHTS_FOR_EACH_ISA(range_of, range_of_loop)

ByteTable stretched(const uint8_t* plane, int64_t area) {
  const ByteRange range = range_of(plane, area);
  const float first = range.least;
  const float scale = static_cast<float>(range.most - range.least) * (1.0f / 255.0f);
  if (scale == 0.0f) return table_of([](int byte) { return static_cast<uint8_t>(byte); });
  return table_of([=](int byte) { return to_byte((static_cast<float>(byte) - first) / scale); });
}

ByteTable equalized(const uint8_t* plane, int64_t area) {
  std::array<int64_t, 256> counts{};
  for (int64_t i = 0; i < area; i++) counts[plane[i]]++;
  int brightest = 255;
  while (counts[brightest] == 0) brightest--;
  const int64_t step = (area - counts[brightest]) / 255;
  int64_t below = 0;
  return table_of([&](int byte) {
    const int64_t value = step == 0 ? byte : std::min<int64_t>(255, (below + step / 2) / step);
    below += counts[byte];
    return static_cast<uint8_t>(value);
  });
}

template <class Of>
void map_planes(ImageView in, const Of& of, uint8_t* out) {
  const int64_t area = in.shape.area();
  for (int64_t c = 0; c < in.shape.channels; c++) {
    const uint8_t* plane = in.data + c * area;
    map_bytes(plane, static_cast<size_t>(area), of(plane, area), out + c * area);
  }
}

}  // namespace

void adjust_brightness(ImageView in, double factor, uint8_t* out) {
  const float ratio = static_cast<float>(factor);
  const auto of = [=](int byte) { return to_byte(static_cast<float>(byte) * ratio); };
  map_bytes(in.data, in.shape.size(), table_of(of), out);
}

void adjust_contrast(ImageView in, double factor, uint8_t* out) {
  const int64_t area = in.shape.area();
  int64_t sum = 0;
  if (in.shape.channels == 1) {
    for (int64_t i = 0; i < area; i++) sum += in.data[i];
  } else {
    sum = luma_sum(in.data, area);
  }
  const float mean = static_cast<float>(static_cast<double>(sum) / static_cast<double>(area));
  const float ratio = static_cast<float>(factor), rest = static_cast<float>(1.0 - factor);
  const auto of = [=](int byte) {
    return to_byte(blend(static_cast<float>(byte), mean, ratio, rest));
  };
  map_bytes(in.data, in.shape.size(), table_of(of), out);
}

void adjust_saturation(ImageView in, double factor, uint8_t* out) {
  if (in.shape.channels == 1) {
    std::copy_n(in.data, in.shape.size(), out);
  } else {
    saturate(in.data, in.shape.area(), static_cast<float>(factor), static_cast<float>(1.0 - factor),
             out);
  }
}

void adjust_hue(ImageView in, double factor, uint8_t* out) {
  if (in.shape.channels == 1) {
    std::copy_n(in.data, in.shape.size(), out);
  } else {
    turn_hue(in.data, in.shape.area(), static_cast<float>(factor), out);
  }
}

void gray_image(ImageView in, int64_t channels, Arithmetic arithmetic, uint8_t* out) {
  const int64_t area = in.shape.area();
  if (in.shape.channels == 1) {
    std::copy_n(in.data, area, out);
  } else if (arithmetic == Arithmetic::pil) {
    pillow_luma_plane(in.data, area, out);
  } else {
    luma_plane(in.data, area, out);
  }
  for (int64_t c = 1; c < channels; c++) std::copy_n(out, area, out + c * area);
}

void invert_image(ImageView in, uint8_t* out) {
  for (size_t i = 0; i < in.shape.size(); i++) out[i] = static_cast<uint8_t>(~in.data[i]);
}

void posterize_image(ImageView in, int64_t bits, uint8_t* out) {
  const uint8_t mask = static_cast<uint8_t>(((1u << bits) - 1u) << (8 - bits));
  for (size_t i = 0; i < in.shape.size(); i++) out[i] = in.data[i] & mask;
}

void solarize_image(ImageView in, double threshold, uint8_t* out) {
  const auto of = [=](int byte) {
    return static_cast<uint8_t>(byte >= threshold ? 255 - byte : byte);
  };
  map_bytes(in.data, in.shape.size(), table_of(of), out);
}

void autocontrast_image(ImageView in, uint8_t* out) { map_planes(in, stretched, out); }

void equalize_image(ImageView in, uint8_t* out) { map_planes(in, equalized, out); }

}  // namespace torchts
