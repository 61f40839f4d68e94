// max_pool2d_bwd: dx = 0, then dx[n][c][indices[n][c][p][q]] += g[n][c][p][q];
// g (N, C, H', W'), indices int32 of its shape -> dx (N, C, H, W). float32 and float64; overwrites
// (`=`). 2 x 2 windows side by side write every element once, without zeroing it first. Planes are
// independent, so any thread count gives the same bits. An index outside its plane throws; in 2 x 2
// windows one outside its window is ignored.
#include <algorithm>
#include <atomic>
#include <type_traits>
#include <utility>

#include "../runtime/parallel.h"
#include "check.h"
#include "dispatch.h"
#include "register.h"
#include "vec_loop.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

constexpr int64_t kGrain = 1 << 16;  // elements of x a thread

// Lane i of `even` and of `odd`, side by side, as the 2 `count` next elements of `to`.
template <class T, int... kLane>
inline void store_even_odd(T* to, Vec<T> even, Vec<T> odd, int64_t count,
                           std::integer_sequence<int, kLane...>) {
  constexpr int kCount = kLanes<T>;
  const Vec<T> first = __builtin_shufflevector(even, odd, (kLane % 2 * kCount + kLane / 2)...);
  const Vec<T> second =
      __builtin_shufflevector(even, odd, (kLane % 2 * kCount + kCount / 2 + kLane / 2)...);
  const int in_first = static_cast<int>(std::min<int64_t>(2 * count, kCount));
  store_some<T>(to, first, in_first);
  if (2 * count > kCount) store_some<T>(to + kCount, second, static_cast<int>(2 * count - kCount));
}

template <class T>
class MaxPool2dBackward final : public Kernel {
  using Place = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;

 public:
  explicit MaxPool2dBackward(const KernelSpec& spec) {
    require_arity(spec, 2);
    const Shape& g = spec.inputs[0].shape;
    const Shape& dx = spec.outputs[0].shape;
    require(g.size() == 4 && dx.size() == 4, "g and x's gradient must have four dimensions");
    require(g[0] == dx[0] && g[1] == dx[1], "g and x's gradient differ in batch or channels");
    require_shape("indices", spec.inputs[1].shape, g);
    require(spec.inputs[0].dtype == spec.outputs[0].dtype, "operands must have one dtype");
    planes_ = g[0] * g[1];
    height_ = dx[2];
    width_ = dx[3];
    out_height_ = g[2];
    out_width_ = g[3];
    is_2x2_ = 2 * out_height_ <= height_ && 2 * out_width_ <= width_;
    const auto pair = [&](const char* key, int64_t least, int64_t wanted) {
      int64_t values[2];
      read_pair(spec.attrs, key, least, values);
      is_2x2_ = is_2x2_ && values[0] == wanted && values[1] == wanted;
    };
    pair("kernel_size", 1, 2);
    pair("stride", 1, 2);
    pair("padding", 0, 0);
    pair("dilation", 1, 1);
    threads_ = useful_threads(spec.threads, spec.outputs[0].numel(), kGrain);
  }

  void run(const Operands& operands) override {
    const T* g = operands.in<T>(0);
    const int32_t* indices = operands.in<int32_t>(1);
    T* dx = operands.out<T>(0);
    const int64_t in = height_ * width_, out = out_height_ * out_width_;
    std::atomic<bool> good{true};
    parallel_ranges(threads_, planes_, [&](int64_t begin, int64_t end, int) {
      for (int64_t c = begin; c < end; c++) {
        if (is_2x2_)
          run_2x2(g + c * out, indices + c * out, dx + c * in);
        else if (!scatter(g + c * out, indices + c * out, dx + c * in))
          good = false;
      }
    });
    if (!good) throw std::runtime_error("an index is outside its plane");
  }

 private:
  bool scatter(const T* g, const int32_t* indices, T* dx) const {
    const int64_t places = height_ * width_;
    std::fill_n(dx, places, T(0));
    for (int64_t i = 0; i < out_height_ * out_width_; i++) {
      if (indices[i] < 0 || indices[i] >= places) return false;
      dx[indices[i]] += g[i];
    }
    return true;
  }

  // A vector of windows at a time: each of their four places takes g where the index names it.
  void run_2x2(const T* g, const int32_t* indices, T* dx) const {
    constexpr auto kLaneIndices = std::make_integer_sequence<int, kLanes<T>>();
    Vec<Place> two_lanes;  // 0, 2, 4, ...
    for (int l = 0; l < kLanes<T>; l++) two_lanes[l] = 2 * l;
    for (int64_t p = 0; p < out_height_; p++, g += out_width_, indices += out_width_) {
      T* top = dx + 2 * p * width_;
      for_each_vector<T>(out_width_, [&](int64_t q, int lanes) {
        const Vec<T> value = load_some(g + q, lanes);
        const Vec<Place> place = load_places(indices + q, lanes);
        const Vec<Place> first = two_lanes + static_cast<Place>(2 * p * width_ + 2 * q);
        const Vec<Place> below = first + static_cast<Place>(width_);
        const Vec<T> none = {};
        store_even_odd<T>(top + 2 * q, select(place == first, value, none),
                          select(place == first + 1, value, none), lanes, kLaneIndices);
        store_even_odd<T>(top + width_ + 2 * q, select(place == below, value, none),
                          select(place == below + 1, value, none), lanes, kLaneIndices);
      });
      for (T* row : {top, top + width_}) std::fill(row + 2 * out_width_, row + width_, T(0));
    }
    std::fill(dx + 2 * out_height_ * width_, dx + height_ * width_, T(0));
  }

  static Vec<Place> load_places(const int32_t* from, int lanes) {
    if constexpr (sizeof(Place) == sizeof(int32_t)) return load_some(from, lanes);
    Vec<Place> places = {};
    for (int l = 0; l < lanes; l++) places[l] = from[l];
    return places;
  }

  int64_t planes_, height_, width_, out_height_, out_width_;
  bool is_2x2_;
  int threads_;
};

std::unique_ptr<Kernel> make(const KernelSpec& spec) {
  return dispatch_floating(spec.outputs[0].dtype, [&](auto tag) -> std::unique_ptr<Kernel> {
    return std::make_unique<MaxPool2dBackward<typename decltype(tag)::type>>(spec);
  });
}

bool supports(const KernelSpec& spec) {
  return is_native_floating(spec.outputs[0].dtype) && spec.inputs.size() == 2 &&
         spec.inputs[1].dtype == DType::int32;
}

}  // namespace

void register_max_pool2d_bwd(Registry& registry) {
  registry.add({"max_pool2d_bwd", "portable", 0, supports, make});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
