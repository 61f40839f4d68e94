// The three convolutions for few output channels, stride 1, one group, float32: vectors lie along
// the width of the output, and a tile of channels times vectors stays in registers.
//   conv2d_fwd, conv2d_bwd_data: y[o][p][q] = sum w[o][c][i][j] x[c][p + i - pad][q + j - pad];
//     the gradient of x is the same sum over y's gradient with flipped weights and pad' = k-1-pad
//   conv2d_bwd_weight: dw[o][c][i][j] = sum over n, p, q of dy[o][p][q] x[c][p + i - pad][..]
// The epilogue is applied in registers. Overwrites (`=`), sums in float32 lanes. Threads take
// images (or bands of rows); weight gradients are summed per thread and joined in order.
#include <algorithm>
#include <array>
#include <utility>

#include "../runtime/parallel.h"
#include "conv2d.h"
#include "register.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

constexpr int64_t kGrain = 1 << 18;  // multiplications a thread
constexpr int kMaxChannels = 6;      // of a tile: with two vectors they fit 16 registers
constexpr int64_t kLane = kLanes<float>;

int64_t round_up(int64_t value, int64_t to) { return (value + to - 1) / to * to; }

// A correlation with stride 1: forward, or the gradient of x seen as one.
struct Correlation {
  int64_t batch, in_channels, in_height, in_width, out_channels, out_height, out_width;
  int64_t kernel_height, kernel_width, pad_top, pad_left;

  int64_t taps() const { return kernel_height * kernel_width; }
  int64_t work() const {
    return batch * out_channels * out_height * out_width * in_channels * taps();
  }
};

Correlation forward_of(const Conv2d& s) {
  return {s.batch,     s.in_channels,   s.height,       s.width,      s.out_channels, s.out_height,
          s.out_width, s.kernel_height, s.kernel_width, s.padding[0], s.padding[1]};
}
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

// One image with zeros left and right of every row, and a vector's width behind it.
struct PaddedImage {
  int64_t channels, height, width, left, row;

  PaddedImage(const Correlation& s)
      : channels(s.in_channels),
        height(s.in_height),
        width(s.in_width),
        left(s.pad_left),
        row(std::max(s.in_width + s.pad_left, s.out_width + s.kernel_width - 1)) {}

  int64_t elements() const { return round_up(channels * height * row + kLane, 16); }

  void copy(const float* x, float* to) const {
    for (int64_t r = 0; r < channels * height; r++, x += width, to += row) {
      std::fill(to, to + left, 0.0f);
      std::copy(x, x + width, to + left);
      std::fill(to + left + width, to + row, 0.0f);
    }
    std::fill(to, to + kLane, 0.0f);
  }
};

// ---- forward and gradient of x ----

struct RowTile {
  int64_t in_channels, kernel_width;
  int64_t x_channel, x_row;     // steps
  int64_t first_tap, last_tap;  // rows of the kernel that meet the image
  const float* x;               // at the first vector's first column, kernel row 0
  const float* w;               // [taps][in_channels][channels of the tile]
  float* y;
  int64_t y_channel;
  int64_t second;   // columns from the first vector to the second
  int64_t columns;  // to write of a vector
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
        for (int v = 0; v < kVectors; v++) in[v] = load(x + v * tile.second);
        for (int o = 0; o < kChannels; o++) {
          const VecF weight = splat(w[o]);
          for (int v = 0; v < kVectors; v++) sum[o][v] += weight * in[v];
        }
      }
    }
  }
  for (int o = 0; o < kChannels; o++) {
    for (int v = 0; v < kVectors; v++) {
      const int64_t at = o * tile.y_channel + v * tile.second;
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
        image_(sizes),
        copies_(image_.row > s_.in_width || s_.out_width < kLane),
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
    const auto place = [&](int64_t o, int64_t p, int64_t q) {
      const int64_t at = o * tile.y_channel + p * s_.out_width + q;
      tile.y = out.y + at;
      tile.bias = out.bias == nullptr ? nullptr : out.bias + o;
      tile.add = out.add == nullptr ? nullptr : out.add + at;
    };
    tile.in_channels = s_.in_channels;
    tile.kernel_width = s_.kernel_width;
    tile.x_row = copies_ ? image_.row : s_.in_width;
    tile.x_channel = s_.in_height * tile.x_row;
    tile.y_channel = s_.out_height * s_.out_width;
    tile.columns = std::min(kLane, s_.out_width);
    const int64_t last = std::max<int64_t>(0, s_.out_width - kLane);
    for (int64_t p = begin; p < end; p++) {
      const int64_t h = p - s_.pad_top;
      tile.first_tap = std::clamp<int64_t>(-h, 0, s_.kernel_height);
      tile.last_tap = std::clamp<int64_t>(s_.in_height - h, tile.first_tap, s_.kernel_height);
      for (int64_t b = 0; b < blocks_; b++) {
        const int64_t o = block_begin(b), channels = block_begin(b + 1) - o;
        tile.w = weights + o * s_.in_channels * s_.taps();
        // The last vector may overlap the one before: it writes the same values again.
        for (int64_t q = 0; q <= last || q == 0; q += 2 * kLane) {
          tile.x = x + h * tile.x_row + q;
          place(o, p, q);
          tile.second = std::min(kLane, last - q);
          (tile.second > 0 ? kTwoVectors : kOneVector)[channels - 1](tile);
        }
        if (last % (2 * kLane) > kLane) {
          tile.x = x + h * tile.x_row + last;
          place(o, p, last);
          kOneVector[channels - 1](tile);
        }
      }
    }
  }

  const Correlation s_;
  const bool flip_;
  const Epilogue epilogue_;
  const PaddedImage image_;
  const bool copies_;
  const int64_t blocks_;
  int64_t bands_;
  int threads_;
};

