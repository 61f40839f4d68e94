// Resampling: each output is a weighted mean of the inputs below a filter, with integer weights;
// first along the rows, then along the columns, each result rounded to a byte. As
// src/engine/image-ops/resample.ts, whose integers are Pillow's or PyTorch's.
#include <algorithm>
#include <cstring>
#include <utility>

#include "image_isa.h"
#include "image_kernels.h"
#include "image_weights.h"

namespace torchts {
namespace {

inline uint8_t to_byte(int32_t sum, int bits) {
  return static_cast<uint8_t>(std::clamp(sum >> bits, 0, 255));
}

constexpr int64_t kRows = 16;  // that are resampled together, so that a vector holds one column

// `in` is (width, kRows), `out` (outputs, kRows).
TORCHTS_LOOP void resample_columns_loop(const uint8_t* __restrict in, const int32_t* first,
                                        const int32_t* count, const int32_t* values, int64_t most,
                                        int bits, int64_t outputs, uint8_t* __restrict out) {
  for (int64_t i = 0; i < outputs; i++, out += kRows) {
    int32_t sum[kRows];
    for (int64_t r = 0; r < kRows; r++) sum[r] = (1 << bits) >> 1;
    const uint8_t* from = in + first[i] * kRows;
    for (int32_t k = 0; k < count[i]; k++, from += kRows) {
      const int32_t weight = values[i * most + k];
      for (int64_t r = 0; r < kRows; r++) sum[r] += weight * from[r];
    }
    for (int64_t r = 0; r < kRows; r++) out[r] = to_byte(sum[r], bits);
  }
}
TORCHTS_FOR_EACH_ISA(resample_columns, resample_columns_loop)

// A row of `width` of the weighted sum of `count` rows. Columns of a chunk are summed in registers.
TORCHTS_LOOP void resample_rows_loop(const uint8_t* in, int64_t stride, const int32_t* values,
                                     int32_t count, int bits, int64_t width,
                                     uint8_t* __restrict out) {
  constexpr int64_t kChunk = 64;
  for (int64_t x = 0; x < width; x += kChunk) {
    int32_t sum[kChunk];
    for (int64_t i = 0; i < kChunk; i++) sum[i] = (1 << bits) >> 1;
    const int64_t size = std::min(kChunk, width - x);
    for (int32_t k = 0; k < count; k++) {
      const uint8_t* from = in + k * stride + x;
      const int32_t weight = values[k];
      if (size == kChunk) {
        for (int64_t i = 0; i < kChunk; i++) sum[i] += weight * from[i];
      } else {
        for (int64_t i = 0; i < size; i++) sum[i] += weight * from[i];
      }
    }
    for (int64_t i = 0; i < size; i++) out[x + i] = to_byte(sum[i], bits);
  }
}
TORCHTS_FOR_EACH_ISA(resample_rows, resample_rows_loop)

// A square of bytes, a vector a row.
typedef uint8_t Bytes __attribute__((vector_size(kRows)));
struct Square {
  Bytes row[kRows];
};

// The bytes of `a` and `b` in turn, from place `kFirst` on.
template <int kFirst, int... kLane>
TORCHTS_LOOP Bytes interleaved(const Bytes& a, const Bytes& b,
                               std::integer_sequence<int, kLane...>) {
  return __builtin_shufflevector(a, b, (kFirst + kLane / 2 + kLane % 2 * kRows)...);
}

// Each turn interleaves the upper half with the lower one; four turns exchange rows and columns.
TORCHTS_LOOP void transpose(Square& square) {
  constexpr int kHalf = kRows / 2;
  constexpr auto kLanes = std::make_integer_sequence<int, kRows>{};
  for (int turn = 0; turn < 4; turn++) {
    const Square from = square;
    for (int i = 0; i < kHalf; i++) {
      square.row[2 * i] = interleaved<0>(from.row[i], from.row[i + kHalf], kLanes);
      square.row[2 * i + 1] = interleaved<kHalf>(from.row[i], from.row[i + kHalf], kLanes);
    }
  }
}

// `count` rows of `width` bytes, `stride` apart, to (width, kRows).
void columns_of_rows(const uint8_t* in, int64_t stride, int64_t count, int64_t width,
                     uint8_t* out) {
  if (width < kRows) {
    for (int64_t x = 0; x < width; x++) {
      for (int64_t r = 0; r < count; r++) out[x * kRows + r] = in[r * stride + x];
    }
    return;
  }
  for (int64_t x = 0; x < width; x += kRows) {
    const int64_t at = std::min(x, width - kRows);  // the last ones again rather than fewer
    Square square;
    for (int64_t r = 0; r < kRows; r++) {
      std::memcpy(&square.row[r], in + std::min(r, count - 1) * stride + at, kRows);
    }
    transpose(square);
    std::memcpy(out + at * kRows, square.row, sizeof(square.row));
  }
}

// (width, kRows) to `count` rows of `width` bytes.
void rows_of_columns(const uint8_t* in, int64_t count, int64_t width, uint8_t* out) {
  if (width < kRows) {
    for (int64_t x = 0; x < width; x++) {
      for (int64_t r = 0; r < count; r++) out[r * width + x] = in[x * kRows + r];
    }
    return;
  }
  for (int64_t x = 0; x < width; x += kRows) {
    const int64_t at = std::min(x, width - kRows);
    Square square;
    std::memcpy(square.row, in + at * kRows, sizeof(square.row));
    transpose(square);
    for (int64_t r = 0; r < count; r++) std::memcpy(out + r * width + at, &square.row[r], kRows);
  }
}

// (rows, columns) of bytes, to be resampled along its rows; the rows lie `stride` apart.
void along_rows(const uint8_t* in, int64_t rows, int64_t columns, int64_t stride, const Weights& by,
                uint8_t* out) {
  const int64_t outputs = static_cast<int64_t>(by.first.size());
  std::vector<uint8_t> block(static_cast<size_t>(columns * kRows));
  std::vector<uint8_t> made(static_cast<size_t>(outputs * kRows));
  for (int64_t begin = 0; begin < rows; begin += kRows) {
    const int64_t count = std::min(kRows, rows - begin);
    columns_of_rows(in + begin * stride, stride, count, columns, block.data());
    resample_columns(block.data(), by.first.data(), by.count.data(), by.values.data(), by.most,
                     by.bits, outputs, made.data());
    rows_of_columns(made.data(), count, outputs, out + begin * outputs);
  }
}

// (rows, width) to (outputs, width); the rows lie `stride` apart.
void along_columns(const uint8_t* in, int64_t stride, int64_t width, const Weights& by,
                   uint8_t* out) {
  for (size_t i = 0; i < by.first.size(); i++, out += width) {
    resample_rows(in + by.first[i] * stride, stride, by.values.data() + i * by.most, by.count[i],
                  by.bits, width, out);
  }
}

void smooth_resize(ImageView in, const ImageOp& op, uint8_t* out) {
  const bool across = op.width != op.to.width, down = op.height != op.to.height;
  const std::shared_ptr<const Weights> columns =
      across ? weights(op.width, op.to.width, op) : nullptr;
  const std::shared_ptr<const Weights> rows = down ? weights(op.height, op.to.height, op) : nullptr;
  std::vector<uint8_t> between(across && down ? static_cast<size_t>(op.height * op.to.width) : 0);
  for (int64_t c = 0; c < in.shape.channels; c++, out += op.to.area()) {
    const uint8_t* from = in.data + (c * in.shape.height + op.top) * in.shape.width + op.left;
    int64_t stride = in.shape.width;
    if (across) {
      uint8_t* to = down ? between.data() : out;
      along_rows(from, op.height, op.width, stride, *columns, to);
      from = to;
      stride = op.to.width;
    }
    if (down) {
      along_columns(from, stride, op.to.width, *rows, out);
    } else if (!across) {
      for (int64_t y = 0; y < op.height; y++) {
        std::memcpy(out + y * op.width, from + y * stride, static_cast<size_t>(op.width));
      }
    }
  }
}

// Which input each output shows.
std::vector<int64_t> nearest_places(int64_t inputs, int64_t outputs, const ImageOp& op) {
  std::vector<int64_t> places(static_cast<size_t>(outputs));
  const double step = static_cast<double>(inputs) / static_cast<double>(outputs);
  const float scale = static_cast<float>(step);
  const float shift = op.interpolation == Interpolation::nearest_exact ? 0.5f : 0.0f;
  // Pillow adds the steps one by one: where a sum falls on an edge, rounding decides.
  double middle = step * 0.5;
  for (int64_t i = 0; i < outputs; i++, middle += step) {
    const double place = op.arithmetic == Arithmetic::pil
                             ? middle
                             : static_cast<double>((static_cast<float>(i) + shift) * scale);
    places[i] = std::min(inputs - 1, static_cast<int64_t>(place));
  }
  return places;
}

void nearest_resize(ImageView in, const ImageOp& op, uint8_t* out) {
  const std::vector<int64_t> rows = nearest_places(op.height, op.to.height, op);
  const std::vector<int64_t> columns = nearest_places(op.width, op.to.width, op);
  for (int64_t c = 0; c < in.shape.channels; c++) {
    for (const int64_t y : rows) {
      const uint8_t* row = in.data + (c * in.shape.height + op.top + y) * in.shape.width + op.left;
      for (const int64_t x : columns) *out++ = row[x];
    }
  }
}

}  // namespace

void resize_image(ImageView in, const ImageOp& op, uint8_t* out) {
  const bool is_nearest = op.interpolation == Interpolation::nearest ||
                          op.interpolation == Interpolation::nearest_exact;
  (is_nearest ? nearest_resize : smooth_resize)(in, op, out);
}

}  // namespace torchts
