// fill:   out[...] = value
// arange: out[i] = start + i * step, computed in float64
// Any dtype; overwrites (`=`). Each element depends on its index alone, so any thread count gives
// the same bits.
#include <algorithm>

#include "../runtime/parallel.h"
#include "check.h"
#include "dispatch.h"
#include "register.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

constexpr int64_t kGrain = 1 << 17;  // elements a thread; both kernels only write

template <class T>
class Fill final : public Kernel {
 public:
  explicit Fill(const KernelSpec& spec)
      : value_(convert<T>(spec.attrs.number("value"))),
        count_(spec.outputs[0].numel()),
        threads_(useful_threads(spec.threads, count_, kGrain)) {}

  void run(const Operands& operands) override {
    T* out = operands.out<T>(0);
    parallel_ranges(threads_, count_, [&](int64_t begin, int64_t end, int) {
      std::fill(out + begin, out + end, value_);
    });
  }

 private:
  T value_;
  int64_t count_;
  int threads_;
};

template <class T>
class Arange final : public Kernel {
 public:
  explicit Arange(const KernelSpec& spec)
      : start_(spec.attrs.number("start")),
        step_(spec.attrs.number("step")),
        count_(spec.outputs[0].numel()),
        threads_(useful_threads(spec.threads, count_, kGrain)) {
    require(spec.outputs[0].shape.size() == 1, "the output must have one dimension");
  }

  void run(const Operands& operands) override {
    T* out = operands.out<T>(0);
    parallel_ranges(threads_, count_, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; i++) {
        out[i] = convert<T>(start_ + static_cast<double>(i) * step_);
      }
    });
  }

 private:
  double start_, step_;
  int64_t count_;
  int threads_;
};

template <template <class> class K>
std::unique_ptr<Kernel> make(const KernelSpec& spec) {
  require_arity(spec, 0);
  return dispatch(spec.outputs[0].dtype, [&](auto tag) -> std::unique_ptr<Kernel> {
    return std::make_unique<K<typename decltype(tag)::type>>(spec);
  });
}

}  // namespace

void register_fill(Registry& registry) {
  registry.add({"fill", "portable", 0, any_spec, make<Fill>});
  registry.add({"arange", "portable", 0, any_spec, make<Arange>});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
