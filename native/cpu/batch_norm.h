// What batch_norm_fwd and batch_norm_bwd share: the operands' checks, the division of work, and
// sums by channel. x, y, g, dx (N, C, ...) float32, float64 or bfloat16; all else (C), float64
// where x is, else float32. Both overwrite (`=`) and make two passes over the data. Chunks are
// summed in vector lanes of float32 (float64 for x of that type) and joined in float64, in an order
// that depends on the thread count alone.
#pragma once

#include <cmath>
#include <memory>

#include "../runtime/parallel.h"
#include "channel_groups.h"
#include "check.h"
#include "dispatch.h"
#include "vec_storage.h"

namespace torchts {
inline namespace TORCHTS_ISA {

constexpr int64_t kBatchNormGrain = 1 << 14;  // elements a thread

// What is added and whether negative numbers (or their gradients) become 0.
struct BatchNormSteps {
  bool add, relu;

  explicit BatchNormSteps(const Attrs::Strings& names) {
    size_t k = 0;
    add = k < names.size() && names[k] == "add";
    if (add) k++;
    relu = k < names.size() && names[k] == "relu";
    if (relu) k++;
    require(k == names.size(), "steps must be at most one add, then at most one relu");
  }
};

// Calls body(add, relu) with both as types.
template <class Body>
void with_steps(BatchNormSteps steps, const Body& body) {
  using True = std::true_type;
  using False = std::false_type;
  if (steps.add)
    steps.relu ? body(True{}, True{}) : body(True{}, False{});
  else
    steps.relu ? body(False{}, True{}) : body(False{}, False{});
}

// Two sums a lane over the elements of a group; only lane 0 counts where lanes are positions.
template <class C>
struct alignas(64) LaneSums {
  double count = 0;
  double first[kLanes<C>] = {};
  double second[kLanes<C>] = {};
};

// The sum of four accumulators, over the lanes too where they are positions of one channel.
template <class V>
inline V total(const V* sums, bool across) {
  const V sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  return across ? sum : lane_sum(sum) - V{};
}

// Only the first `lanes` of `value`; 0 in the others.
template <class V>
inline V keep_lanes(V value, int64_t lanes) {
  for (int64_t l = lanes; l < static_cast<int64_t>(sizeof(V) / sizeof value[0]); l++) value[l] = 0;
  return value;
}

// The operands' checks and the division of work, which forward and backward share.
template <class T>
class BatchNorm : public Kernel {
 protected:
  using C = Computed<T>;  // also the type of statistics and parameters

  explicit BatchNorm(const KernelSpec& spec, const TensorType& x)
      : walk_(x), eps_(spec.attrs.number("eps")) {
    threads_ = useful_threads(spec.threads, x.numel(), kBatchNormGrain);
    splits_ = walk_.groups == 0 ? 1 : (threads_ + walk_.groups - 1) / walk_.groups;
  }

  static void require_like(const TensorType& x, const TensorType& type) {
    require(type.dtype == x.dtype, "x and an operand of its shape differ in dtype");
    require_shape("an operand", type.shape, x.shape);
    require(type.layout == x.layout, "x and an operand of its shape differ in layout");
  }
  static void require_per_channel(const TensorType& x, const TensorType& type) {
    const DType expected = x.dtype == DType::float64 ? DType::float64 : DType::float32;
    require(type.dtype == expected, "an operand of the channels has the wrong dtype");
    require_shape("an operand of the channels", type.shape, {x.shape[1]});
  }

  size_t scratch_bytes() const override {
    return splits_ > 1 ? sizeof(LaneSums<C>) * walk_.groups * splits_ : 0;
  }

  // sums = collect(group, first sample, last sample) of every group, then finish(group, sums), then
  // apply(group, first, last). Where groups are fewer than threads, several share one.
  template <class Collect, class Merge, class Finish, class Apply>
  void run_groups(void* scratch, const Collect& collect, const Merge& merge, const Finish& finish,
                  const Apply& apply) {
    const int64_t samples = walk_.samples;
    if (splits_ == 1) {
      parallel_ranges(threads_, walk_.groups, [&](int64_t begin, int64_t end, int) {
        for (int64_t g = begin; g < end; g++) {
          const ChannelGroup group = walk_.group(g);
          finish(group, collect(group, 0, samples));
          apply(group, 0, samples);
        }
      });
      return;
    }
    LaneSums<C>* partial = static_cast<LaneSums<C>*>(scratch);
    const auto over_units = [&](const auto& body) {
      parallel_ranges(threads_, walk_.groups * splits_, [&](int64_t begin, int64_t end, int) {
        for (int64_t unit = begin; unit < end; unit++) {
          const int64_t part = unit % splits_;
          body(unit, walk_.group(unit / splits_), samples * part / splits_,
               samples * (part + 1) / splits_);
        }
      });
    };
    over_units([&](int64_t unit, const ChannelGroup& group, int64_t first, int64_t last) {
      partial[unit] = collect(group, first, last);
    });
    for (int64_t g = 0; g < walk_.groups; g++) {
      LaneSums<C>* sums = partial + g * splits_;
      for (int64_t part = 1; part < splits_; part++) merge(sums[0], sums[part]);
      finish(walk_.group(g), sums[0]);
    }
    over_units([&](int64_t, const ChannelGroup& group, int64_t first, int64_t last) {
      apply(group, first, last);
    });
  }

  Vec<C> per_channel(const C* values, const ChannelGroup& group) const {
    return channel_vector<C>(values, group, walk_.across);
  }
  // Lanes that hold a sum of their own.
  int64_t own_lanes() const { return walk_.across ? kLanes<C> : 1; }

  const ChannelGroups<C> walk_;
  const double eps_;
  int threads_;
  int64_t splits_;
};

// All operands of x's shape lie as x does, if that is with channels in blocks.
template <int kX>
void arrange_batch_norm(KernelSpec* spec) {
  const TensorType& x = spec->inputs[kX];
  const Layout layout = channel_block(x.shape, x.layout) > 0 ? x.layout : Layout();
  const Shape shape = x.shape;
  for (TensorTypes* types : {&spec->inputs, &spec->outputs}) {
    for (TensorType& type : *types) type.layout = type.shape == shape ? layout : Layout();
  }
}

template <template <class> class Pass, int kX>
std::unique_ptr<Kernel> make_batch_norm(const KernelSpec& spec) {
  const TensorType& x = spec.inputs[kX];
  require(x.shape.size() >= 2, "x must be (N, C, ...)");
  if (x.dtype == DType::bfloat16) return std::make_unique<Pass<bfloat16>>(spec);
  return dispatch_floating(x.dtype, [&](auto tag) -> std::unique_ptr<Kernel> {
    return std::make_unique<Pass<typename decltype(tag)::type>>(spec);
  });
}

template <int kX>
bool supports_batch_norm(const KernelSpec& spec) {
  return spec.inputs.size() > kX &&
         (is_native_floating(spec.inputs[kX].dtype) || spec.inputs[kX].dtype == DType::bfloat16);
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
