// max_pool2d_fwd: y[n][c][p][q] = max over the window of x[n][c], padding as -inf;
// x (N, C, H, W) -> y (N, C, H', W'), indices int32 (N, C, H', W'): the flat place h * W + w of
// the first maximum in the plane; NaN is maximal. float32 and float64; overwrites (`=`); planes
// are independent, so any thread count gives the same bits.
#include <algorithm>
#include <limits>
#include <type_traits>
#include <utility>

#include "../runtime/parallel.h"
#include "check.h"
#include "dispatch.h"
#include "register.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

constexpr int64_t kGrain = 1 << 15;  // window elements a thread

struct Geometry {
  int64_t planes, height, width, out_height, out_width;
  int64_t kernel[2], stride[2], padding[2], dilation[2];

  explicit Geometry(const KernelSpec& spec) {
    const Shape& x = spec.inputs[0].shape;
    const Shape& y = spec.outputs[0].shape;
    require_arity(spec, 1, 2);
    require(x.size() == 4 && y.size() == 4, "x and y must have four dimensions");
    require(x[0] == y[0] && x[1] == y[1], "x and y differ in batch or channels");
    require_shape("indices", spec.outputs[1].shape, y);
    require(spec.outputs[0].dtype == spec.inputs[0].dtype, "x and y differ in dtype");
    planes = x[0] * x[1];
    height = x[2];
    width = x[3];
    out_height = y[2];
    out_width = y[3];
    read_pair(spec.attrs, "kernel_size", 1, kernel);
    read_pair(spec.attrs, "stride", 1, stride);
    read_pair(spec.attrs, "padding", 0, padding);
    read_pair(spec.attrs, "dilation", 1, dilation);
    for (int d = 0; d < 2; d++) check_windows(d, x[2 + d], y[2 + d]);
  }

  // 2x2 windows side by side, every one of them whole.
  // Every window must hold an element of the plane, or there is no maximum.
  void check_windows(int d, int64_t size, int64_t out) const {
    for (int64_t o = 0; planes > 0 && o < out; o++) {
      const int64_t first = o * stride[d] - padding[d];
      // The first tap at or after the plane's start.
      const int64_t skipped = first < 0 ? (-first + dilation[d] - 1) / dilation[d] : 0;
      require(skipped < kernel[d] && first + skipped * dilation[d] < size,
              "a window lies wholly in the padding");
    }
  }

  // 2 x 2 windows side by side, none of which overhangs the plane.
  bool is_2x2_stride_2() const {
    if (2 * out_height > height || 2 * out_width > width) return false;
    for (int d = 0; d < 2; d++) {
      if (kernel[d] != 2 || stride[d] != 2 || padding[d] != 0 || dilation[d] != 1) return false;
    }
    // With ceil_mode the last window may reach past the input.
    return 2 * out_height <= height && 2 * out_width <= width;
  }
};

// Is `candidate` to replace `best`? The first of equals stays; NaN replaces all but NaN.
// A bool for scalars, a mask for vectors.
template <class V>
inline auto beats(V candidate, V best) {
  return (candidate > best) | ((candidate != candidate) & (best == best));
}

template <class T>
void pool_window(const Geometry& g, const T* x, int64_t p, int64_t q, T* y, int32_t* index) {
  T best = -std::numeric_limits<T>::infinity();
  int64_t place = -1;
  for (int64_t i = 0; i < g.kernel[0]; i++) {
    const int64_t h = p * g.stride[0] - g.padding[0] + i * g.dilation[0];
    if (h < 0 || h >= g.height) continue;
    for (int64_t j = 0; j < g.kernel[1]; j++) {
      const int64_t w = q * g.stride[1] - g.padding[1] + j * g.dilation[1];
      if (w < 0 || w >= g.width) continue;
      const T value = x[h * g.width + w];
      if (place < 0 || beats(value, best)) {
        best = value;
        place = h * g.width + w;
      }
    }
  }
  *y = best;
  *index = static_cast<int32_t>(place);
}

template <class T>
void pool_plane(const Geometry& g, const T* x, T* y, int32_t* indices) {
  for (int64_t p = 0; p < g.out_height; p++) {
    for (int64_t q = 0; q < g.out_width; q++) pool_window(g, x, p, q, y++, indices++);
  }
}

// `count` elements, or a whole vector if there are more; zeros behind them.
template <class T>
inline Vec<T> load_at_most(const T* from, int64_t count) {
  if (count >= kLanes<T>) return load(from);
  return count > 0 ? load_partial(from, count) : Vec<T>{};
}
template <class T>
inline void store_at_most(T* to, Vec<T> value, int64_t count) {
  if (count >= kLanes<T>)
    store<T>(to, value);
  else
    store_partial<T>(to, value, count);
}

