#include "dtype.h"

#include <stdexcept>
#include <string>

namespace torchts {
namespace {

template <class T>
void widen(const void* from, float* to, int64_t count) {
  for (int64_t i = 0; i < count; i++) to[i] = to_float(static_cast<const T*>(from)[i]);
}

template <class T>
void narrow(const float* from, void* to, int64_t count) {
  for (int64_t i = 0; i < count; i++) static_cast<T*>(to)[i] = from_float<T>(from[i]);
}

}  // namespace

const char* name(DType dtype) {
  switch (dtype) {
    case DType::float32:
      return "float32";
    case DType::float64:
      return "float64";
    case DType::bfloat16:
      return "bfloat16";
    case DType::float16:
      return "float16";
    case DType::int64:
      return "int64";
    case DType::int32:
      return "int32";
    case DType::uint8:
      return "uint8";
    case DType::boolean:
      return "bool";
  }
  return "unknown";
}

void widen_all(DType dtype, const void* from, float* to, int64_t count) {
  if (dtype == DType::bfloat16) return widen<bfloat16>(from, to, count);
  if (dtype == DType::float16) return widen<float16>(from, to, count);
  throw std::invalid_argument(std::string(name(dtype)) + " is no half-width dtype");
}

void narrow_all(DType dtype, const float* from, void* to, int64_t count) {
  if (dtype == DType::bfloat16) return narrow<bfloat16>(from, to, count);
  if (dtype == DType::float16) return narrow<float16>(from, to, count);
  throw std::invalid_argument(std::string(name(dtype)) + " is no half-width dtype");
}

}  // namespace torchts
