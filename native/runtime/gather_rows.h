// Batches of images: bytes looked up in a table of what each one becomes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace torchts {

struct GatherRows {
  const uint8_t* source;  // rows of channels * pixels bytes
  size_t source_bytes;
  const int32_t* indices;  // one for each row of the destination
  size_t rows;
  const float* table;  // 256 values a channel
  size_t table_values;
  int64_t channels;
  int64_t pixels;
  float* destination;
  size_t destination_values;
};

// destination[r][c][p] = table[c * 256 + source[indices[r]][c][p]].
// Throws std::invalid_argument when sizes do not fit or an index is out of range; nothing is
// written then.
void gather_rows(const GatherRows& request);

}  // namespace torchts
