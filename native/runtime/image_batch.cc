#include "image_batch.h"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <stdexcept>
#include <string>

#include "image_kernels.h"
#include "philox.h"

namespace torchts {
namespace {

// Keeps the draws apart from the shuffle's: "augm" in ASCII.
constexpr uint32_t kStream = 0x6175676d;
constexpr int64_t kMost = int64_t{1} << 20;  // of a size: products stay far from overflow
constexpr int64_t kOutside = -1;
constexpr int kMostWorkers = 256;

[[noreturn]] void fail(const std::string& message) {
  throw std::invalid_argument("[images] " + message);
}

std::string text(const ImageShape& shape) {
  return std::to_string(shape.channels) + " x " + std::to_string(shape.height) + " x " +
         std::to_string(shape.width);
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
      const PhiloxBlock draw = philox_4x32_10({{source.first + static_cast<uint32_t>(sample),
                                                static_cast<uint32_t>(m), epoch, kStream}},
                                              source.seed);
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

// The columns of a moved image that are not black, which show columns side by side.
struct Span {
  size_t begin = 0, end = 0;
  int64_t first = 0, last = 0;  // of those that are shown

  explicit Span(const Places& columns) {
    while (begin < columns.size() && columns[begin] == kOutside) begin++;
    end = begin;
    while (end < columns.size() && columns[end] != kOutside) end++;
    if (begin == end) return;
    first = columns[begin];
    last = columns[end - 1];
  }

  void copy(const uint8_t* row, uint8_t* out) const {
    const int64_t count = static_cast<int64_t>(end - begin);
    if (last < first) return reverse_row(row + last, count, out + begin);
    std::copy_n(row + first, count, out + begin);
  }
};

void fill_moved(const ImageSource& s, const uint8_t* image, const MovedImage& moved, float* out) {
  const Span span(moved.columns);
  const size_t width = moved.columns.size();
  std::vector<uint8_t> row(width), black(width);
  const float* table = s.table.data();
  for (int64_t c = 0; c < s.channels; c++, table += 256, image += s.height * s.width) {
    for (const int64_t y : moved.rows) {
      if (y != kOutside) span.copy(image + y * s.width, row.data());
      look_up(y == kOutside ? black.data() : row.data(), table, width, out);
      out += width;
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

// Images of sizes or at places of their own: where each begins.
void check_places(ImageSource& source) {
  if (!source.sizes.empty() && !source.has_ops) {
    fail("images of sizes of their own need ops that give them one");
  }
  if (!source.sizes.empty() && source.sizes.size() != 2 * source.label_count) {
    fail(std::to_string(source.sizes.size()) + " numbers are not the sizes of " +
         std::to_string(source.label_count) + " images");
  }
  const bool is_apart = !source.begins.empty();
  if (is_apart && source.begins.size() != source.label_count) {
    fail(std::to_string(source.begins.size()) + " numbers are not where " +
         std::to_string(source.label_count) + " images begin");
  }
  source.offsets.clear();
  size_t end = 0;
  for (size_t i = 0; i < source.label_count; i++) {
    const ImageShape shape = source.shape(i);
    check_size("height", shape.height, 1);
    check_size("width", shape.width, 1);
    const size_t begin = is_apart ? source.begins[i] : end;
    // No product overflows: sides are 2^20 at most, and so are channels.
    if (begin > source.image_bytes || shape.size() > source.image_bytes - begin) {
      fail(std::to_string(source.image_bytes) +
           " bytes are not those of the images of these sizes");
    }
    source.offsets.push_back(begin);
    end = begin + shape.size();
  }
  if (is_apart || end == source.image_bytes) return;
  fail(std::to_string(source.image_bytes) + " bytes are not those of the images of these sizes");
}

// Throws unless the parts of a source fit each other.
void check_source(ImageSource& source) {
  check_size("channels", source.channels, 1);
  check_size("height", source.height, 1);
  check_size("width", source.width, 1);
  if (source.workers < 1 || source.workers > kMostWorkers) {
    fail("workers must be 1 to " + std::to_string(kMostWorkers));
  }
  if (source.has_ops) {
    check_size("channels", source.to.channels, 1);
    check_size("height", source.to.height, 1);
    check_size("width", source.to.width, 1);
    if (!source.moves.empty()) fail("moves and ops exclude each other");
  }
  check_moves(source);
  const int64_t channels = source.has_ops ? source.to.channels : source.channels;
  if (source.table.size() != static_cast<size_t>(channels) * 256) {
    fail("the table has " + std::to_string(source.table.size()) + " values; " +
         std::to_string(channels) + " channels need " + std::to_string(channels * 256));
  }
  if (!source.sizes.empty() || !source.begins.empty()) return check_places(source);
  if (source.label_count != source.image_bytes / source.image_size() ||
      source.image_bytes % source.image_size() != 0) {
    fail(std::to_string(source.image_bytes) + " bytes are not " +
         std::to_string(source.label_count) + " images of " + std::to_string(source.image_size()) +
         " bytes, one for each label");
  }
}

// One image of a batch, as the model gets it; `work` where its source has ops.
void fill_row(const ImageSource& source, int32_t index, uint32_t epoch, const ImageWork* work,
              ImageScratch& scratch, float* out) {
  const ImageView image = source.image(index);
  if (source.has_ops) {
    look_up_planes(scratch.apply(work->ops, image), source.table.data(), out);
    for (const ImageOp& op : work->erase) erase_box(op, source.to, out);
  } else if (source.moves.empty()) {
    look_up_planes(image, source.table.data(), out);
  } else {
    fill_moved(source, image.data, MovedImage(source, index, epoch), out);
  }
}

}  // namespace

ImageShape ImageSource::shape(size_t index) const {
  if (sizes.empty()) return {channels, height, width};
  return {channels, sizes[2 * index], sizes[2 * index + 1]};
}

ImageView ImageSource::image(int32_t index) const {
  const size_t place = static_cast<size_t>(index);
  return {shape(place), images + (offsets.empty() ? place * image_size() : offsets[place])};
}

ImageShape ImageSource::sample_shape() const {
  if (has_ops) return to;
  ImageShape shape{channels, height, width};
  for (const PixelMove& move : moves) {
    if (move.kind != PixelMove::Kind::crop) continue;
    shape.height = move.height;
    shape.width = move.width;
  }
  return shape;
}

ImageSources::ImageSources(std::vector<ImageSource> sources) : sources_(std::move(sources)) {
  if (sources_.empty()) fail("there is no source");
  size_t end = 0;
  for (ImageSource& source : sources_) {
    check_source(source);
    const ImageShape shape = source.sample_shape(), first = sources_[0].sample_shape();
    if (!(shape == first)) fail("sources give images of " + text(first) + " and " + text(shape));
    end += source.label_count;
    ends_.push_back(end);
    has_ops_ = has_ops_ || source.has_ops;
    workers_ = std::max(workers_, source.workers);
  }
}

ImageSources::Place ImageSources::at(int32_t index) const {
  const size_t wanted = static_cast<size_t>(index);
  const auto end = std::upper_bound(ends_.begin(), ends_.end(), wanted);
  const size_t place = static_cast<size_t>(end - ends_.begin());
  const size_t begin = place == 0 ? 0 : ends_[place - 1];
  return {sources_[place], static_cast<int32_t>(wanted - begin)};
}

void ImageSources::check_indices(const int32_t* indices, size_t rows) const {
  for (size_t r = 0; r < rows; r++) {
    if (indices[r] >= 0 && static_cast<size_t>(indices[r]) < ends_.back()) continue;
    fail("index " + std::to_string(indices[r]) + " at place " + std::to_string(r) +
         " is out of range for " + std::to_string(ends_.back()) + " images");
  }
}

void fill_batch(const ImageSources& sources, const BatchOrder& order, ThreadPool& pool,
                float* inputs, int64_t* targets) {
  const int parts = static_cast<int>(std::min<size_t>(sources.workers(), order.rows));
  const size_t size = sources.sample_size();
  std::atomic<size_t> next{0};
  auto work = [&] {
    ImageScratch scratch;
    for (size_t row = next++; row < order.rows; row = next++) {
      const auto [source, index] = sources.at(order.indices[row]);
      targets[row] = source.labels[index];
      const ImageWork* done = source.has_ops ? &(*order.work)[row] : nullptr;
      fill_row(source, index, order.epoch, done, scratch, inputs + row * size);
    }
  };
  if (parts <= 1) return work();
  using Work = decltype(work);
  pool.run(
      parts, [](void* context, int) { (*static_cast<Work*>(context))(); }, &work);
}

}  // namespace torchts