// ---- gradient of w ----

#if defined(__AVX512F__)
constexpr int kGradChannels = 3;
#else
constexpr int kGradChannels = 2;
#endif
constexpr int kMaxTaps = 5;

struct GradTile {
  int64_t rows, columns;  // at least one vector of columns
  const float* dy;        // at the tile's first channel and row
  int64_t dy_channel, dy_row;
  const float* x;  // at the tile's first tap
  int64_t x_row;
  float* sums;  // [channel][tap] vectors, `sums_channel` floats from channel to channel
  int64_t sums_channel;
};

template <int kChannels, int kTaps>
void run_grad_tile(const GradTile& tile) {
  VecF sum[kChannels][kTaps];
  for (int o = 0; o < kChannels; o++) {
    for (int j = 0; j < kTaps; j++) {
      sum[o][j] = load(tile.sums + o * tile.sums_channel + j * kLane);
    }
  }
  // The last vector ends with the row; of its lanes, those the one before has done are masked.
  const int64_t last = tile.columns - kLane;
  const int64_t done = last % kLane == 0 ? 0 : kLane - last % kLane;
  VecI fresh;
  for (int l = 0; l < kLane; l++) fresh[l] = l < done ? 0 : -1;
  for (int64_t p = 0; p < tile.rows; p++) {
    const float* dy = tile.dy + p * tile.dy_row;
    const float* x = tile.x + p * tile.x_row;
    for (int64_t column = 0; column < tile.columns; column += kLane) {
      const int64_t q = std::min(column, last);
      const VecI mask = q == last ? fresh : ~VecI{};
      VecF grad[kChannels];
      for (int o = 0; o < kChannels; o++) {
        grad[o] = bit_cast<VecF>(bit_cast<VecI>(load(dy + o * tile.dy_channel + q)) & mask);
      }
      for (int j = 0; j < kTaps; j++) {
        VecF in = load(x + q + j);
        keep_in_register(in);
        for (int o = 0; o < kChannels; o++) sum[o][j] += grad[o] * in;
      }
    }
  }
  for (int o = 0; o < kChannels; o++) {
    for (int j = 0; j < kTaps; j++) {
      store<float>(tile.sums + o * tile.sums_channel + j * kLane, sum[o][j]);
    }
  }
}

using GradTileFn = void (*)(const GradTile&);
template <int kChannels, size_t... kIndex>
constexpr std::array<GradTileFn, kMaxTaps> grad_tiles(std::index_sequence<kIndex...>) {
  return {run_grad_tile<kChannels, static_cast<int>(kIndex) + 1>...};
}
constexpr auto kTapIndices = std::make_index_sequence<kMaxTaps>();
constexpr std::array<GradTileFn, kMaxTaps> kGradTiles[] = {
    grad_tiles<1>(kTapIndices), grad_tiles<2>(kTapIndices), grad_tiles<kGradChannels>(kTapIndices)};

class Conv2dRowsBwdWeight final : public Kernel {
 public:
  Conv2dRowsBwdWeight(const Correlation& sizes, int threads)
      : s_(sizes), image_(sizes), copies_(image_.row > s_.in_width) {
    threads_ = useful_threads(threads, s_.work(), kGrain);
    threads_ = static_cast<int>(std::clamp<int64_t>(s_.batch, 1, threads_));
  }

  size_t scratch_bytes() const override { return threads_ * thread_elements() * sizeof(float); }

  void run(const Operands& operands) override {
    const float* dy = operands.in<float>(0);
    const float* x = operands.in<float>(1);
    float* dw = operands.out<float>(0);
    float* scratch = static_cast<float*>(operands.scratch);
    parallel_ranges(threads_, s_.batch, [&](int64_t begin, int64_t end, int thread) {
      float* sums = scratch + thread * thread_elements();
      float* copy = sums + weights() * kLane;
      std::fill(sums, sums + weights() * kLane, 0.0f);
      for (int64_t n = begin; n < end; n++) {
        const float* image = x + n * s_.in_channels * s_.in_height * s_.in_width;
        if (copies_) image_.copy(image, copy);
        add_image(copies_ ? copy : image, dy + n * s_.out_channels * s_.out_height * s_.out_width,
                  sums);
      }
    });
    const int used = static_cast<int>(std::min<int64_t>(threads_, s_.batch));
    for (int64_t k = 0; k < weights(); k++) {
      VecF sum = {};
      for (int t = 0; t < used; t++) sum += load(scratch + t * thread_elements() + k * kLane);
      dw[k] = lane_sum(sum);
    }
  }

