// fused_sgd:  g' = scale g (- if maximize) + weight_decay p;  m' = momentum m + damping g';
//             p' = p - lr (nesterov ? g' + momentum m' : m' or, without momentum, g')
// fused_adam: g' likewise;  m' = lerp(m, g', 1 - beta1);  v' = beta2 v + (1 - beta2) g' g';
//             x' = max(x, v');  p' = keep p - step_size m' / (sqrt(v' or x') root_scale + eps)
// Scalars, then p, g, m, v, x of each parameter -> p', m', v', x'; one shape a parameter, float32
// or float64, and one layout, the parameter's. All parameters are one range of elements that the
// threads share equally. Overwrites (`=`), may be done in place. Every operation is rounded by
// itself (no contraction, see CMakeLists.txt), so the bits are those of the same update made of
// pointwise ops.
#include <algorithm>

#include "../runtime/parallel.h"
#include "check.h"
#include "dispatch.h"
#include "register.h"
#include "vec_math.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

constexpr int64_t kGrain = 1 << 14;  // elements a thread
constexpr int kMostOperands = 5;     // p, g and three tensors of state

// Part of one parameter: its operands p, g, m, v, x, and where p, m, v, x go.
template <class T>
struct Span {
  const T* in[kMostOperands];
  T* out[kMostOperands - 1];
  int64_t count;
};

// Loads `kOperands` vectors, gives them to `step`, which replaces all but the gradient.
template <class T, int kOperands, class Step>
inline void each_vector(const Span<T>& span, const Step& step) {
  Vec<T> values[kOperands];
  int64_t i = 0;
  for (; i + kLanes<T> <= span.count; i += kLanes<T>) {
    for (int k = 0; k < kOperands; k++) values[k] = load(span.in[k] + i);
    step(values);
    store<T>(span.out[0] + i, values[0]);
    for (int k = 2; k < kOperands; k++) store<T>(span.out[k - 1] + i, values[k]);
  }
  const int64_t rest = span.count - i;
  if (rest == 0) return;
  for (int k = 0; k < kOperands; k++) values[k] = load_partial(span.in[k] + i, rest);
  step(values);
  store_partial<T>(span.out[0] + i, values[0], rest);
  for (int k = 2; k < kOperands; k++) store_partial<T>(span.out[k - 1] + i, values[k], rest);
}

// What both optimizers read of a call: the gradient's factor and the decay that is part of it.
template <class T>
struct Gradient {
  explicit Gradient(const Attrs& attrs)
      : maximize(attrs.flag("maximize")),
        scaled(attrs.flag("scaled")),
        weight_decay(static_cast<T>(attrs.number("weight_decay"))) {}

  T factor(const Operands& operands, int scale) const {
    const T factor = scaled ? *operands.in<T>(scale) : T(1);
    return maximize ? -factor : factor;
  }

  bool maximize, scaled;
  T weight_decay;
};

template <class T, bool kDecay>
inline Vec<T> step_gradient(Vec<T> g, Vec<T> p, T factor, T weight_decay) {
  const Vec<T> directed = g * factor;
  if constexpr (kDecay) return directed + p * weight_decay;
  return directed;
}

template <class T>
class Sgd {
 public:
  static constexpr int kScalars = 2;  // lr, damping

  explicit Sgd(const Attrs& attrs)
      : gradient(attrs),
        momentum_(static_cast<T>(attrs.number("momentum"))),
        nesterov_(attrs.flag("nesterov")) {}

  int operands() const { return momentum_ == 0 ? 2 : 3; }

  void prepare(const Operands& operands) {
    lr_ = *operands.in<T>(0);
    damping_ = *operands.in<T>(1);
    factor_ = gradient.factor(operands, kScalars);
  }

  void run(const Span<T>& span) const {
    if (gradient.weight_decay == 0) return run_decay<false>(span);
    run_decay<true>(span);
  }

  Gradient<T> gradient;

