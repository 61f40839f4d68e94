// Convolutions with vectors over output channels, one group, float32, any stride and dilation:
//   conv2d_fwd:        y[o][p][q] = sum w[o][c][i][j] x[c][p s + i d - pad][q s + j d - pad]
//   conv2d_bwd_weight: dw[o][c][i][j] = sum over n, p, q of dy[o][p][q] x[c][..][..]
// A tile keeps one or two vectors of channels for several pixels (forward) or taps (gradient) in
// registers and reads x as broadcasts; y and dy pass through a [pixel][channel] copy of an image.
// A bias and ReLU are applied in registers. Overwrites (`=`), sums in float32. Threads take images;
// weight gradients are summed per thread and joined in order.
#include <algorithm>
#include <array>
#include <utility>

#include "../runtime/parallel.h"
#include "conv2d.h"
#include "register.h"
#include "transpose.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

constexpr int64_t kGrain = 1 << 18;  // multiplications a thread
constexpr int64_t kLane = kLanes<float>;
#if defined(__AVX512F__)
constexpr int kTileVectors = 1;
constexpr int kMaxPixels = 14;
#else
constexpr int kTileVectors = 2;
constexpr int kMaxPixels = 5;
#endif
constexpr int kMaxTaps = kMaxPixels > 7 ? 7 : kMaxPixels;
constexpr int64_t kTileChannels = kTileVectors * kLane;

int64_t round_up(int64_t value, int64_t to) { return (value + to - 1) / to * to; }

// x with its padding written out, so that every tap of every pixel is in memory.
struct Image {
  int64_t channels, height, width, top, left, rows, row;

  explicit Image(const Conv2d& s)
      : channels(s.in_channels),
        height(s.height),
        width(s.width),
        top(s.padding[0]),
        left(s.padding[1]),
        rows(std::max(s.height + top, s.reach(0))),
        row(std::max(s.width + left, s.reach(1))) {}

  bool is_padded() const { return rows > height || row > width; }
  int64_t elements() const { return is_padded() ? round_up(channels * rows * row, 16) : 0; }

  void copy(const float* x, float* to) const {
    for (int64_t c = 0; c < channels; c++) {
      to = std::fill_n(to, top * row + left, 0.0f);
      for (int64_t h = 0; h < height; h++, x += width) {
        to = std::copy_n(x, width, to);
        to = std::fill_n(to, h + 1 < height ? row - width : row - width - left, 0.0f);
      }
      to = std::fill_n(to, (rows - top - height) * row, 0.0f);
    }
  }
};

// ---- forward ----

struct PixelTile {
  int64_t in_channels, kernel_height, kernel_width;
  int64_t x_channel, x_row, x_column;  // steps of channel, kernel row and kernel column
  int64_t x_pixel;                     // step from pixel to pixel
  const float* x;
  const float* w;  // [in channel][tap] vectors, `w_tap` floats from tap to tap
  int64_t w_tap;
  float* y;  // [pixel] vectors, `y_pixel` floats from pixel to pixel
  int64_t y_pixel;
  const float* bias;  // of the tile's channels, or null
  bool relu;
};

template <int kPixels>
void run_pixel_tile(const PixelTile& tile) {
  VecF sum[kPixels][kTileVectors] = {};
  const float* w = tile.w;
  for (int64_t c = 0; c < tile.in_channels; c++) {
    for (int64_t i = 0; i < tile.kernel_height; i++) {
      const float* x = tile.x + c * tile.x_channel + i * tile.x_row;
      for (int64_t j = 0; j < tile.kernel_width; j++, x += tile.x_column, w += tile.w_tap) {
        VecF weight[kTileVectors];
        for (int v = 0; v < kTileVectors; v++) weight[v] = load(w + v * kLane);
        for (int q = 0; q < kPixels; q++) {
          const VecF in = splat(x[q * tile.x_pixel]);
          for (int v = 0; v < kTileVectors; v++) sum[q][v] += in * weight[v];
        }
      }
    }
  }
  for (int q = 0; q < kPixels; q++) {
    for (int v = 0; v < kTileVectors; v++) {
      VecF out = sum[q][v];
      if (tile.bias != nullptr) out += load(tile.bias + v * kLane);
      if (tile.relu) out = select(out <= 0, VecF{}, out);
      store<float>(tile.y + q * tile.y_pixel + v * kLane, out);
    }
  }
}

