// conv2d_bwd_weight for few output channels, stride 1, one group, float32: vectors lie along the
// width of the output, and a tile of channels times taps stays in registers.
//   dw[o][c][i][j] = sum over n, p, q of dy[o][p][q] x[c][p + i - pad][q + j - pad]
// Overwrites (`=`), sums in float32 lanes, which are summed per thread and joined in order.
#include <array>
#include <utility>

#include "../runtime/parallel.h"
#include "conv2d_rows.h"
#include "register.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

using namespace conv2d_rows;

#if defined(__AVX512F__)
constexpr int kMaxGradChannels = 4;
#else
constexpr int kMaxGradChannels = 2;
#endif
constexpr int kMaxTaps = 5;

struct GradTile {
  int64_t rows, columns;  // of the output; at least one vector of columns
  const float* dy;        // at the tile's first channel
  int64_t dy_channel, dy_row;
  const float* x;  // at the tile's first tap
  int64_t x_row;
  float* sums;                     // [channel][tap] vectors
  int64_t sums_channel, sums_tap;  // floats from channel to channel, and from tap to tap
};

// Taps of one column of the kernel: from row to row of the output only one row of x is new.
template <int kChannels, int kTaps>
void run_grad_tile(const GradTile& tile) {
  VecF sum[kChannels][kTaps];
  for (int o = 0; o < kChannels; o++) {
    for (int i = 0; i < kTaps; i++) {
      sum[o][i] = load(tile.sums + o * tile.sums_channel + i * tile.sums_tap);
    }
  }
  // The last vector ends with the row; of its lanes, those the one before has done are masked.
  const int64_t last = tile.columns - kLane;
  const int64_t done = last % kLane == 0 ? 0 : kLane - last % kLane;
  VecI fresh;
  for (int l = 0; l < kLane; l++) fresh[l] = l < done ? 0 : -1;
  for (int64_t column = 0; column < tile.columns; column += kLane) {
    const int64_t q = std::min(column, last);
    const VecI mask = q == last ? fresh : ~VecI{};
    const float* dy = tile.dy + q;
    const float* x = tile.x + q;
    const auto next_row = [&] {
      VecF in = bit_cast<VecF>(bit_cast<VecI>(load(x)) & mask);
      keep_in_register(in);
      x += tile.x_row;
      return in;
    };
    VecF in[kTaps];
    for (int i = 0; i + 1 < kTaps; i++) in[i] = next_row();
    for (int64_t p = 0; p < tile.rows; p++, dy += tile.dy_row) {
      in[kTaps - 1] = next_row();
      for (int o = 0; o < kChannels; o++) {
        VecF grad = load(dy + o * tile.dy_channel);
        keep_in_register(grad);
        for (int i = 0; i < kTaps; i++) sum[o][i] += grad * in[i];
      }
      for (int i = 0; i + 1 < kTaps; i++) in[i] = in[i + 1];
    }
  }
  for (int o = 0; o < kChannels; o++) {
    for (int i = 0; i < kTaps; i++) {
      store<float>(tile.sums + o * tile.sums_channel + i * tile.sums_tap, sum[o][i]);
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
    grad_tiles<1>(kTapIndices),
    grad_tiles<2>(kTapIndices),
#if defined(__AVX512F__)
    grad_tiles<3>(kTapIndices),
    grad_tiles<4>(kTapIndices),
#endif
};

class Conv2dRowsBwdWeight final : public Kernel {
 public:
  Conv2dRowsBwdWeight(const Correlation& sizes, int threads)
      : s_(sizes), image_(sizes, s_.pad_top, s_.pad_bottom()), copies_(image_.is_padded()) {
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
      if (copies_) image_.clear(copy);
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
    tile.rows = s_.out_height;
    tile.columns = s_.out_width;
    tile.dy_channel = s_.out_height * s_.out_width;
    tile.dy_row = s_.out_width;
    tile.x_row = copies_ ? image_.row : s_.in_width;
    tile.sums_channel = s_.in_channels * s_.taps() * kLane;
    tile.sums_tap = s_.kernel_width * kLane;
    const int64_t blocks = (s_.out_channels + kMaxGradChannels - 1) / kMaxGradChannels;
    const int64_t columns = (s_.kernel_height + kMaxTaps - 1) / kMaxTaps;
    for (int64_t b = 0; b < blocks; b++) {
      const int64_t o = s_.out_channels * b / blocks;
      const int64_t channels = s_.out_channels * (b + 1) / blocks - o;
      tile.dy = dy + o * tile.dy_channel;
      for (int64_t c = 0; c < s_.in_channels; c++) {
        for (int64_t t = 0; t < columns; t++) {
          const int64_t i = s_.kernel_height * t / columns;
          const int64_t taps = s_.kernel_height * (t + 1) / columns - i;
          for (int64_t j = 0; j < s_.kernel_width; j++) {
            tile.x = x + (c * image_.rows + i) * tile.x_row + j;
            const int64_t tap = (c * s_.kernel_height + i) * s_.kernel_width + j;
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

bool supports_bwd_weight(const KernelSpec& spec) {
  const Conv2d s = Conv2d::backward_weight(spec);
  return is_simple(spec, s) && s.out_channels <= 2 * kMaxChannels && s.out_width >= kLane &&
         fills_lanes(s.out_width);
}

std::unique_ptr<Kernel> make_bwd_weight(const KernelSpec& spec) {
  return std::make_unique<Conv2dRowsBwdWeight>(forward_of(Conv2d::backward_weight(spec)),
                                               spec.threads);
}

}  // namespace

void register_conv2d_rows_bwd_weight(Registry& registry) {
  registry.add({"conv2d_bwd_weight", "rows", 20, supports_bwd_weight, make_bwd_weight});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
