// conv2d_fwd and conv2d_bwd_data for few output channels, stride 1, one group, float32: vectors lie
// along the width of the output, and a tile of channels times vectors stays in registers.
//   y[o][p][q] = sum w[o][c][i][j] x[c][p + i - pad][q + j - pad]; the gradient of x is the same
//   sum over y's gradient with flipped weights and pad' = k - 1 - pad
// The epilogue is applied in registers. Overwrites (`=`), sums in float32 lanes. Threads take
// images (or bands of rows).
#include "conv2d_rows.h"

#include <array>
#include <utility>

#include "../runtime/parallel.h"
#include "register.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

using namespace conv2d_rows;

Correlation backward_data_of(const Conv2d& s) {
  return {s.batch,
          s.out_channels,
          s.out_height,
          s.out_width,
          s.in_channels,
          s.height,
          s.width,
          s.kernel_height,
          s.kernel_width,
          s.kernel_height - 1 - s.padding[0],
          s.kernel_width - 1 - s.padding[1]};
}

struct RowTile {
  int64_t in_channels, kernel_width;
  int64_t x_channel, x_row;     // steps
  int64_t first_tap, last_tap;  // rows of the kernel that meet the image
  const float* x;               // at the first vector's first column, kernel row 0
  const float* w;               // [taps][in_channels][channels of the tile]
  float* y;
  int64_t y_channel;
  int64_t x_second, y_second;  // from the first vector to the second
  int64_t columns;             // to write of a vector
  // The epilogue: one value for each channel of the tile, elements at y's places; null for none.
  const float* bias;
  const float* add;
  bool relu;
};

template <int kChannels, int kVectors>
void run_row_tile(const RowTile& tile) {
  VecF sum[kChannels][kVectors] = {};
  // Channels innermost, the order in which oneDNN adds: where two values of a pooling window are as
  // good as equal, the same one is then the larger in PyTorch.
  const float* w = tile.w + tile.first_tap * tile.kernel_width * tile.in_channels * kChannels;
  for (int64_t i = tile.first_tap; i < tile.last_tap; i++) {
    for (int64_t j = 0; j < tile.kernel_width; j++) {
      const float* x = tile.x + i * tile.x_row + j;
      for (int64_t c = 0; c < tile.in_channels; c++, x += tile.x_channel, w += kChannels) {
        VecF in[kVectors];
        for (int v = 0; v < kVectors; v++) in[v] = load(x + v * tile.x_second);
        for (int o = 0; o < kChannels; o++) {
          const VecF weight = splat(w[o]);
          for (int v = 0; v < kVectors; v++) sum[o][v] += weight * in[v];
        }
      }
    }
  }
  for (int o = 0; o < kChannels; o++) {
    for (int v = 0; v < kVectors; v++) {
      const int64_t at = o * tile.y_channel + v * tile.y_second;
      const bool whole = tile.columns == kLane;
      VecF out = sum[o][v];
      if (tile.bias != nullptr) out += tile.bias[o];
      if (tile.add != nullptr) {
        out += whole ? load(tile.add + at) : load_partial(tile.add + at, tile.columns);
      }
      if (tile.relu) out = select(out <= 0, VecF{}, out);
      if (whole)
        store<float>(tile.y + at, out);
      else
        store_partial<float>(tile.y + at, out, tile.columns);
    }
  }
}

using RowTileFn = void (*)(const RowTile&);
template <int kVectors, size_t... kIndex>
constexpr std::array<RowTileFn, kMaxChannels> row_tiles(std::index_sequence<kIndex...>) {
  return {run_row_tile<static_cast<int>(kIndex) + 1, kVectors>...};
}
constexpr auto kOneVector = row_tiles<1>(std::make_index_sequence<kMaxChannels>());
constexpr auto kTwoVectors = row_tiles<2>(std::make_index_sequence<kMaxChannels>());

