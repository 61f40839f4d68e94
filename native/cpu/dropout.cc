// dropout: x -> y, mask: element i is kept where word i of a Philox stream, numbered as philox
// numbers them, shifted right by 8, is at least `threshold`; y = kept ? x scale : 0.
// x, y of one floating shape, mask bool; seed and counter int64 (). Overwrites (`=`); element i
// depends on i and the stream alone, so any thread count gives the same bits.
#include "../runtime/parallel.h"
#include "check.h"
#include "dispatch.h"
#include "philox_lanes.h"
#include "register.h"
#include "vec_storage.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

constexpr int64_t kGrain = 1 << 14;  // elements a thread

// All ones where `keep` is, in lanes as wide as C's.
template <class C>
auto lane_mask_of(const int32_t* keep) {
  if constexpr (sizeof(C) == sizeof(int32_t)) {
    return load(keep);
  } else {
    VecL mask;
    for (int l = 0; l < kLanes<int64_t>; l++) mask[l] = keep[l];
    return mask;
  }
}

template <class T>
class Dropout final : public Kernel {
  using C = Computed<T>;

 public:
  explicit Dropout(const KernelSpec& spec)
      : offset_(spec.attrs.integer("offset")),
        scale_(static_cast<C>(spec.attrs.number("scale"))),
        count_(spec.outputs[0].numel()),
        threads_(useful_threads(spec.threads, count_, kGrain)) {
    const int64_t threshold = spec.attrs.integer("threshold");
    require(threshold >= 0 && threshold <= 1 << 24, "threshold must be between 0 and 2^24");
    threshold_ = static_cast<int32_t>(threshold);
  }

  bool may_alias(int input, int output) const override { return input == 0 && output == 0; }

  void run(const Operands& operands) override {
    const auto seed = static_cast<uint64_t>(*operands.in<int64_t>(1));
    const uint64_t stream = static_cast<uint64_t>(*operands.in<int64_t>(2)) + offset_;
    const int64_t chunks = (count_ + kPhiloxWords - 1) / kPhiloxWords;
    parallel_ranges(threads_, chunks, [&](int64_t begin, int64_t end, int) {
      for (int64_t chunk = begin; chunk < end; chunk++) {
        const int64_t at = chunk * kPhiloxWords;
        alignas(kVectorBytes) uint32_t words[kPhiloxWords];
        philox_words(static_cast<uint64_t>(chunk) * kPhiloxBlocks, stream, seed, words);
        drop(words, operands.in<T>(0) + at, std::min<int64_t>(kPhiloxWords, count_ - at),
             operands.out<T>(0) + at, operands.out<uint8_t>(1) + at);
      }
    });
  }

 private:
  void drop(const uint32_t* words, const T* x, int64_t count, T* y, uint8_t* mask) const {
    alignas(kVectorBytes) int32_t keep[kPhiloxWords];
    for (int i = 0; i < kPhiloxWords; i += kLanes<int32_t>) {
      const VecI word = load(reinterpret_cast<const int32_t*>(words + i));
      store<int32_t>(keep + i, ((word >> 8) & 0xffffff) >= threshold_);
    }
    for (int64_t i = 0; i < count; i++) mask[i] = static_cast<uint8_t>(keep[i] & 1);
    for (int64_t i = 0; i < count; i += kLanes<C>) {
      const Vec<C> kept = read_lanes(x + i, count - i) * scale_;
      write_lanes(y + i, select(lane_mask_of<C>(keep + i), kept, Vec<C>{}), count - i);
    }
  }

  const uint64_t offset_;
  const C scale_;
  const int64_t count_;
  const int threads_;
  int32_t threshold_;
};

std::unique_ptr<Kernel> make(const KernelSpec& spec) {
  require_arity(spec, 3, 2);
  const TensorType& x = spec.inputs[0];
  for (size_t i = 1; i < 3; i++) {
    require(spec.inputs[i].dtype == DType::int64 && spec.inputs[i].shape.empty(),
            "seed and counter must be int64 ()");
  }
  require(spec.outputs[0].dtype == x.dtype && spec.outputs[1].dtype == DType::boolean,
          "gives x's dtype, and a mask that is bool");
  for (const TensorType& output : spec.outputs) require_shape("an output", output.shape, x.shape);
  if (x.dtype == DType::bfloat16) return std::make_unique<Dropout<bfloat16>>(spec);
  return dispatch_floating(x.dtype, [&](auto tag) -> std::unique_ptr<Kernel> {
    return std::make_unique<Dropout<typename decltype(tag)::type>>(spec);
  });
}

bool supports(const KernelSpec& spec) {
  const DType dtype = spec.outputs[0].dtype;
  return is_native_floating(dtype) || dtype == DType::bfloat16;
}

}  // namespace

void register_dropout(Registry& registry) {
  registry.add({"dropout", "portable", 0, supports, make});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
