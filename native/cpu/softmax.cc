// softmax:     y = exp(x - max) / sum(exp(x - max)) along `dim`
// log_softmax: y = x - max - log(sum(exp(x - max)))
// x, y (A, n, B), float32 or float64; sums of float32 in vector lanes, then float64; overwrites
// (`=`) and may be done in place. Rows are independent: the same bits for any thread count.
#include <algorithm>
#include <cmath>
#include <limits>

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
constexpr int64_t kColumns = 64;     // columns done together when dim is not the last

template <class T>
struct Lowest {
  static constexpr T value = -std::numeric_limits<T>::infinity();
};

template <class T, bool kLog>
void softmax_row(const T* x, T* y, int64_t count) {
  T max = Lowest<T>::value;
  Vec<T> max_lanes = splat(max);
  int64_t whole = count - count % kLanes<T>;
  for (int64_t i = 0; i < whole; i += kLanes<T>) {
    const Vec<T> v = load(x + i);
    max_lanes = select(v > max_lanes, v, max_lanes);
  }
  for (int l = 0; l < kLanes<T>; l++) max = std::max(max, static_cast<T>(max_lanes[l]));
  for (int64_t i = whole; i < count; i++) max = std::max(max, x[i]);
  double sum = 0;
  Vec<T> sum_lanes = {};
  for_each_vector<T>(count, [&](int64_t i, int lanes) {
    const Vec<T> e = vexp(load_some(x + i, lanes) - max);
    if (!kLog) store_some(y + i, e, lanes);
    if (lanes == kLanes<T>)
      sum_lanes += e;
    else
      for (int l = 0; l < lanes; l++) sum += e[l];
  });
  for (int l = 0; l < kLanes<T>; l++) sum += sum_lanes[l];
  if (kLog) {
    const T shift = static_cast<T>(std::log(sum));
    for_each_vector<T>(count, [&](int64_t i, int lanes) {
      store_some<T>(y + i, load_some(x + i, lanes) - max - shift, lanes);
    });
  } else {
    const T scale = static_cast<T>(1 / sum);
    for_each_vector<T>(count, [&](int64_t i, int lanes) {
      store_some<T>(y + i, load_some(y + i, lanes) * scale, lanes);
    });
  }
}

// `width` neighbouring columns of a (count, stride) matrix at once.
template <class T, bool kLog>
void softmax_columns(const T* x, T* y, int64_t count, int64_t stride, int64_t width) {
  T max[kColumns], sum[kColumns];
  std::fill(max, max + width, Lowest<T>::value);
  std::fill(sum, sum + width, T(0));
  for (int64_t i = 0; i < count; i++) {
    for (int64_t c = 0; c < width; c++) max[c] = std::max(max[c], x[i * stride + c]);
  }
  for (int64_t i = 0; i < count; i++) {
    for_each_vector<T>(width, [&](int64_t c, int lanes) {
      const Vec<T> e = vexp(load_some(x + i * stride + c, lanes) - load_some(max + c, lanes));
      if (!kLog) store_some(y + i * stride + c, e, lanes);
      store_some<T>(sum + c, load_some(sum + c, lanes) + e, lanes);
    });
  }
  for (int64_t c = 0; c < width; c++) sum[c] = kLog ? std::log(sum[c]) : 1 / sum[c];
  for (int64_t i = 0; i < count; i++) {
    const T* from = x + i * stride;
    T* to = y + i * stride;
    for (int64_t c = 0; c < width; c++) to[c] = kLog ? from[c] - max[c] - sum[c] : to[c] * sum[c];
  }
}

template <class T, bool kLog>
class Softmax final : public Kernel {
 public:
  explicit Softmax(const KernelSpec& spec) : in_(spec) {
    require_arity(spec, 1);
    require_one_dtype(spec);
    require_shape("the output", spec.outputs[0].shape, spec.inputs[0].shape);
    threads_ = useful_threads(spec.threads, in_.elements(), kGrain);
  }

  bool may_alias(int, int) const override { return true; }

  void run(const Operands& operands) override {
    const T* x = operands.in<T>(0);
    T* y = operands.out<T>(0);
    if (in_.size == 0 || in_.inner == 0) return;
    if (in_.inner == 1) {
      parallel_ranges(threads_, in_.outer, [&](int64_t begin, int64_t end, int) {
        for (int64_t row = begin; row < end; row++) {
          softmax_row<T, kLog>(x + row * in_.size, y + row * in_.size, in_.size);
        }
      });
      return;
    }
    const int64_t chunks = (in_.inner + kColumns - 1) / kColumns;
    parallel_ranges(threads_, in_.outer * chunks, [&](int64_t begin, int64_t end, int) {
      for (int64_t unit = begin; unit < end; unit++) {
        const int64_t column = unit % chunks * kColumns;
        const int64_t at = unit / chunks * in_.size * in_.inner + column;
        softmax_columns<T, kLog>(x + at, y + at, in_.size, in_.inner,
                                 std::min(kColumns, in_.inner - column));
      }
    });
  }

 private:
  const AlongDim in_;
  int threads_;
};

template <bool kLog>
std::unique_ptr<Kernel> make(const KernelSpec& spec) {
  return dispatch_floating(spec.inputs[0].dtype, [&](auto tag) -> std::unique_ptr<Kernel> {
    return std::make_unique<Softmax<typename decltype(tag)::type, kLog>>(spec);
  });
}

bool supports(const KernelSpec& spec) { return is_native_floating(spec.inputs[0].dtype); }

}  // namespace

void register_softmax(Registry& registry) {
  registry.add({"softmax", "portable", 0, supports, make<false>});
  registry.add({"log_softmax", "portable", 0, supports, make<true>});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