 private:
  template <bool kDecay>
  void run_decay(const Span<T>& span) const {
    const T lr = lr_, damping = damping_, momentum = momentum_, factor = factor_;
    const T decay = gradient.weight_decay;
    if (momentum == 0) {
      each_vector<T, 2>(span, [=](Vec<T>* v) {
        v[0] -= step_gradient<T, kDecay>(v[1], v[0], factor, decay) * lr;
      });
    } else if (nesterov_) {
      each_vector<T, 3>(span, [=](Vec<T>* v) {
        const Vec<T> g = step_gradient<T, kDecay>(v[1], v[0], factor, decay);
        v[2] = v[2] * momentum + g * damping;
        v[0] -= (g + v[2] * momentum) * lr;
      });
    } else {
      each_vector<T, 3>(span, [=](Vec<T>* v) {
        const Vec<T> g = step_gradient<T, kDecay>(v[1], v[0], factor, decay);
        v[2] = v[2] * momentum + g * damping;
        v[0] -= v[2] * lr;
      });
    }
  }

  T momentum_;
  bool nesterov_;
  T lr_ = 0, damping_ = 0, factor_ = 0;  // of the run under way
};

template <class T>
class Adam {
 public:
  static constexpr int kScalars = 3;  // step_size, root_scale, keep

  explicit Adam(const Attrs& attrs)
      : gradient(attrs),
        beta1_(attrs.number("beta1")),
        beta2_(attrs.number("beta2")),
        eps_(static_cast<T>(attrs.number("eps"))),
        amsgrad_(attrs.flag("amsgrad")) {}

  int operands() const { return amsgrad_ ? 5 : 4; }

  void prepare(const Operands& operands) {
    step_size_ = *operands.in<T>(0);
    root_scale_ = *operands.in<T>(1);
    keep_ = *operands.in<T>(2);
    factor_ = gradient.factor(operands, kScalars);
  }

  void run(const Span<T>& span) const {
    if (gradient.weight_decay == 0) return amsgrad_ ? each<false, 5>(span) : each<false, 4>(span);
    amsgrad_ ? each<true, 5>(span) : each<true, 4>(span);
  }

  Gradient<T> gradient;

 private:
  template <bool kDecay, int kOperands>
  void each(const Span<T>& span) const {
    const T factor = factor_, decay = gradient.weight_decay;
    const T beta2 = static_cast<T>(beta2_), rest2 = static_cast<T>(1 - beta2_);
    // lerp from the nearer end, as PyTorch's: from m below one half, from g above.
    const bool near = 1 - beta1_ < 0.5;
    const T weight = static_cast<T>(near ? 1 - beta1_ : 1 - (1 - beta1_));
    const T step_size = step_size_, root_scale = root_scale_, keep = keep_, eps = eps_;
    each_vector<T, kOperands>(span, [=](Vec<T>* v) {
      const Vec<T> g = step_gradient<T, kDecay>(v[1], v[0], factor, decay);
      const Vec<T> way = (g - v[2]) * weight;
      v[2] = near ? v[2] + way : g - way;
      v[3] = v[3] * beta2 + g * rest2 * g;
      Vec<T> largest = v[3];
      if constexpr (kOperands == 5) {
        largest = v[4] = select((v[4] > v[3]) | (v[4] != v[4]), v[4], v[3]);
      }
      v[0] = v[0] * keep - v[2] * step_size / (vsqrt(largest) * root_scale + eps);
    });
  }

  double beta1_, beta2_;
  T eps_;
  bool amsgrad_;
  T step_size_ = 0, root_scale_ = 0, keep_ = 0, factor_ = 0;  // of the run under way
};

