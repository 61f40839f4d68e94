#include "host_array.h"

#include <cstring>
#include <string>

namespace torchts {
namespace {

struct Kind {
  napi_typedarray_type type;
  const char* name;
};

Kind kind_for(DType dtype) {
  switch (dtype) {
    case DType::float32:
    case DType::bfloat16:
    case DType::float16:
      return {napi_float32_array, "Float32Array"};
    case DType::float64:
      return {napi_float64_array, "Float64Array"};
    case DType::int64:
      return {napi_bigint64_array, "BigInt64Array"};
    case DType::int32:
      return {napi_int32_array, "Int32Array"};
    case DType::uint8:
    case DType::boolean:
      return {napi_uint8_array, "Uint8Array"};
  }
  return {napi_uint8_array, "Uint8Array"};
}

}  // namespace

DType dtype_named(const std::string& wanted) {
  for (int i = 0; i < kDTypeCount; i++) {
    DType dtype = static_cast<DType>(i);
    if (wanted == name(dtype)) return dtype;
  }
  throw std::invalid_argument("unknown dtype \"" + wanted + "\"");
}

void* host_data(const Napi::Value& array, DType dtype, int64_t numel) {
  Kind kind = kind_for(dtype);
  if (!array.IsTypedArray() || array.As<Napi::TypedArray>().TypedArrayType() != kind.type) {
    throw std::invalid_argument(std::string("[storage] a ") + name(dtype) +
                                " buffer is read and written as " + kind.name);
  }
  Napi::TypedArray typed = array.As<Napi::TypedArray>();
  if (static_cast<int64_t>(typed.ElementLength()) != numel) {
    throw std::invalid_argument("[storage] the array has " + std::to_string(typed.ElementLength()) +
                                " elements, the buffer has " + std::to_string(numel));
  }
  return static_cast<char*>(typed.ArrayBuffer().Data()) + typed.ByteOffset();
}

void copy_to_host(void* host, const void* data, DType dtype, int64_t numel) {
  if (is_half_width(dtype)) {
    widen_all(dtype, data, static_cast<float*>(host), numel);
  } else if (numel > 0) {
    std::memcpy(host, data, static_cast<size_t>(numel) * itemsize(dtype));
  }
}

void copy_from_host(void* data, const void* host, DType dtype, int64_t numel) {
  if (is_half_width(dtype)) {
    narrow_all(dtype, static_cast<const float*>(host), data, numel);
  } else if (dtype == DType::boolean) {
    const uint8_t* from = static_cast<const uint8_t*>(host);
    uint8_t* to = static_cast<uint8_t*>(data);
    for (int64_t i = 0; i < numel; i++) to[i] = from[i] != 0;
  } else if (numel > 0) {
    std::memcpy(data, host, static_cast<size_t>(numel) * itemsize(dtype));
  }
}

}  // namespace torchts
