// Element types, numbered as in src/base/dtype.ts (a test compares the two lists).
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace torchts {

enum class DType : uint8_t { float32, float64, bfloat16, float16, int64, int32, uint8, boolean };

constexpr int kDTypeCount = 8;

constexpr size_t itemsize(DType dtype) {
  switch (dtype) {
    case DType::float64:
    case DType::int64:
      return 8;
    case DType::float32:
    case DType::int32:
      return 4;
    case DType::bfloat16:
    case DType::float16:
      return 2;
    case DType::uint8:
    case DType::boolean:
      return 1;
  }
  return 0;
}

const char* name(DType dtype);

// Half-width floats are stored in 16 bits and computed in float32. Conversion from float32 rounds
// to nearest even and keeps NaN a NaN.

// The upper half of a float32.
struct bfloat16 {
  uint16_t bits;
};

// IEEE 754's binary16: 5 bits of exponent, 10 of mantissa.
struct float16 {
  uint16_t bits;
};

template <class T>
constexpr bool kHalfWidth = std::is_same_v<T, bfloat16> || std::is_same_v<T, float16>;

constexpr bool is_half_width(DType dtype) {
  return dtype == DType::bfloat16 || dtype == DType::float16;
}

inline uint32_t float_bits(float value) {
  uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  return bits;
}

inline float float_of_bits(uint32_t bits) {
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

inline float to_float(bfloat16 value) {
  return float_of_bits(static_cast<uint32_t>(value.bits) << 16);
}

inline bfloat16 to_bfloat16(float value) {
  uint32_t wide = float_bits(value);
  if ((wide & 0x7fffffffu) > 0x7f800000u) return {static_cast<uint16_t>((wide >> 16) | 0x40u)};
  wide += 0x7fffu + ((wide >> 16) & 1u);
  return {static_cast<uint16_t>(wide >> 16)};
}

// `a` where `first`, else `b`. By masks and not by a branch, so that loops become vector code.
inline uint32_t pick(bool first, uint32_t a, uint32_t b) {
  const uint32_t mask = 0u - static_cast<uint32_t>(first);
  return (a & mask) | (b & ~mask);
}

// The exponent's bias grows by 112, that of infinity and NaN by as much again; a subnormal number
// is a multiple of 2^-24.
inline float to_float(float16 value) {
  const uint32_t sign = (value.bits & 0x8000u) << 16, magnitude = value.bits & 0x7fffu;
  const uint32_t normal = (magnitude << 13) + pick(magnitude < 0x7c00u, 112u << 23, 224u << 23);
  const float subnormal = static_cast<float>(static_cast<int32_t>(magnitude)) * 0x1p-24f;
  return float_of_bits(sign | pick(magnitude < 0x400u, float_bits(subnormal), normal));
}

// Floats around 1/2 are multiples of 2^-24, so adding 1/2 rounds what becomes subnormal. From 65520
// on, halfway to 2^16, all is infinite.
inline float16 to_float16(float value) {
  const uint32_t bits = float_bits(value), magnitude = bits & 0x7fffffffu;
  const uint32_t subnormal = float_bits(float_of_bits(magnitude) + 0.5f) - float_bits(0.5f);
  const uint32_t normal = (magnitude - (112u << 23) + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
  const uint32_t finite = pick(magnitude < 113u << 23, subnormal, normal);
  const uint32_t special = pick(magnitude > 0x7f800000u, 0x7e00u, 0x7c00u);
  const uint32_t half = pick(magnitude < 0x477ff000u, finite, special);
  return {static_cast<uint16_t>((bits >> 16 & 0x8000u) | half)};
}

// The nearest T to a float32.
template <class T>
inline T from_float(float value) {
  if constexpr (std::is_same_v<T, bfloat16>) return to_bfloat16(value);
  if constexpr (std::is_same_v<T, float16>) return to_float16(value);
}

// `count` elements of a half-width dtype as float32, and back. Throw std::invalid_argument for any
// other dtype.
void widen_all(DType dtype, const void* from, float* to, int64_t count);
void narrow_all(DType dtype, const float* from, void* to, int64_t count);

}  // namespace torchts