using PixelTileFn = void (*)(const PixelTile&);
template <size_t... kIndex>
constexpr std::array<PixelTileFn, kMaxPixels> pixel_tiles(std::index_sequence<kIndex...>) {
  return {run_pixel_tile<static_cast<int>(kIndex) + 1>...};
}
constexpr auto kPixelTiles = pixel_tiles(std::make_index_sequence<kMaxPixels>());

// Sizes, threads and scratch common to both kernels.
class Conv2dChannels : public Kernel {
 public:
  Conv2dChannels(const Conv2d& sizes, int threads)
      : s_(sizes), image_(sizes), lanes_(round_up(s_.out_channels, kTileChannels)) {
    threads_ = useful_threads(threads, s_.work(), kGrain);
    threads_ = static_cast<int>(std::clamp<int64_t>(s_.batch, 1, threads_));
  }

 protected:
  int64_t image_elements() const { return s_.in_channels * s_.in_pixels(); }
  int64_t out_elements() const { return s_.out_channels * s_.out_pixels(); }
  int64_t x_row() const { return image_.row; }
  int64_t x_channel() const { return image_.rows * image_.row; }
  int64_t pixels_elements() const { return s_.out_pixels() * lanes_; }
  // The image itself, or its padded copy.
  const float* padded(const float* x, float* copy) const {
    if (!image_.is_padded()) return x;
    image_.copy(x, copy);
    return copy;
  }

  const Conv2d s_;
  const Image image_;
  const int64_t lanes_;  // output channels, rounded up to whole tiles
  int threads_;
};

class Conv2dChannelsFwd final : public Conv2dChannels {
 public:
  explicit Conv2dChannelsFwd(const KernelSpec& spec)
      : Conv2dChannels(Conv2d::forward(spec), spec.threads), epilogue_(epilogue_of(spec, 1)) {}

  size_t scratch_bytes() const override {
    return (weight_elements() + lanes_ + threads_ * thread_elements()) * sizeof(float);
  }

  void run(const Operands& operands) override {
    const float* x = operands.in<float>(0);
    float* y = operands.out<float>(0);
    float* weights = static_cast<float*>(operands.scratch);
    float* bias = weights + weight_elements();
    pack_weights(operands.in<float>(1), weights);
    if (epilogue_.bias >= 0) {
      std::copy_n(operands.in<float>(epilogue_.bias), s_.out_channels, bias);
      std::fill(bias + s_.out_channels, bias + lanes_, 0.0f);
    }
    parallel_ranges(threads_, s_.batch, [&](int64_t begin, int64_t end, int thread) {
      float* pixels = bias + lanes_ + thread * thread_elements();
      float* copy = pixels + pixels_elements();
      for (int64_t n = begin; n < end; n++) {
        run_image(padded(x + n * image_elements(), copy), weights, bias, pixels);
        transpose(pixels, lanes_, s_.out_pixels(), s_.out_channels, y + n * out_elements(),
                  s_.out_pixels());
      }
    });
  }

 private:
  int64_t weight_elements() const { return s_.in_channels * s_.taps() * lanes_; }
  int64_t thread_elements() const { return pixels_elements() + image_.elements(); }

  // To [in channel][tap][output channel], zeros in the lanes beyond the channels.
  void pack_weights(const float* w, float* to) const {
    const int64_t inner = s_.in_channels * s_.taps();
    if (lanes_ != s_.out_channels) std::fill(to, to + inner * lanes_, 0.0f);
    transpose(w, inner, s_.out_channels, inner, to, lanes_);
  }

