#include "numbers.h"

#include <cmath>

namespace torchts {

std::optional<int64_t> integer_of(const Napi::Value& value, double least, double most) {
  if (!value.IsNumber()) return std::nullopt;
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= least && number <= most) || number != std::floor(number)) return std::nullopt;
  return static_cast<int64_t>(number);
}

}  // namespace torchts
