// clip_norm: norm = (sum over all elements of |x|^p)^(1/p), or max |x| for p = infinity;
//            scale = min(1, max_norm / (norm + 1e-6))
// Any number of tensors of float32 or float64, in any layout -> two scalars. Elements are summed in
// vector lanes within blocks of a fixed size, blocks in float64 in order: the same bits for any
// thread count. NaN anywhere makes both NaN. Overwrites (`=`).
#include <algorithm>
#include <cmath>
#include <limits>

#include "../runtime/parallel.h"
#include "check.h"
#include "dispatch.h"
#include "register.h"
#include "vec_math.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

constexpr int64_t kBlock = 1 << 10;  // elements summed at the inputs' precision
constexpr int64_t kGrainBlocks = 16;

// Sums of squares of lanes; four vectors, so that additions do not wait for each other.
template <class T>
double block_squares(const T* x, int64_t count) {
  Vec<T> sums[4] = {};
  int64_t i = 0;
  for (; i + 4 * kLanes<T> <= count; i += 4 * kLanes<T>) {
    for (int k = 0; k < 4; k++) {
      const Vec<T> v = load(x + i + k * kLanes<T>);
      sums[k] += v * v;
    }
  }
  double sum = static_cast<double>(lane_sum((sums[0] + sums[1]) + (sums[2] + sums[3])));
  for (; i < count; i++) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return sum;
}

// The largest magnitude; NaN if there is one.
template <class T>
double block_largest(const T* x, int64_t count) {
  T largest = 0;
  for (int64_t i = 0; i < count; i++) {
    const T size = std::fabs(x[i]);
    if (!(size <= largest)) largest = std::isnan(largest) ? largest : size;
  }
  return static_cast<double>(largest);
}

template <class T>
double block_powers(const T* x, int64_t count, double p) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += std::pow(std::fabs(static_cast<double>(x[i])), p);
  return sum;
}

template <class T>
class ClipNorm final : public Kernel {
 public:
  explicit ClipNorm(const KernelSpec& spec)
      : max_norm_(spec.attrs.number("max_norm")), p_(spec.attrs.number("norm_type")) {
    require_arity(spec, spec.inputs.size(), 2);
    require_one_dtype(spec);
    require(p_ > 0, "norm_type must be positive");
    for (const TensorType& type : spec.outputs) require_shape("an output", type.shape, {});
    for (size_t i = 0; i < spec.inputs.size(); i++) {
      const int64_t count = spec.inputs[i].numel();
      for (int64_t at = 0; at < count; at += kBlock) {
        blocks_.push_back({static_cast<int>(i), at, std::min(kBlock, count - at)});
      }
    }
    threads_ = useful_threads(spec.threads, static_cast<int64_t>(blocks_.size()), kGrainBlocks);
  }

  size_t scratch_bytes() const override { return blocks_.size() * sizeof(double); }

  void run(const Operands& operands) override {
    double* parts = static_cast<double*>(operands.scratch);
    const int64_t blocks = static_cast<int64_t>(blocks_.size());
    parallel_ranges(threads_, blocks, [&](int64_t begin, int64_t end, int) {
      for (int64_t b = begin; b < end; b++) {
        const Block& block = blocks_[b];
        parts[b] = measure(operands.in<T>(block.input) + block.at, block.count);
      }
    });
    const double norm = join(parts, blocks);
    const double scale = max_norm_ / (norm + 1e-6);
    *operands.out<T>(0) = static_cast<T>(norm);
    *operands.out<T>(1) = static_cast<T>(scale > 1 ? 1 : scale);
  }

 private:
  struct Block {
    int input;
    int64_t at;
    int64_t count;
  };

  double measure(const T* x, int64_t count) const {
    if (p_ == 2) return block_squares(x, count);
    if (std::isinf(p_)) return block_largest(x, count);
    return block_powers(x, count, p_);
  }

  double join(const double* parts, int64_t count) const {
    if (std::isinf(p_)) return block_largest(parts, count);
    double sum = 0;
    for (int64_t i = 0; i < count; i++) sum += parts[i];
    return p_ == 2 ? std::sqrt(sum) : std::pow(sum, 1 / p_);
  }

  double max_norm_, p_;
  std::vector<Block> blocks_;
  int threads_;
};

std::unique_ptr<Kernel> make(const KernelSpec& spec) {
  return dispatch_floating(spec.inputs[0].dtype, [&](auto tag) -> std::unique_ptr<Kernel> {
    return std::make_unique<ClipNorm<typename decltype(tag)::type>>(spec);
  });
}

// A norm asks for no order: every input stays in the layout it has.
void arrange(KernelSpec*) {}

bool supports(const KernelSpec& spec) {
  return !spec.inputs.empty() && is_native_floating(spec.inputs[0].dtype);
}

}  // namespace

void register_clip_norm(Registry& registry) {
  registry.add({"clip_norm", "portable", 0, supports, make, arrange});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