  void run_image(const float* x, const float* weights, const float* bias, float* pixels) const {
    PixelTile tile;
    tile.relu = epilogue_.relu;
    tile.in_channels = s_.in_channels;
    tile.kernel_height = s_.kernel_height;
    tile.kernel_width = s_.kernel_width;
    tile.x_channel = x_channel();
    tile.x_row = s_.dilation[0] * x_row();
    tile.x_column = s_.dilation[1];
    tile.x_pixel = s_.stride[1];
    tile.w_tap = tile.y_pixel = lanes_;
    const int64_t tiles = (s_.out_width + kMaxPixels - 1) / kMaxPixels;
    for (int64_t o = 0; o < lanes_; o += kTileChannels) {
      tile.w = weights + o;
      tile.bias = epilogue_.bias < 0 ? nullptr : bias + o;
      for (int64_t p = 0; p < s_.out_height; p++) {
        for (int64_t t = 0; t < tiles; t++) {
          const int64_t q = s_.out_width * t / tiles;
          const int64_t count = s_.out_width * (t + 1) / tiles - q;
          tile.x = x + p * s_.stride[0] * x_row() + q * s_.stride[1];
          tile.y = pixels + (p * s_.out_width + q) * lanes_ + o;
          kPixelTiles[count - 1](tile);
        }
      }
    }
  }

  const Epilogue epilogue_;
};

// ---- gradient of w ----

struct TapTile {
  int64_t rows, columns;  // of the output
  const float* dy;        // [pixel] vectors, `dy_pixel` floats from pixel to pixel
  int64_t dy_pixel;
  const float* x;                  // at the first tap
  int64_t x_row, x_column, x_tap;  // steps from pixel to pixel, and from tap to tap
  float* sums;                     // [tap] vectors, `dy_pixel` floats from tap to tap
};

template <int kTaps>
void run_tap_tile(const TapTile& tile) {
  VecF sum[kTaps][kTileVectors];
  for (int t = 0; t < kTaps; t++) {
    for (int v = 0; v < kTileVectors; v++) {
      sum[t][v] = load(tile.sums + t * tile.dy_pixel + v * kLane);
    }
  }
  const float* dy = tile.dy;
  for (int64_t p = 0; p < tile.rows; p++) {
    const float* x = tile.x + p * tile.x_row;
    for (int64_t q = 0; q < tile.columns; q++, x += tile.x_column, dy += tile.dy_pixel) {
      VecF grad[kTileVectors];
      for (int v = 0; v < kTileVectors; v++) grad[v] = load(dy + v * kLane);
      for (int t = 0; t < kTaps; t++) {
        const VecF in = splat(x[t * tile.x_tap]);
        for (int v = 0; v < kTileVectors; v++) sum[t][v] += in * grad[v];
      }
    }
  }
  for (int t = 0; t < kTaps; t++) {
    for (int v = 0; v < kTileVectors; v++) {
      store<float>(tile.sums + t * tile.dy_pixel + v * kLane, sum[t][v]);
    }
  }
}

using TapTileFn = void (*)(const TapTile&);
template <size_t... kIndex>
constexpr std::array<TapTileFn, kMaxTaps> tap_tiles(std::index_sequence<kIndex...>) {
  return {run_tap_tile<static_cast<int>(kIndex) + 1>...};
}
constexpr auto kTapTiles = tap_tiles(std::make_index_sequence<kMaxTaps>());

class Conv2dChannelsBwdWeight final : public Conv2dChannels {
 public:
  explicit Conv2dChannelsBwdWeight(const KernelSpec& spec)
      : Conv2dChannels(Conv2d::backward_weight(spec), spec.threads) {}

  size_t scratch_bytes() const override { return threads_ * thread_elements() * sizeof(float); }