 private:
  int64_t weights() const { return s_.out_channels * s_.in_channels * s_.taps(); }
  int64_t thread_elements() const { return weights() * kLane + (copies_ ? image_.elements() : 0); }

  void add_image(const float* x, const float* dy, float* sums) const {
    GradTile tile;
    tile.columns = s_.out_width;
    tile.dy_channel = s_.out_height * s_.out_width;
    tile.dy_row = s_.out_width;
    tile.x_row = copies_ ? image_.row : s_.in_width;
    tile.sums_channel = s_.in_channels * s_.taps() * kLane;
    for (int64_t c = 0; c < s_.in_channels; c++) {
      for (int64_t i = 0; i < s_.kernel_height; i++) {
        // Rows p of the output for which input row p + i - pad exists.
        const int64_t first = std::clamp<int64_t>(s_.pad_top - i, 0, s_.out_height);
        const int64_t last =
            std::clamp<int64_t>(s_.in_height + s_.pad_top - i, first, s_.out_height);
        tile.rows = last - first;
        const int64_t h = first + i - s_.pad_top;
        for (int64_t j = 0; j < s_.kernel_width; j += kMaxTaps) {
          const int64_t taps = std::min<int64_t>(kMaxTaps, s_.kernel_width - j);
          tile.x = x + (c * s_.in_height + h) * tile.x_row + j;
          const int64_t tap = (c * s_.kernel_height + i) * s_.kernel_width + j;
          for (int64_t o = 0; o < s_.out_channels; o += kGradChannels) {
            const int64_t channels = std::min<int64_t>(kGradChannels, s_.out_channels - o);
            tile.dy = dy + o * tile.dy_channel + first * tile.dy_row;
            tile.sums = sums + o * tile.sums_channel + tap * kLane;
            kGradTiles[channels - 1][taps - 1](tile);
          }
        }
      }
    }
  }

  const Correlation s_;
  const PaddedImage image_;
  const bool copies_;
  int threads_;
};

// ---- choice ----

bool is_simple(const KernelSpec& spec, const Conv2d& s) {
  for (int d = 0; d < 2; d++) {
    if (s.stride[d] != 1 || s.dilation[d] != 1) return false;
  }
  return spec.outputs[0].dtype == DType::float32 && s.groups == 1 && s.taps() > 1;
}

// Are lanes along a width of `columns` well filled?
bool fills_lanes(int64_t columns) { return 4 * columns >= 3 * round_up(columns, kLane); }

bool supports_fwd(const KernelSpec& spec) {
  const Conv2d s = Conv2d::forward(spec);
  return is_simple(spec, s) && s.out_channels <= 2 * kMaxChannels && fills_lanes(s.out_width);
}
bool supports_bwd_data(const KernelSpec& spec) {
  const Conv2d s = Conv2d::backward_data(spec);
  return is_simple(spec, s) && s.in_channels <= 2 * kMaxChannels && fills_lanes(s.width) &&
         s.padding[0] < s.kernel_height && s.padding[1] < s.kernel_width;
}
bool supports_bwd_weight(const KernelSpec& spec) {
  const Conv2d s = Conv2d::backward_weight(spec);
  return is_simple(spec, s) && s.out_channels <= 2 * kMaxChannels && s.out_width >= kLane &&
         fills_lanes(s.out_width);
}

std::unique_ptr<Kernel> make_fwd(const KernelSpec& spec) {
  return std::make_unique<Conv2dRows>(forward_of(Conv2d::forward(spec)), false,
                                      epilogue_of(spec, 1), spec.threads);
}
std::unique_ptr<Kernel> make_bwd_data(const KernelSpec& spec) {
  return std::make_unique<Conv2dRows>(backward_data_of(Conv2d::backward_data(spec)), true,
                                      Epilogue{}, spec.threads);
}
std::unique_ptr<Kernel> make_bwd_weight(const KernelSpec& spec) {
  return std::make_unique<Conv2dRowsBwdWeight>(forward_of(Conv2d::backward_weight(spec)),
                                               spec.threads);
}

}  // namespace

void register_conv2d_rows(Registry& registry) {
  registry.add({"conv2d_fwd", "rows", 20, supports_fwd, make_fwd});
  registry.add({"conv2d_bwd_data", "rows", 20, supports_bwd_data, make_bwd_data});
  registry.add({"conv2d_bwd_weight", "rows", 20, supports_bwd_weight, make_bwd_weight});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
