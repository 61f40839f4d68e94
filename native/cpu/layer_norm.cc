// layer_norm_fwd: y = (x - mean) rstd w + b, rstd = 1 / sqrt(var + eps)
// layer_norm_bwd: with n = (x - mean) rstd and h = g w:
//   dx = rstd (h - mean(h) - n mean(h n)), dw = sum_rows g n, db = sum_rows g
// x, y, g, dx (R, D); mean, rstd (R); w, b, dw, db (D), where there are any. float32 and float64:
// sums of a row in vector lanes, then float64; those over rows in the type itself. Overwrites
// (`=`); y may lie over x and dx over g. Each thread sums dw and db over rows of its own, and the
// threads' sums are added in order: the bits depend on the thread count alone.
#include <algorithm>
#include <cmath>

#include "../runtime/parallel.h"
#include "check.h"
#include "dispatch.h"
#include "register.h"
#include "vec_loop.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

constexpr int64_t kGrain = 1 << 12;  // elements a thread

// The sizes of a call and its optional operands.
struct LayerNormCall {
  int64_t rows = 1, size = 1;
  double eps;
  bool weight, bias;
  int threads;
  Shape leading, normalized;

  explicit LayerNormCall(const KernelSpec& spec)
      : eps(spec.attrs.number("eps")),
        weight(spec.attrs.flag("weight")),
        bias(spec.attrs.flag("bias")) {
    require_one_dtype(spec);
    const Shape& shape = spec.inputs[0].shape;
    const int64_t rank = static_cast<int64_t>(shape.size());
    const int64_t dims = spec.attrs.integer("dims");
    require(dims >= 1 && dims <= rank, "dims must name dimensions of x");
    leading.assign(shape.begin(), shape.end() - dims);
    normalized.assign(shape.end() - dims, shape.end());
    rows = numel(leading);
    size = numel(normalized);
    threads = useful_threads(spec.threads, rows * size, kGrain);
  }

  size_t parameters() const { return size_t{weight} + size_t{bias}; }
};

template <class T>
double row_sum(const Vec<T>& lanes) {
  double sum = 0;
  for (int l = 0; l < kLanes<T>; l++) sum += lanes[l];
  return sum;
}

// Lanes beyond `lanes` set to zero.
template <class T>
inline Vec<T> first_lanes(Vec<T> value, int lanes) {
  for (int l = lanes; l < kLanes<T>; l++) value[l] = 0;
  return value;
}

template <class T>
class LayerNormForward final : public Kernel {
 public:
  explicit LayerNormForward(const KernelSpec& spec) : call_(spec) {
    require_arity(spec, 1 + call_.parameters(), 3);
    for (size_t i = 1; i < spec.inputs.size(); i++) {
      require_shape("a parameter", spec.inputs[i].shape, call_.normalized);
    }
    require_shape("the output", spec.outputs[0].shape, spec.inputs[0].shape);
    require_shape("mean", spec.outputs[1].shape, call_.leading);
    require_shape("rstd", spec.outputs[2].shape, call_.leading);
  }

  bool may_alias(int input, int output) const override { return input == 0 && output == 0; }

  void run(const Operands& operands) override {
    const int64_t size = call_.size;
    const T* weight = call_.weight ? operands.in<T>(1) : nullptr;
    const T* bias = call_.bias ? operands.in<T>(call_.weight ? 2 : 1) : nullptr;
    parallel_ranges(call_.threads, call_.rows, [&](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; row++) {
        run_row(operands.in<T>(0) + row * size, weight, bias, operands.out<T>(0) + row * size,
                operands.out<T>(1) + row, operands.out<T>(2) + row);
      }
    });
  }

 private:
  void run_row(const T* x, const T* weight, const T* bias, T* y, T* mean, T* rstd) const {
    const int64_t size = call_.size;
    Vec<T> lane_sums = {};
    for_each_vector<T>(size, [&](int64_t i, int lanes) { lane_sums += load_some(x + i, lanes); });
    const T average = static_cast<T>(row_sum<T>(lane_sums) / static_cast<double>(size));
    Vec<T> squares = {};
    for_each_vector<T>(size, [&](int64_t i, int lanes) {
      Vec<T> centered = load_some(x + i, lanes) - average;
      if (lanes < kLanes<T>) centered = first_lanes<T>(centered, lanes);
      squares += centered * centered;
    });
    const double variance = row_sum<T>(squares) / static_cast<double>(size);
    const T scale = static_cast<T>(1 / std::sqrt(variance + call_.eps));
    *mean = average;
    *rstd = scale;
    for_each_vector<T>(size, [&](int64_t i, int lanes) {
      Vec<T> value = (load_some(x + i, lanes) - average) * scale;
      if (weight != nullptr) value *= load_some(weight + i, lanes);
      if (bias != nullptr) value += load_some(bias + i, lanes);
      store_some<T>(y + i, value, lanes);
    });
  }

  const LayerNormCall call_;
};

