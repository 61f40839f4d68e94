// cross_entropy_fwd, cross_entropy_bwd as src/engine/kernels.ts defines them: x, dx (R, C), target,
// lse (R). With p = exp(x - lse) and W = sum_c w[c],
//   dx = scale (p ((1 - s) w[t] + s W / C) - s w / C), less scale (1 - s) w[t] at t.
// float32 and float64; sums of a row in vector lanes, then float64; the rows' losses are added in
// order in float64, so any thread count gives the same bits. Overwrites (`=`); dx may lie over x.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <string>

#include "../runtime/parallel.h"
#include "check.h"
#include "dispatch.h"
#include "register.h"
#include "vec_loop.h"
#include "vec_math.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

constexpr int64_t kGrain = 1 << 12;  // elements a thread

enum class Reduction { none, sum, mean };

// The sizes and options of a call whose x is input `first`.
struct CrossEntropyCall {
  int64_t rows, classes, ignore_index;
  double smoothing;
  bool weight;
  Reduction reduction;
  Shape row_shape, loss_shape;
  int threads;

  CrossEntropyCall(const KernelSpec& spec, size_t first)
      : ignore_index(spec.attrs.integer("ignore_index")),
        smoothing(spec.attrs.number("label_smoothing")),
        weight(spec.attrs.flag("weight")),
        reduction(reduction_named(spec.attrs.text("reduction"))) {
    const TensorType& x = spec.inputs[first];
    require(!x.shape.empty(), "x must have a dimension of classes");
    classes = x.shape.back();
    row_shape.assign(x.shape.begin(), x.shape.end() - 1);
    if (reduction == Reduction::none) loss_shape = row_shape;
    rows = numel(row_shape);
    require_shape("target", spec.inputs[first + 1].shape, row_shape);
    if (weight) require_shape("weight", spec.inputs[first + 2].shape, {classes});
    for (size_t i = 0; i < spec.inputs.size(); i++) {
      require(i == first + 1 || spec.inputs[i].dtype == x.dtype, "operands must have one dtype");
    }
    for (const TensorType& out : spec.outputs) {
      require(out.dtype == x.dtype, "operands must have one dtype");
    }
    threads = useful_threads(spec.threads, rows * classes, kGrain);
  }

  static Reduction reduction_named(const std::string& name) {
    if (name == "none") return Reduction::none;
    if (name == "sum") return Reduction::sum;
    require(name == "mean", "there is no such reduction");
    return Reduction::mean;
  }

  // Calls body(row, target) for every row; a row to be ignored has target -1. Throws on a target
  // that is no class.
  template <class I, class Body>
  void for_each_row(const I* targets, const Body& body) const {
    std::atomic<bool> good{true};
    std::atomic<int64_t> bad{0};
    parallel_ranges(threads, rows, [&](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; row++) {
        const int64_t target = targets[row];
        const bool ignored = target == ignore_index;
        if (!ignored && static_cast<uint64_t>(target) >= static_cast<uint64_t>(classes)) {
          bad = target;
          good = false;
          continue;
        }
        body(row, ignored ? -1 : target);
      }
    });
    if (good) return;
    throw std::runtime_error("target " + std::to_string(bad) + " is out of range for " +
                             std::to_string(classes) + " classes");
  }
};

template <class T>
double sum_of(const Vec<T>& lanes) {
  double sum = 0;
  for (int l = 0; l < kLanes<T>; l++) sum += lanes[l];
  return sum;
}

template <class T>
T row_max(const T* x, int64_t count) {
  Vec<T> lanes = splat(-std::numeric_limits<T>::infinity());
  for_each_vector<T>(count, [&](int64_t i, int some) {
    Vec<T> value = load_some(x + i, some);
    for (int l = some; l < kLanes<T>; l++) value[l] = -std::numeric_limits<T>::infinity();
    lanes = select(value > lanes, value, lanes);
  });
  T max = lanes[0];
  for (int l = 1; l < kLanes<T>; l++) max = std::max(max, static_cast<T>(lanes[l]));
  return max;
}

// log(sum(exp(x)))
template <class T>
T log_sum_exp(const T* x, int64_t count) {
  const T max = row_max(x, count);
  Vec<T> lanes = {};
  for_each_vector<T>(count, [&](int64_t i, int some) {
    Vec<T> e = vexp(load_some(x + i, some) - max);
    for (int l = some; l < kLanes<T>; l++) e[l] = 0;
    lanes += e;
  });
  return static_cast<T>(max + std::log(sum_of<T>(lanes)));
}

template <class T, class I>
class CrossEntropyForward final : public Kernel {
 public:
  explicit CrossEntropyForward(const KernelSpec& spec) : call_(spec, 0) {
    require_arity(spec, 2 + size_t{call_.weight}, 3);
    require_shape("loss", spec.outputs[0].shape, call_.loss_shape);
    require_shape("lse", spec.outputs[1].shape, call_.row_shape);
    require_shape("total", spec.outputs[2].shape, {});
  }

  size_t scratch_bytes() const override {
    return call_.reduction == Reduction::none ? 0 : call_.rows * sizeof(T);
  }

