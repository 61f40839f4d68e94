// Element types, numbered as in src/base/dtype.ts (a test compares the two lists).
#pragma once

#include <cstddef>
#include <cstdint>

namespace torchts {

enum class DType : uint8_t { float32, float64, bfloat16, int64, int32, uint8, boolean };

constexpr int kDTypeCount = 7;

constexpr size_t itemsize(DType dtype) {
  switch (dtype) {
    case DType::float64:
    case DType::int64:
      return 8;
    case DType::float32:
    case DType::int32:
      return 4;
    case DType::bfloat16:
      return 2;
    case DType::uint8:
    case DType::boolean:
      return 1;
  }
  return 0;
}

const char* name(DType dtype);

// Upper half of a float32; conversion rounds to nearest even and keeps NaN a NaN.
struct bfloat16 {
  uint16_t bits;
};

inline float to_float(bfloat16 value) {
  uint32_t wide = static_cast<uint32_t>(value.bits) << 16;
  float out;
  __builtin_memcpy(&out, &wide, sizeof out);
  return out;
}

inline bfloat16 to_bfloat16(float value) {
  uint32_t wide;
  __builtin_memcpy(&wide, &value, sizeof wide);
  if ((wide & 0x7fffffffu) > 0x7f800000u) return {static_cast<uint16_t>((wide >> 16) | 0x40u)};
  wide += 0x7fffu + ((wide >> 16) & 1u);
  return {static_cast<uint16_t>(wide >> 16)};
}

}  // namespace torchts
