// Integers out of JavaScript's numbers.
#pragma once

#include <napi.h>

#include <cstdint>
#include <optional>

namespace torchts {

// The value as an integer; nothing unless it is a number, whole and from `least` to `most`, which
// lie within +-2^53.
std::optional<int64_t> integer_of(const Napi::Value& value, double least, double most);

}  // namespace torchts