// The even and the odd ones of the next `count` elements.
template <class T, int... kLane>
inline void load_even_odd(const T* from, int64_t count, Vec<T>* even, Vec<T>* odd,
                          std::integer_sequence<int, kLane...>) {
  const Vec<T> first = load_at_most(from, count);
  const Vec<T> second = load_at_most(from + kLanes<T>, count - kLanes<T>);
  *even = __builtin_shufflevector(first, second, (2 * kLane)...);
  *odd = __builtin_shufflevector(first, second, (2 * kLane + 1)...);
}

// All of a plane's windows, a vector of them at a time; places are counted in the lanes' own
// width and narrowed when stored.
template <class T>
void pool_plane_2x2(const Geometry& g, const T* x, T* y, int32_t* indices) {
  using Place = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;
  constexpr auto kLaneIndices = std::make_integer_sequence<int, kLanes<T>>();
  Vec<Place> two_lanes;  // 0, 2, 4, ...
  for (int l = 0; l < kLanes<T>; l++) two_lanes[l] = 2 * l;
  for (int64_t p = 0; p < g.out_height; p++, y += g.out_width, indices += g.out_width) {
    const T* top = x + 2 * p * g.width;
    const T* bottom = top + g.width;
    for (int64_t q = 0; q < g.out_width; q += kLanes<T>) {
      const int64_t count = std::min<int64_t>(kLanes<T>, g.out_width - q);
      Vec<T> a, b, c, d;
      load_even_odd(top + 2 * q, 2 * count, &a, &b, kLaneIndices);
      load_even_odd(bottom + 2 * q, 2 * count, &c, &d, kLaneIndices);
      const Vec<Place> at = two_lanes + static_cast<Place>(2 * p * g.width + 2 * q);
      const Vec<Place> right = beats(b, a), lower_right = beats(d, c);
      const Vec<T> upper = select(right, b, a), lower = select(lower_right, d, c);
      const Vec<Place> below = beats(lower, upper);
      store_at_most<T>(y + q, select(below, lower, upper), count);
      // A mask is -1, so subtracting it steps one column to the right.
      const Vec<Place> beneath = at + static_cast<Place>(g.width) - lower_right;
      const Vec<Place> place = select(below, beneath, at - right);
      if constexpr (sizeof(T) == 4)
        store_at_most<int32_t>(indices + q, place, count);
      else
        for (int64_t l = 0; l < count; l++) indices[q + l] = static_cast<int32_t>(place[l]);
    }
  }
}

template <class T>
class MaxPool2d final : public Kernel {
 public:
  explicit MaxPool2d(const KernelSpec& spec) : geometry_(spec), fast_(geometry_.is_2x2_stride_2()) {
    const int64_t work = spec.outputs[0].numel() * geometry_.kernel[0] * geometry_.kernel[1];
    threads_ = useful_threads(spec.threads, work, fast_ ? 4 * kGrain : kGrain);
  }

  void run(const Operands& operands) override {
    const T* x = operands.in<T>(0);
    T* y = operands.out<T>(0);
    int32_t* indices = operands.out<int32_t>(1);
    const int64_t in = geometry_.height * geometry_.width;
    const int64_t out = geometry_.out_height * geometry_.out_width;
    const auto pool = fast_ ? pool_plane_2x2<T> : pool_plane<T>;
    parallel_ranges(threads_, geometry_.planes, [&](int64_t begin, int64_t end, int) {
      for (int64_t c = begin; c < end; c++) {
        pool(geometry_, x + c * in, y + c * out, indices + c * out);
      }
    });
  }

 private:
  Geometry geometry_;
  bool fast_;
  int threads_;
};

std::unique_ptr<Kernel> make(const KernelSpec& spec) {
  return dispatch_floating(spec.inputs[0].dtype, [&](auto tag) -> std::unique_ptr<Kernel> {
    return std::make_unique<MaxPool2d<typename decltype(tag)::type>>(spec);
  });
}

bool supports(const KernelSpec& spec) {
  return is_native_floating(spec.inputs[0].dtype) && spec.outputs.size() == 2 &&
         spec.outputs[1].dtype == DType::int32;
}

}  // namespace

void register_max_pool2d(Registry& registry) {
  registry.add({"max_pool2d_fwd", "portable", 0, supports, make});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