class Conv2dRows final : public Kernel {
 public:
  Conv2dRows(const Correlation& sizes, bool flip, const Epilogue& epilogue, int threads)
      : s_(sizes),
        flip_(flip),
        epilogue_(epilogue),
        pairs_(s_.out_width <= kLane),
        image_(sizes, pairs_ && s_.pad_top > 0, pairs_ && s_.pad_bottom() > 0),
        copies_(image_.is_padded() || s_.out_width < kLane),
        blocks_((s_.out_channels + kMaxChannels - 1) / kMaxChannels) {
    threads_ = useful_threads(threads, s_.work(), kGrain);
    // With fewer images than threads, each image is cut into bands of rows.
    bands_ = s_.batch % threads_ == 0 ? 1 : std::min<int64_t>(threads_, s_.out_height);
    threads_ = static_cast<int>(std::clamp<int64_t>(s_.batch * bands_, 1, threads_));
  }

  size_t scratch_bytes() const override {
    return (weight_elements() + (copies_ ? threads_ * image_.elements() : 0)) * sizeof(float);
  }

  void run(const Operands& operands) override {
    const float* x = operands.in<float>(0);
    float* weights = static_cast<float*>(operands.scratch);
    pack_weights(operands.in<float>(1), weights);
    parallel_ranges(threads_, s_.batch * bands_, [&](int64_t begin, int64_t end, int thread) {
      float* copy = weights + weight_elements() + thread * image_.elements();
      if (copies_) image_.clear(copy);
      int64_t copied = -1;
      for (int64_t unit = begin; unit < end; unit++) {
        const int64_t n = unit / bands_, band = unit % bands_;
        const float* image = x + n * s_.in_channels * s_.in_height * s_.in_width;
        if (copies_ && copied != n) image_.copy(image, copy);
        copied = n;
        run_rows(copies_ ? copy : image, weights, output(operands, n),
                 s_.out_height * band / bands_, s_.out_height * (band + 1) / bands_);
      }
    });
  }

 private:
  // Where the results of one image go, and what is added to them.
  struct Output {
    float* y;
    const float* bias;
    const float* add;
  };

  Output output(const Operands& operands, int64_t n) const {
    const int64_t at = n * s_.out_channels * s_.out_height * s_.out_width;
    const auto operand = [&](int place) { return place < 0 ? nullptr : operands.in<float>(place); };
    const float* add = operand(epilogue_.add);
    return {operands.out<float>(0) + at, operand(epilogue_.bias), add == nullptr ? add : add + at};
  }

  int64_t weight_elements() const {
    return round_up(s_.out_channels * s_.in_channels * s_.taps(), 16);
  }
  int64_t block_begin(int64_t block) const { return s_.out_channels * block / blocks_; }
  int64_t channels(int64_t block) const { return block_begin(block + 1) - block_begin(block); }

  // To [block of output channels][tap][in channel][channel of the block].
  void pack_weights(const float* w, float* to) const {
    const int64_t taps = s_.taps();
    for (int64_t b = 0; b < blocks_; b++) {
      for (int64_t t = 0; t < taps; t++) {
        for (int64_t c = 0; c < s_.in_channels; c++) {
          for (int64_t o = block_begin(b); o < block_begin(b + 1); o++) {
            *to++ = flip_ ? w[(c * s_.out_channels + o) * taps + taps - 1 - t]
                          : w[(o * s_.in_channels + c) * taps + t];
          }
        }
      }
    }
  }

  void run_rows(const float* x, const float* weights, const Output& out, int64_t begin,
                int64_t end) const {
    RowTile tile;
    tile.relu = epilogue_.relu;
    tile.in_channels = s_.in_channels;
    tile.kernel_width = s_.kernel_width;
    tile.x_row = copies_ ? image_.row : s_.in_width;
    tile.x_channel = image_.rows * tile.x_row;
    tile.y_channel = s_.out_height * s_.out_width;
    tile.columns = std::min(kLane, s_.out_width);
    for (int64_t p = begin; p < end; p++) {
      const bool pair = pairs_ && p + 1 < end;
      set_taps(p, pair ? p + 1 : p, &tile);
      const float* row = x + (p - s_.pad_top + image_.top) * tile.x_row;
      for (int64_t b = 0; b < blocks_; b++) {
        tile.w = weights + block_begin(b) * s_.in_channels * s_.taps();
        pair ? run_pair(tile, row, out, p, b) : run_row(tile, row, out, p, b);
      }
      p += pair;
    }
  }

