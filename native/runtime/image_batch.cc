#include "image_batch.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <string>

#include "philox.h"

namespace torchts {
namespace {

// Keeps the draws apart from the shuffle's: "augm" in ASCII.
constexpr uint32_t kStream = 0x6175676d;
constexpr int64_t kMost = int64_t{1} << 20;  // of a size: products stay far from overflow
constexpr int64_t kOutside = -1;

[[noreturn]] void fail(const std::string& message) {
  throw std::invalid_argument("[images] " + message);
}

// For each row (or column) of the result, the one of the image it shows, or kOutside.
using Places = std::vector<int64_t>;

Places identity(int64_t size) {
  Places places(static_cast<size_t>(size));
  std::iota(places.begin(), places.end(), int64_t{0});
  return places;
}

Places window(const Places& from, int64_t first, int64_t size) {
  Places places(static_cast<size_t>(size), kOutside);
  for (int64_t i = 0; i < size; i++) {
    const int64_t at = first + i;
    if (at >= 0 && at < static_cast<int64_t>(from.size())) places[i] = from[at];
  }
  return places;
}

// A whole number in [0, bound) from a word; its bias is below bound / 2^32.
int64_t bounded(uint32_t word, int64_t bound) {
  return static_cast<int64_t>((static_cast<uint64_t>(word) * static_cast<uint64_t>(bound)) >> 32);
}

struct MovedImage {
  Places rows, columns;

  MovedImage(const ImageSource& source, int32_t sample, uint32_t epoch)
      : rows(identity(source.height)), columns(identity(source.width)) {
    for (size_t m = 0; m < source.moves.size(); m++) {
      const PhiloxBlock draw = philox_4x32_10(
          {{static_cast<uint32_t>(sample), static_cast<uint32_t>(m), epoch, kStream}}, source.seed);
      apply(source.moves[m], draw);
    }
  }

 private:
  void apply(const PixelMove& move, const PhiloxBlock& draw) {
    if (move.kind == PixelMove::Kind::flip) {
      if (draw.word[0] * 0x1p-32 < move.probability) std::reverse(columns.begin(), columns.end());
      return;
    }
    const auto place = [](size_t size, int64_t before, int64_t after, int64_t wanted,
                          uint32_t word) {
      const int64_t room = static_cast<int64_t>(size) + before + after - wanted;
      return bounded(word, room + 1) - before;
    };
    const int64_t y = place(rows.size(), move.top, move.bottom, move.height, draw.word[0]);
    const int64_t x = place(columns.size(), move.left, move.right, move.width, draw.word[1]);
    rows = window(rows, y, move.height);
    columns = window(columns, x, move.width);
  }
};

void look_up(const uint8_t* in, const float* table, size_t count, float* out) {
  for (size_t p = 0; p < count; p++) out[p] = table[in[p]];
}

void fill_moved(const ImageSource& s, const uint8_t* image, const MovedImage& moved, float* out) {
  const float* table = s.table.data();
  for (int64_t c = 0; c < s.channels; c++, table += 256, image += s.height * s.width) {
    for (const int64_t y : moved.rows) {
      for (const int64_t x : moved.columns) {
        *out++ = table[y == kOutside || x == kOutside ? 0 : image[y * s.width + x]];
      }
    }
  }
}

void check_size(const char* what, int64_t size, int64_t least) {
  if (size >= least && size <= kMost) return;
  fail(std::string(what) + " must be " + std::to_string(least) + " to 2^20, got " +
       std::to_string(size));
}

// Follows the image's size through the moves.
void check_moves(const ImageSource& source) {
  int64_t height = source.height, width = source.width;
  for (const PixelMove& move : source.moves) {
    if (move.kind == PixelMove::Kind::flip) {
      if (!(move.probability >= 0 && move.probability <= 1)) fail("a probability is not in [0, 1]");
      continue;
    }
    check_size("a crop's height", move.height, 1);
    check_size("a crop's width", move.width, 1);
    for (int64_t pad : {move.left, move.top, move.right, move.bottom}) {
      check_size("a padding", pad, 0);
    }
    if (move.height > height + move.top + move.bottom ||
        move.width > width + move.left + move.right) {
      fail("a crop of " + std::to_string(move.height) + " x " + std::to_string(move.width) +
           " is larger than the padded image");
    }
    height = move.height;
    width = move.width;
  }
}

}  // namespace

size_t ImageSource::sample_size() const {
  int64_t rows = height, columns = width;
  for (const PixelMove& move : moves) {
    if (move.kind != PixelMove::Kind::crop) continue;
    rows = move.height;
    columns = move.width;
  }
  return static_cast<size_t>(channels * rows * columns);
}

void check_source(const ImageSource& source) {
  check_size("channels", source.channels, 1);
  check_size("height", source.height, 1);
  check_size("width", source.width, 1);
  check_moves(source);
  if (source.table.size() != static_cast<size_t>(source.channels) * 256) {
    fail("the table has " + std::to_string(source.table.size()) + " values; " +
         std::to_string(source.channels) + " channels need " +
         std::to_string(source.channels * 256));
  }
  if (source.label_count != source.image_bytes / source.image_size() ||
      source.image_bytes % source.image_size() != 0) {
    fail(std::to_string(source.image_bytes) + " bytes are not " +
         std::to_string(source.label_count) + " images of " + std::to_string(source.image_size()) +
         " bytes, one for each label");
  }
}

void check_indices(const ImageSource& source, const int32_t* indices, size_t rows) {
  for (size_t r = 0; r < rows; r++) {
    if (indices[r] >= 0 && static_cast<size_t>(indices[r]) < source.label_count) continue;
    fail("index " + std::to_string(indices[r]) + " at place " + std::to_string(r) +
         " is out of range for " + std::to_string(source.label_count) + " images");
  }
}

void fill_batch(const ImageSource& source, const int32_t* indices, size_t rows, uint32_t epoch,
                float* inputs, int64_t* targets) {
  const size_t pixels = static_cast<size_t>(source.height * source.width);
  for (size_t r = 0; r < rows; r++, inputs += source.sample_size()) {
    const uint8_t* image = source.images + static_cast<size_t>(indices[r]) * source.image_size();
    targets[r] = source.labels[indices[r]];
    if (source.moves.empty()) {
      for (int64_t c = 0; c < source.channels; c++) {
        look_up(image + c * pixels, source.table.data() + c * 256, pixels, inputs + c * pixels);
      }
    } else {
      fill_moved(source, image, MovedImage(source, indices[r], epoch), inputs);
    }
  }
}

}  // namespace torchts