  void run(const Operands& operands) override {
    const float* dy = operands.in<float>(0);
    const float* x = operands.in<float>(1);
    float* scratch = static_cast<float*>(operands.scratch);
    parallel_ranges(threads_, s_.batch, [&](int64_t begin, int64_t end, int thread) {
      float* sums = scratch + thread * thread_elements();
      float* pixels = sums + sum_elements();
      float* copy = pixels + pixels_elements();
      std::fill(sums, sums + sum_elements(), 0.0f);
      std::fill(pixels, pixels + pixels_elements(), 0.0f);
      for (int64_t n = begin; n < end; n++) {
        transpose(dy + n * out_elements(), s_.out_pixels(), s_.out_channels, s_.out_pixels(),
                  pixels, lanes_);
        add_image(padded(x + n * image_elements(), copy), pixels, sums);
      }
    });
    if (s_.batch == 0) std::fill(scratch, scratch + sum_elements(), 0.0f);
    for (int t = 1; t < threads_; t++) {
      const float* part = scratch + t * thread_elements();
      for (int64_t i = 0; i < sum_elements(); i++) scratch[i] += part[i];
    }
    const int64_t inner = s_.in_channels * s_.taps();
    transpose<float>(scratch, lanes_, inner, s_.out_channels, operands.out<float>(0), inner);
  }

 private:
  int64_t sum_elements() const { return s_.in_channels * s_.taps() * lanes_; }
  int64_t thread_elements() const { return sum_elements() + pixels_elements() + image_.elements(); }

  void add_image(const float* x, const float* pixels, float* sums) const {
    TapTile tile;
    tile.rows = s_.out_height;
    tile.columns = s_.out_width;
    tile.dy_pixel = lanes_;
    tile.x_row = s_.stride[0] * x_row();
    tile.x_column = s_.stride[1];
    tile.x_tap = s_.dilation[1];
    const int64_t tiles = (s_.kernel_width + kMaxTaps - 1) / kMaxTaps;
    for (int64_t o = 0; o < lanes_; o += kTileChannels) {
      tile.dy = pixels + o;
      for (int64_t c = 0; c < s_.in_channels; c++) {
        for (int64_t i = 0; i < s_.kernel_height; i++) {
          for (int64_t t = 0; t < tiles; t++) {
            const int64_t j = s_.kernel_width * t / tiles;
            const int64_t taps = s_.kernel_width * (t + 1) / tiles - j;
            tile.x = x + c * x_channel() + i * s_.dilation[0] * x_row() + j * s_.dilation[1];
            tile.sums = sums + ((c * s_.kernel_height + i) * s_.kernel_width + j) * lanes_ + o;
            kTapTiles[taps - 1](tile);
          }
        }
      }
    }
  }
};

// Are lanes over the output channels well filled?
bool fills_lanes(const KernelSpec& spec, const Conv2d& s) {
  return spec.outputs[0].dtype == DType::float32 && s.groups == 1 && s.out_pixels() > 0 &&
         4 * s.out_channels >= 3 * round_up(s.out_channels, kTileChannels);
}

bool supports_fwd(const KernelSpec& spec) {
  return fills_lanes(spec, Conv2d::forward(spec)) && epilogue_of(spec, 1).add < 0;
}
bool supports_bwd_weight(const KernelSpec& spec) {
  return fills_lanes(spec, Conv2d::backward_weight(spec));
}

template <class K>
std::unique_ptr<Kernel> make(const KernelSpec& spec) {
  return std::make_unique<K>(spec);
}

}  // namespace

void register_conv2d_channels(Registry& registry) {
  registry.add({"conv2d_fwd", "channels", 10, supports_fwd, make<Conv2dChannelsFwd>});
  registry.add(
      {"conv2d_bwd_weight", "channels", 10, supports_bwd_weight, make<Conv2dChannelsBwdWeight>});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
