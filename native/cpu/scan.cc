// scan:         out[a][i][b] = fn of in[a][0..i][b]: their sum, product or log(sum(exp))
// scan_extreme: the same with the extreme, and its int64 index along `dim`, the last of equal ones
// in (A, n, B) of any full-width dtype but bool (scan); NaN is extreme. Sums accumulate in
// double, integers in themselves. Overwrites (`=`); rows are independent: any thread count gives
// the same.
#include <cmath>

#include "../runtime/parallel.h"
#include "check.h"
#include "dispatch.h"
#include "register.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

constexpr int64_t kGrain = 1 << 13;  // elements a thread

template <class T>
using Sum = std::conditional_t<std::is_floating_point_v<T>, double, T>;

// Integers wrap, which signed ones may not do by themselves.
template <class S>
using Wrapping = std::conditional_t<std::is_floating_point_v<S>, S, uint64_t>;

struct Add {
  template <class S>
  static S step(S sum, S x) {
    return static_cast<S>(static_cast<Wrapping<S>>(sum) + static_cast<Wrapping<S>>(x));
  }
};
struct Multiply {
  template <class S>
  static S step(S product, S x) {
    return static_cast<S>(static_cast<Wrapping<S>>(product) * static_cast<Wrapping<S>>(x));
  }
};
struct LogSumExp {
  template <class S>
  static S step(S sum, S x) {
    if (std::isnan(sum) || std::isnan(x)) return static_cast<S>(sum + x);
    const double peak = sum > x ? sum : x;
    if (!std::isfinite(peak)) return static_cast<S>(peak);
    return static_cast<S>(peak + std::log1p(std::exp(-std::fabs(double(sum) - double(x)))));
  }
};

template <class T, class Fn>
class Scan final : public Kernel {
 public:
  explicit Scan(const KernelSpec& spec) : in_(spec) {
    require_arity(spec, 1);
    require_one_dtype(spec);
    require_shape("the output", spec.outputs[0].shape, spec.inputs[0].shape);
    threads_ = useful_threads(spec.threads, in_.elements(), kGrain);
  }

  void run(const Operands& operands) override {
    const T* in = operands.in<T>(0);
    T* out = operands.out<T>(0);
    if (in_.size == 0) return;
    parallel_ranges(threads_, in_.outer * in_.inner, [&](int64_t begin, int64_t end, int) {
      for (int64_t o = begin; o < end; o++) {
        int64_t at = o / in_.inner * in_.size * in_.inner + o % in_.inner;
        Sum<T> sum = static_cast<Sum<T>>(in[at]);
        out[at] = in[at];
        for (int64_t i = 1; i < in_.size; i++) {
          at += in_.inner;
          sum = Fn::step(sum, static_cast<Sum<T>>(in[at]));
          out[at] = static_cast<T>(sum);
        }
      }
    });
  }

 private:
  const AlongDim in_;
  int threads_;
};

template <class T, bool kMax>
class ScanExtreme final : public Kernel {
 public:
  explicit ScanExtreme(const KernelSpec& spec) : in_(spec) {
    require_arity(spec, 1, 2);
    for (const TensorType& output : spec.outputs) {
      require_shape("an output", output.shape, spec.inputs[0].shape);
    }
    require(spec.outputs[0].dtype == spec.inputs[0].dtype, "the values have another dtype");
    require(spec.outputs[1].dtype == DType::int64, "the indices must be int64");
    threads_ = useful_threads(spec.threads, in_.elements(), kGrain);
  }

  void run(const Operands& operands) override {
    const T* in = operands.in<T>(0);
    T* values = operands.out<T>(0);
    int64_t* indices = operands.out<int64_t>(1);
    if (in_.size == 0) return;
    parallel_ranges(threads_, in_.outer * in_.inner, [&](int64_t begin, int64_t end, int) {
      for (int64_t o = begin; o < end; o++) {
        int64_t at = o / in_.inner * in_.size * in_.inner + o % in_.inner;
        T best = in[at];
        int64_t place = 0;
        for (int64_t i = 0; i < in_.size; i++, at += in_.inner) {
          const T x = in[at];
          if (x != x || (kMax ? x >= best : x <= best)) {
            best = x;
            place = i;
          }
          values[at] = best;
          indices[at] = place;
        }
      }
    });
  }

 private:
  const AlongDim in_;
  int threads_;
};

std::unique_ptr<Kernel> make_scan(const KernelSpec& spec) {
  const std::string& fn = spec.attrs.text("fn");
  return dispatch_full_width(spec.inputs[0].dtype, [&](auto tag) -> std::unique_ptr<Kernel> {
    using T = typename decltype(tag)::type;
    if constexpr (!std::is_same_v<T, bool>) {
      if (fn == "sum") return std::make_unique<Scan<T, Add>>(spec);
      if (fn == "prod") return std::make_unique<Scan<T, Multiply>>(spec);
      if constexpr (std::is_floating_point_v<T>) {
        if (fn == "logsumexp") return std::make_unique<Scan<T, LogSumExp>>(spec);
      }
    }
    throw std::invalid_argument("no scan by " + fn + " of this dtype");
  });
}

std::unique_ptr<Kernel> make_scan_extreme(const KernelSpec& spec) {
  const std::string& fn = spec.attrs.text("fn");
  return dispatch_full_width(spec.inputs[0].dtype, [&](auto tag) -> std::unique_ptr<Kernel> {
    using T = typename decltype(tag)::type;
    if (fn == "amax") return std::make_unique<ScanExtreme<T, true>>(spec);
    if (fn == "amin") return std::make_unique<ScanExtreme<T, false>>(spec);
    throw std::invalid_argument("no scan by " + fn + " of this dtype");
  });
}

bool supports(const KernelSpec& spec) { return !is_half_width(spec.inputs[0].dtype); }

}  // namespace

void register_scan(Registry& registry) {
  registry.add({"scan", "portable", 0, supports, make_scan});
  registry.add({"scan_extreme", "portable", 0, supports, make_scan_extreme});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
