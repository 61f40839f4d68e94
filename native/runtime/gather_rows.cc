#include "gather_rows.h"

#include <stdexcept>
#include <string>

namespace torchts {
namespace {

[[noreturn]] void fail(const std::string& message) {
  throw std::invalid_argument("[gather_rows] " + message);
}

size_t checked_row_bytes(const GatherRows& request) {
  constexpr int64_t kMost = int64_t{1} << 30;  // keeps every product below far from overflow
  int64_t channels = request.channels;
  int64_t pixels = request.pixels;
  if (channels < 1 || pixels < 1 || channels > kMost || pixels > kMost) {
    fail("channels and pixels must be 1 to 2^30, got " + std::to_string(channels) + " and " +
         std::to_string(pixels));
  }
  size_t row = static_cast<size_t>(channels * pixels);
  if (request.table_values != static_cast<size_t>(channels) * 256) {
    fail("the table has " + std::to_string(request.table_values) + " values; " +
         std::to_string(channels) + " channels need " + std::to_string(channels * 256));
  }
  if (request.source_bytes % row != 0) {
    fail("the source has " + std::to_string(request.source_bytes) +
         " bytes, which is no multiple of a row's " + std::to_string(row));
  }
  if (request.destination_values % row != 0 || request.destination_values / row != request.rows) {
    fail("the destination has " + std::to_string(request.destination_values) + " values; " +
         std::to_string(request.rows) + " rows of " + std::to_string(row) + " were asked for");
  }
  return row;
}

}  // namespace

void gather_rows(const GatherRows& request) {
  const size_t row = checked_row_bytes(request);
  const size_t source_rows = request.source_bytes / row;
  for (size_t r = 0; r < request.rows; r++) {
    int32_t index = request.indices[r];
    if (index < 0 || static_cast<size_t>(index) >= source_rows) {
      fail("index " + std::to_string(index) + " at place " + std::to_string(r) +
           " is out of range for a source of " + std::to_string(source_rows) + " rows");
    }
  }
  const size_t pixels = static_cast<size_t>(request.pixels);
  float* out = request.destination;
  for (size_t r = 0; r < request.rows; r++) {
    const uint8_t* in = request.source + static_cast<size_t>(request.indices[r]) * row;
    const float* table = request.table;
    for (int64_t c = 0; c < request.channels; c++, table += 256) {
      for (size_t p = 0; p < pixels; p++) out[p] = table[in[p]];
      in += pixels;
      out += pixels;
    }
  }
}

}  // namespace torchts