template <class T, template <class> class Rule>
class Update final : public Kernel {
 public:
  explicit Update(const KernelSpec& spec) : rule_(spec.attrs) {
    first_ = Rule<T>::kScalars + (rule_.gradient.scaled ? 1 : 0);
    operands_ = rule_.operands();
    const int given = static_cast<int>(spec.inputs.size()) - first_;
    require(given > 0 && given % operands_ == 0, "operands do not make whole parameters");
    const int parameters = given / operands_;
    require_arity(spec, spec.inputs.size(), static_cast<size_t>(parameters * (operands_ - 1)));
    require_one_dtype(spec);
    for (int k = 0; k < first_; k++) require_shape("a scalar", spec.inputs[k].shape, {});
    starts_.push_back(0);
    for (int i = 0; i < parameters; i++) {
      const Shape& shape = spec.inputs[first_ + i * operands_].shape;
      for (int k = 1; k < operands_; k++) {
        require_shape("an operand", spec.inputs[first_ + i * operands_ + k].shape, shape);
        require_shape("an output", spec.outputs[i * (operands_ - 1) + k - 1].shape, shape);
      }
      starts_.push_back(starts_.back() + numel(shape));
    }
    threads_ = useful_threads(spec.threads, starts_.back(), kGrain);
  }

  // Of its own parameter, each operand but the gradient may become its next value in place.
  bool may_alias(int input, int output) const override {
    const int kept = operands_ - 1;
    const int operand = output % kept == 0 ? 0 : output % kept + 1;
    return input == first_ + output / kept * operands_ + operand;
  }

  void run(const Operands& operands) override {
    rule_.prepare(operands);
    parallel_ranges(threads_, starts_.back(), [&](int64_t begin, int64_t end, int) {
      size_t i = std::upper_bound(starts_.begin(), starts_.end(), begin) - starts_.begin() - 1;
      for (; i + 1 < starts_.size() && starts_[i] < end; i++) {
        const int64_t from = std::max(begin, starts_[i]);
        const int64_t to = std::min(end, starts_[i + 1]);
        if (from < to) rule_.run(span(operands, static_cast<int>(i), from - starts_[i], to - from));
      }
    });
  }

 private:
  Span<T> span(const Operands& operands, int parameter, int64_t from, int64_t count) const {
    Span<T> part{};
    part.count = count;
    for (int k = 0; k < operands_; k++) {
      part.in[k] = operands.in<T>(first_ + parameter * operands_ + k) + from;
    }
    for (int k = 0; k < operands_ - 1; k++) {
      part.out[k] = operands.out<T>(parameter * (operands_ - 1) + k) + from;
    }
    return part;
  }

  Rule<T> rule_;
  int first_;                    // how many scalars come before the parameters
  int operands_;                 // inputs a parameter
  std::vector<int64_t> starts_;  // of each parameter in the range of all; one more ends the last
  int threads_;
};

template <template <class> class Rule>
std::unique_ptr<Kernel> make(const KernelSpec& spec) {
  return dispatch_floating(spec.inputs[0].dtype, [&](auto tag) -> std::unique_ptr<Kernel> {
    return std::make_unique<Update<typename decltype(tag)::type, Rule>>(spec);
  });
}

// Every element is updated by itself, so a parameter's own layout serves for all that is its.
template <template <class> class Rule>
void arrange(KernelSpec* spec) {
  const Rule<float> rule(spec->attrs);
  const size_t first = Rule<float>::kScalars + (rule.gradient.scaled ? 1 : 0);
  const size_t operands = static_cast<size_t>(rule.operands());
  for (size_t i = first; i < spec->inputs.size(); i++) {
    const size_t parameter = (i - first) / operands, k = (i - first) % operands;
    if (k == 0) continue;
    const Layout& layout = spec->inputs[i - k].layout;
    const size_t output = parameter * (operands - 1) + k - 1;
    spec->inputs.at(i).layout = layout;
    if (output < spec->outputs.size()) spec->outputs.at(output).layout = layout;
  }
}

bool supports(const KernelSpec& spec) {
  return !spec.inputs.empty() && is_native_floating(spec.inputs[0].dtype);
}

}  // namespace

void register_optimizer(Registry& registry) {
  registry.add({"fused_sgd", "portable", 0, supports, make<Sgd>, arrange<Sgd>});
  registry.add({"fused_adam", "portable", 0, supports, make<Adam>, arrange<Adam>});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
