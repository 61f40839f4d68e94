// From a runtime DType to a template argument.
#pragma once

#include <stdexcept>
#include <type_traits>

#include "../runtime/kernel.h"
#include "vec.h"

namespace torchts {
inline namespace TORCHTS_ISA {

template <class T>
struct Tag {
  using type = T;
};

// Calls body(Tag<T>) with the C++ type of `dtype`; bool is stored as uint8_t and needs its own
// tag only where its values are converted.
template <class Body>
decltype(auto) dispatch(DType dtype, const Body& body) {
  switch (dtype) {
    case DType::float32:
      return body(Tag<float>{});
    case DType::float64:
      return body(Tag<double>{});
    case DType::bfloat16:
      return body(Tag<bfloat16>{});
    case DType::float16:
      return body(Tag<float16>{});
    case DType::int64:
      return body(Tag<int64_t>{});
    case DType::int32:
      return body(Tag<int32_t>{});
    case DType::uint8:
      return body(Tag<uint8_t>{});
    case DType::boolean:
      return body(Tag<bool>{});
  }
  throw std::invalid_argument("unknown dtype");
}

// The same for all that is computed in itself; half-width floats are promoted to float32 instead.
template <class Body>
decltype(auto) dispatch_full_width(DType dtype, const Body& body) {
  switch (dtype) {
    case DType::float32:
      return body(Tag<float>{});
    case DType::float64:
      return body(Tag<double>{});
    case DType::int64:
      return body(Tag<int64_t>{});
    case DType::int32:
      return body(Tag<int32_t>{});
    case DType::uint8:
      return body(Tag<uint8_t>{});
    case DType::boolean:
      return body(Tag<bool>{});
    default:
      throw std::invalid_argument("half-width floats are computed in float32");
  }
}

// The same for float32 and float64 only.
template <class Body>
decltype(auto) dispatch_floating(DType dtype, const Body& body) {
  if (dtype == DType::float32) return body(Tag<float>{});
  if (dtype == DType::float64) return body(Tag<double>{});
  throw std::invalid_argument("expected float32 or float64");
}

// An unsigned integer of the dtype's size, for kernels that only move elements.
template <class Body>
decltype(auto) dispatch_size(DType dtype, const Body& body) {
  switch (itemsize(dtype)) {
    case 1:
      return body(Tag<uint8_t>{});
    case 2:
      return body(Tag<uint16_t>{});
    case 4:
      return body(Tag<uint32_t>{});
    default:
      return body(Tag<uint64_t>{});
  }
}

// One number as an element: float to integer truncates, integers wrap, bool is `!= 0`.
template <class T, class From>
inline T convert(From value) {
  if constexpr (kHalfWidth<From>) {
    return convert<T>(to_float(value));
  } else if constexpr (kHalfWidth<T>) {
    return from_float<T>(static_cast<float>(value));
  } else if constexpr (std::is_same_v<T, bool>) {
    return value != From(0);
  } else if constexpr (std::is_integral_v<T> && std::is_floating_point_v<From>) {
    return static_cast<T>(static_cast<int64_t>(value));
  } else {
    return static_cast<T>(value);
  }
}

inline bool is_native_floating(DType dtype) {
  return dtype == DType::float32 || dtype == DType::float64;
}

inline bool any_spec(const KernelSpec&) { return true; }

}  // namespace TORCHTS_ISA
}  // namespace torchts
