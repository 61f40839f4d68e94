// arg_reduce: out[a][b] = the index of the first extreme of in[a][.][b] along `dim`, int64;
// in (A, n, B) with any size of A and B. NaN counts as extreme. Any full-width dtype;
// overwrites (`=`); rows are independent, so any thread count gives the same result.
#include "../runtime/parallel.h"
#include "check.h"
#include "dispatch.h"
#include "register.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

constexpr int64_t kGrain = 1 << 14;  // elements a thread

template <class T, bool kMax>
bool beats(T candidate, T best) {
  if (best != best) return false;
  if (candidate != candidate) return true;
  return kMax ? candidate > best : candidate < best;
}

template <class T, bool kMax>
class ArgReduce final : public Kernel {
 public:
  explicit ArgReduce(const KernelSpec& spec) : in_(spec) {
    require_arity(spec, 1);
    Shape kept = spec.inputs[0].shape;
    if (!kept.empty()) kept.erase(kept.begin() + spec.attrs.integer("dim"));
    require_shape("the output", spec.outputs[0].shape, kept);
    require(spec.outputs[0].dtype == DType::int64, "the output must be int64");
    require(in_.size > 0 || in_.outer * in_.inner == 0, "there is no extreme of nothing");
    threads_ = useful_threads(spec.threads, in_.elements(), kGrain);
  }

  void run(const Operands& operands) override {
    const T* in = operands.in<T>(0);
    int64_t* out = operands.out<int64_t>(0);
    parallel_ranges(threads_, in_.outer * in_.inner, [&](int64_t begin, int64_t end, int) {
      for (int64_t o = begin; o < end; o++) {
        const T* row = in + o / in_.inner * in_.size * in_.inner + o % in_.inner;
        int64_t best = 0;
        for (int64_t i = 1; i < in_.size; i++) {
          if (beats<T, kMax>(row[i * in_.inner], row[best * in_.inner])) best = i;
        }
        out[o] = best;
      }
    });
  }

 private:
  const AlongDim in_;
  int threads_;
};

std::unique_ptr<Kernel> make(const KernelSpec& spec) {
  const std::string& fn = spec.attrs.text("fn");
  return dispatch_full_width(spec.inputs[0].dtype, [&](auto tag) -> std::unique_ptr<Kernel> {
    using T = typename decltype(tag)::type;
    if (fn == "argmax") return std::make_unique<ArgReduce<T, true>>(spec);
    if (fn == "argmin") return std::make_unique<ArgReduce<T, false>>(spec);
    throw std::invalid_argument("unknown reduction " + fn);
  });
}

bool supports(const KernelSpec& spec) { return !is_half_width(spec.inputs[0].dtype); }

}  // namespace

void register_arg_reduce(Registry& registry) {
  registry.add({"arg_reduce", "portable", 0, supports, make});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