  void run(const Operands& operands) override {
    const T* x = operands.in<T>(0);
    const I* targets = operands.in<I>(1);
    const T* weight = call_.weight ? operands.in<T>(2) : nullptr;
    const bool reduces = call_.reduction != Reduction::none;
    T* losses = reduces ? static_cast<T*>(operands.scratch) : operands.out<T>(0);
    T* lse = operands.out<T>(1);
    call_.for_each_row(targets, [&](int64_t row, int64_t target) {
      const T* logits = x + row * call_.classes;
      lse[row] = log_sum_exp(logits, call_.classes);
      losses[row] = target < 0 ? T(0) : loss(logits, weight, target, lse[row]);
    });
    double sum = 0, total = 0;
    for (int64_t row = 0; row < call_.rows; row++) {
      if (targets[row] == call_.ignore_index) continue;
      sum += losses[row];
      total += weight == nullptr ? 1 : weight[targets[row]];
    }
    *operands.out<T>(2) = static_cast<T>(total);
    if (!reduces) return;
    *operands.out<T>(0) = static_cast<T>(call_.reduction == Reduction::mean ? sum / total : sum);
  }

 private:
  T loss(const T* logits, const T* weight, int64_t target, T lse) const {
    const double own = weight == nullptr ? 1 : weight[target];
    const double hard = own * (lse - logits[target]);
    if (call_.smoothing == 0) return static_cast<T>(hard);
    double uniform = 0;
    for (int64_t c = 0; c < call_.classes; c++) {
      uniform += (weight == nullptr ? 1 : weight[c]) * static_cast<double>(lse - logits[c]);
    }
    const double share = call_.smoothing / static_cast<double>(call_.classes);
    return static_cast<T>((1 - call_.smoothing) * hard + share * uniform);
  }

  const CrossEntropyCall call_;
};

template <class T, class I>
class CrossEntropyBackward final : public Kernel {
 public:
  explicit CrossEntropyBackward(const KernelSpec& spec) : call_(spec, 1) {
    require_arity(spec, 5 + size_t{call_.weight});
    require_shape("g", spec.inputs[0].shape, call_.loss_shape);
    require_shape("lse", spec.inputs[lse()].shape, call_.row_shape);
    require_shape("total", spec.inputs[lse() + 1].shape, {});
    require_shape("x's gradient", spec.outputs[0].shape, spec.inputs[1].shape);
  }

  bool may_alias(int input, int) const override { return input == 1; }

  void run(const Operands& operands) override {
    const T* g = operands.in<T>(0);
    const T* x = operands.in<T>(1);
    const T* weight = call_.weight ? operands.in<T>(3) : nullptr;
    const T* lse_of = operands.in<T>(static_cast<int>(lse()));
    const T total = *operands.in<T>(static_cast<int>(lse()) + 1);
    T* dx = operands.out<T>(0);
    double weights = static_cast<double>(call_.classes);
    if (weight != nullptr) {
      weights = 0;
      for (int64_t c = 0; c < call_.classes; c++) weights += weight[c];
    }
    call_.for_each_row(operands.in<I>(2), [&](int64_t row, int64_t target) {
      const int64_t at = row * call_.classes;
      if (target < 0) return std::fill_n(dx + at, call_.classes, T(0)), void();
      const T incoming = call_.reduction == Reduction::none   ? g[row]
                         : call_.reduction == Reduction::mean ? *g / total
                                                              : *g;
      row_gradient(x + at, weight, weights, target, lse_of[row], incoming, dx + at);
    });
  }

 private:
  // Where lse stands among the inputs; total follows it.
  size_t lse() const { return 3 + size_t{call_.weight}; }

  void row_gradient(const T* x, const T* weight, double weights, int64_t target, T lse, T incoming,
                    T* dx) const {
    const double share = call_.smoothing / static_cast<double>(call_.classes);
    const T own = static_cast<T>((1 - call_.smoothing) * (weight == nullptr ? 1 : weight[target]));
    const T of_p = incoming * static_cast<T>(own + share * weights);
    const T spread = incoming * static_cast<T>(share);
    for_each_vector<T>(call_.classes, [&](int64_t c, int lanes) {
      Vec<T> gradient = vexp(load_some(x + c, lanes) - lse) * of_p;
      if (spread != 0) {
        gradient -= weight == nullptr ? splat(spread) : load_some(weight + c, lanes) * spread;
      }
      store_some<T>(dx + c, gradient, lanes);
    });
    dx[target] -= incoming * own;
  }

  const CrossEntropyCall call_;
};

template <template <class, class> class K, size_t kTarget>
std::unique_ptr<Kernel> make(const KernelSpec& spec) {
  return dispatch_floating(spec.outputs[0].dtype, [&](auto tag) -> std::unique_ptr<Kernel> {
    using T = typename decltype(tag)::type;
    const DType target = spec.inputs[kTarget].dtype;
    if (target == DType::int64) return std::make_unique<K<T, int64_t>>(spec);
    if (target == DType::int32) return std::make_unique<K<T, int32_t>>(spec);
    throw std::invalid_argument("target must be int32 or int64");
  });
}

bool supports(const KernelSpec& spec) { return is_native_floating(spec.outputs[0].dtype); }

}  // namespace

void register_cross_entropy(Registry& registry) {
  registry.add({"cross_entropy_fwd", "portable", 0, supports, make<CrossEntropyForward, 1>});
  registry.add({"cross_entropy_bwd", "portable", 0, supports, make<CrossEntropyBackward, 2>});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