  // The kernel's rows that meet the image in any of the outputs' rows `first` to `last`.
  void set_taps(int64_t first, int64_t last, RowTile* tile) const {
    const int64_t top = last - s_.pad_top, bottom = s_.in_height + s_.pad_top - first;
    tile->first_tap = std::clamp<int64_t>(-top, 0, s_.kernel_height);
    tile->last_tap = std::clamp<int64_t>(bottom, tile->first_tap, s_.kernel_height);
  }

  // Two narrow rows at once, so that a weight is read for two vectors.
  void run_pair(RowTile tile, const float* row, const Output& out, int64_t p, int64_t b) const {
    tile.x = row;
    tile.x_second = tile.x_row;
    tile.y_second = s_.out_width;
    place(out, p, 0, b, &tile);
    kTwoVectors[channels(b) - 1](tile);
  }

  // A row, two vectors at a time. The last may overlap the one before: it writes the same again.
  void run_row(RowTile tile, const float* row, const Output& out, int64_t p, int64_t b) const {
    const int64_t last = std::max<int64_t>(0, s_.out_width - kLane);
    for (int64_t q = 0; q <= last; q += 2 * kLane) {
      tile.x = row + q;
      place(out, p, q, b, &tile);
      tile.x_second = tile.y_second = std::min(kLane, last - q);
      (last > q ? kTwoVectors : kOneVector)[channels(b) - 1](tile);
    }
    if (last % (2 * kLane) > kLane) {
      tile.x = row + last;
      place(out, p, last, b, &tile);
      kOneVector[channels(b) - 1](tile);
    }
  }

  // Where the tile's results go, and what is added to them.
  void place(const Output& out, int64_t p, int64_t q, int64_t b, RowTile* tile) const {
    const int64_t o = block_begin(b), at = o * tile->y_channel + p * s_.out_width + q;
    tile->y = out.y + at;
    tile->bias = out.bias == nullptr ? nullptr : out.bias + o;
    tile->add = out.add == nullptr ? nullptr : out.add + at;
  }

  const Correlation s_;
  const bool flip_;
  const Epilogue epilogue_;
  const bool pairs_;
  const PaddedImage image_;
  const bool copies_;
  const int64_t blocks_;
  int64_t bands_;
  int threads_;
};

bool supports_fwd(const KernelSpec& spec) {
  const Conv2d s = Conv2d::forward(spec);
  return is_simple(spec, s) && s.out_channels <= 2 * kMaxChannels && fills_lanes(s.out_width);
}
bool supports_bwd_data(const KernelSpec& spec) {
  const Conv2d s = Conv2d::backward_data(spec);
  return is_simple(spec, s) && s.in_channels <= 2 * kMaxChannels && fills_lanes(s.width) &&
         s.padding[0] < s.kernel_height && s.padding[1] < s.kernel_width;
}

std::unique_ptr<Kernel> make_fwd(const KernelSpec& spec) {
  return std::make_unique<Conv2dRows>(forward_of(Conv2d::forward(spec)), false,
                                      epilogue_of(spec, 1), spec.threads);
}
std::unique_ptr<Kernel> make_bwd_data(const KernelSpec& spec) {
  return std::make_unique<Conv2dRows>(backward_data_of(Conv2d::backward_data(spec)), true,
                                      Epilogue{}, spec.threads);
}

}  // namespace

void register_conv2d_rows(Registry& registry) {
  registry.add({"conv2d_fwd", "rows", 20, supports_fwd, make_fwd});
  registry.add({"conv2d_bwd_data", "rows", 20, supports_bwd_data, make_bwd_data});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