template <class T>
class LayerNormBackward final : public Kernel {
 public:
  explicit LayerNormBackward(const KernelSpec& spec) : call_(spec) {
    require_arity(spec, call_.weight ? 5 : 4, 1 + call_.parameters());
    const size_t mean = call_.weight ? 3 : 2;
    const Shape& shape = spec.inputs[0].shape;
    require_shape("x", spec.inputs[1].shape, shape);
    if (call_.weight) require_shape("weight", spec.inputs[2].shape, call_.normalized);
    require_shape("mean", spec.inputs[mean].shape, call_.leading);
    require_shape("rstd", spec.inputs[mean + 1].shape, call_.leading);
    require_shape("x's gradient", spec.outputs[0].shape, shape);
    for (size_t i = 1; i < spec.outputs.size(); i++) {
      require_shape("a gradient", spec.outputs[i].shape, call_.normalized);
    }
  }

  bool may_alias(int input, int output) const override { return input == 0 && output == 0; }

  // Each thread's sums for the weight's gradient, then for the bias's.
  size_t scratch_bytes() const override {
    return 2 * static_cast<size_t>(call_.threads * call_.size) * sizeof(T);
  }

  void run(const Operands& operands) override {
    const int64_t size = call_.size;
    const int statistics = call_.weight ? 3 : 2;
    const Inputs in = {operands.in<T>(0), operands.in<T>(1),
                       call_.weight ? operands.in<T>(2) : nullptr, operands.in<T>(statistics),
                       operands.in<T>(statistics + 1)};
    T* sums = static_cast<T*>(operands.scratch);
    std::fill_n(sums, 2 * call_.threads * size, T(0));
    parallel_ranges(call_.threads, call_.rows, [&](int64_t begin, int64_t end, int part) {
      T* own = sums + 2 * part * size;
      for (int64_t row = begin; row < end; row++) {
        run_row(in, row, operands.out<T>(0) + row * size, own, own + size);
      }
    });
    if (call_.weight) reduce(sums, operands.out<T>(1));
    if (call_.bias) reduce(sums + size, operands.out<T>(call_.weight ? 2 : 1));
  }

 private:
  struct Inputs {
    const T *g, *x, *weight, *mean, *rstd;
  };

  void run_row(const Inputs& in, int64_t row, T* dx, T* weight_sums, T* bias_sums) const {
    const int64_t size = call_.size;
    const T *g = in.g + row * size, *x = in.x + row * size;
    const T mean = in.mean[row], rstd = in.rstd[row];
    Vec<T> h_sums = {}, hn_sums = {};
    for_each_vector<T>(size, [&](int64_t i, int lanes) {
      const Vec<T> gradient = load_some(g + i, lanes);
      const Vec<T> normal = (load_some(x + i, lanes) - mean) * rstd;
      const Vec<T> h = scaled(gradient, in.weight, i, lanes);
      h_sums += h;
      hn_sums += h * normal;
      store_some<T>(weight_sums + i, load_some(weight_sums + i, lanes) + gradient * normal, lanes);
      store_some<T>(bias_sums + i, load_some(bias_sums + i, lanes) + gradient, lanes);
    });
    const T h_mean = static_cast<T>(row_sum<T>(h_sums) / static_cast<double>(size));
    const T hn_mean = static_cast<T>(row_sum<T>(hn_sums) / static_cast<double>(size));
    for_each_vector<T>(size, [&](int64_t i, int lanes) {
      const Vec<T> normal = (load_some(x + i, lanes) - mean) * rstd;
      const Vec<T> h = scaled(load_some(g + i, lanes), in.weight, i, lanes);
      store_some<T>(dx + i, (h - h_mean - normal * hn_mean) * rstd, lanes);
    });
  }

  static Vec<T> scaled(Vec<T> gradient, const T* weight, int64_t i, int lanes) {
    return weight == nullptr ? gradient : gradient * load_some(weight + i, lanes);
  }

  void reduce(const T* sums, T* out) const {
    for_each_vector<T>(call_.size, [&](int64_t i, int lanes) {
      Vec<T> total = {};
      for (int t = 0; t < call_.threads; t++)
        total += load_some(sums + 2 * t * call_.size + i, lanes);
      store_some<T>(out + i, total, lanes);
    });
  }

  const LayerNormCall call_;
};

template <template <class> class Direction>
std::unique_ptr<Kernel> make(const KernelSpec& spec) {
  return dispatch_floating(spec.outputs[0].dtype, [&](auto tag) -> std::unique_ptr<Kernel> {
    return std::make_unique<Direction<typename decltype(tag)::type>>(spec);
  });
}

bool supports(const KernelSpec& spec) { return is_native_floating(spec.outputs[0].dtype); }

}  // namespace

void register_layer_norm(Registry& registry) {
  registry.add({"layer_norm_fwd", "portable", 0, supports, make<LayerNormForward>});
  registry.add({"layer_norm_bwd", "portable", 0, supports, make<LayerNormBackward>});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
