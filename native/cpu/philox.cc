// philox: out[i] from word i % 4 of the Philox4x32-10 block with counter words (i/4 low, i/4 high,
// stream low, stream high), stream = counter + offset, and key = seed; seed and counter int64 ().
// Overwrites (`=`); element i depends on i alone, so any thread count gives the same bits.
#include "../runtime/philox.h"

#include <cmath>

#include "../runtime/parallel.h"
#include "check.h"
#include "dispatch.h"
#include "register.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

constexpr int64_t kGrain = 1 << 12;  // blocks of four a thread

struct Uniform {
  static void four(const PhiloxBlock& block, double* value) {
    for (int i = 0; i < 4; i++) value[i] = (block.word[i] >> 8) * 0x1p-24;
  }
};

// Box-Muller, in float64 throughout so that every engine rounds the same number.
struct Normal {
  static void four(const PhiloxBlock& block, double* value) {
    constexpr double kTwoPi = 6.283185307179586;
    for (int i = 0; i < 4; i += 2) {
      const double u = ((block.word[i] >> 8) + 1) * 0x1p-24;
      const double r = std::sqrt(-2.0 * std::log(u));
      const double t = kTwoPi * (block.word[i + 1] >> 8) * 0x1p-24;
      value[i] = r * std::cos(t);
      value[i + 1] = r * std::sin(t);
    }
  }
};

struct Bits {
  static void four(const PhiloxBlock& block, double* value) {
    for (int i = 0; i < 4; i++) value[i] = block.word[i];
  }
};

template <class T, class Distribution>
class Philox final : public Kernel {
 public:
  explicit Philox(const KernelSpec& spec)
      : offset_(spec.attrs.integer("offset")),
        count_(spec.outputs[0].numel()),
        threads_(useful_threads(spec.threads, count_ / 4, kGrain)) {}

  void run(const Operands& operands) override {
    const auto seed = static_cast<uint64_t>(*operands.in<int64_t>(0));
    const uint64_t stream = static_cast<uint64_t>(*operands.in<int64_t>(1)) + offset_;
    T* out = operands.out<T>(0);
    parallel_ranges(threads_, (count_ + 3) / 4, [&](int64_t begin, int64_t end, int) {
      for (int64_t block = begin; block < end; block++) {
        const PhiloxBlock counter = {
            {static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32),
             static_cast<uint32_t>(stream), static_cast<uint32_t>(stream >> 32)}};
        double value[4];
        Distribution::four(philox_4x32_10(counter, seed), value);
        const int64_t rest = std::min<int64_t>(4, count_ - 4 * block);
        for (int64_t i = 0; i < rest; i++) out[4 * block + i] = convert<T>(value[i]);
      }
    });
  }

 private:
  uint64_t offset_;
  int64_t count_;
  int threads_;
};

std::unique_ptr<Kernel> make(const KernelSpec& spec) {
  require_arity(spec, 2);
  for (const TensorType& input : spec.inputs) {
    require(input.dtype == DType::int64 && input.shape.empty(),
            "seed and counter must be int64 ()");
  }
  const std::string& fn = spec.attrs.text("fn");
  const DType dtype = spec.outputs[0].dtype;
  require(fn == "bits" ? dtype == DType::int64 : is_native_floating(dtype) || is_half_width(dtype),
          fn + " cannot give this dtype");
  return dispatch(dtype, [&](auto tag) -> std::unique_ptr<Kernel> {
    using T = typename decltype(tag)::type;
    if (fn == "uniform") return std::make_unique<Philox<T, Uniform>>(spec);
    if (fn == "normal") return std::make_unique<Philox<T, Normal>>(spec);
    if (fn == "bits") return std::make_unique<Philox<T, Bits>>(spec);
    throw std::invalid_argument("unknown distribution " + fn);
  });
}

}  // namespace

void register_philox(Registry& registry) {
  registry.add({"philox", "portable", 0, any_spec, make});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
