// batch_norm_fwd: y = (x - mean) / sqrt(variance + eps) * weight + bias, then + residual, then
// ReLU;
//                 mean and (biased) variance of each channel are outputs.
// batch_norm_bwd: g = (g + more) where y > 0, as the prologue says;
//                 dbias = sum(g), dweight = sum(g * xhat), xhat = (x - mean) / sqrt(variance +
//                 eps), dx = weight / sqrt(variance + eps) * (g - dbias / n - xhat * dweight / n).
// x, y, g, dx (N, C, ...) float32, float64 or bfloat16; all else (C), float64 where x is, else
// float32. Overwrites (`=`). Two passes over the data. Chunks are summed in vector lanes of float32
// (float64 for x of that type), the variance about the chunk's own mean, and joined in float64
// (Chan et al.), in an order that depends on the thread count alone.
#include <cmath>

#include "../runtime/parallel.h"
#include "channel_groups.h"
#include "check.h"
#include "dispatch.h"
#include "register.h"
#include "vec_storage.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

constexpr int64_t kGrain = 1 << 14;  // elements a thread

// What is added and whether negative numbers (or their gradients) become 0.
struct Steps {
  bool add, relu;

  explicit Steps(const Attrs::Strings& names) {
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
void with_steps(Steps steps, const Body& body) {
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
    threads_ = useful_threads(spec.threads, x.numel(), kGrain);
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

// ---- forward ----

template <class T>
class BatchNormForward final : public BatchNorm<T> {
  using Base = BatchNorm<T>;
  using typename Base::C;
  using Moments = LaneSums<C>;  // first: the mean; second: the sum of squares about it

 public:
  explicit BatchNormForward(const KernelSpec& spec)
      : Base(spec, spec.inputs[0]), steps_(spec.attrs.texts_or_none("epilogue")) {
    const TensorType& x = spec.inputs[0];
    require_arity(spec, 3 + steps_.add, 3);
    for (size_t i = 1; i < 3; i++) this->require_per_channel(x, spec.inputs[i]);
    if (steps_.add) this->require_like(x, spec.inputs[3]);
    this->require_like(x, spec.outputs[0]);
    for (size_t i = 1; i < 3; i++) this->require_per_channel(x, spec.outputs[i]);
  }

  bool may_alias(int input, int output) const override {
    return output == 0 && (input == 0 || input == 3);
  }

  void run(const Operands& operands) override {
    const T* x = operands.in<T>(0);
    this->run_groups(
        operands.scratch,
        [&](const ChannelGroup& group, int64_t first, int64_t last) {
          Moments moments;
          for_each_chunk(group, first, last, [&](const ChannelChunk& chunk) {
            merge(moments, chunk_moments(x, group, chunk));
          });
          return moments;
        },
        [&](Moments& into, const Moments& from) { merge(into, from); },
        [&](const ChannelGroup& group, const Moments& moments) {
          for (int64_t l = 0; l < group.channels; l++) {
            operands.out<C>(1)[group.channel + l] = static_cast<C>(moments.first[l]);
            operands.out<C>(2)[group.channel + l] =
                static_cast<C>(moments.count > 0 ? moments.second[l] / moments.count : 0);
          }
        },
        [&](const ChannelGroup& group, int64_t first, int64_t last) {
          with_steps(steps_, [&](auto add, auto relu) {
            normalize<add, relu>(operands, group, first, last);
          });
        });
  }

 private:
  Moments chunk_moments(const T* x, const ChannelGroup& group, const ChannelChunk& chunk) const {
    const bool across = this->walk_.across;
    const int64_t rows = chunk.last - chunk.first;
    Moments moments;
    moments.count = across ? chunk.vectors() : chunk.vectors() * kLanes<C> + rows * chunk.tail;
    Vec<C> sums[4] = {}, distances[4] = {}, squares[4] = {};
    for_each_vector<C>(group, chunk, [&](int64_t at, auto lanes, auto k) {
      sums[k] += read_lanes(x + at, lanes);
    });
    // About the mean of the chunk, which is here still off by what summing in C rounds.
    const Vec<C> centre = total(sums, across) / static_cast<C>(moments.count);
    for_each_vector<C>(group, chunk, [&](int64_t at, auto lanes, auto k) {
      Vec<C> distance = read_lanes(x + at, lanes) - centre;
      if (lanes != kLanes<C>) distance = keep_lanes(distance, lanes);
      distances[k] += distance;
      squares[k] += distance * distance;
    });
    const Vec<C> distance = total(distances, across), square = total(squares, across);
    for (int64_t l = 0; l < this->own_lanes(); l++) {
      const double off = distance[l] / moments.count;
      moments.first[l] = centre[l] + off;
      moments.second[l] = square[l] - distance[l] * off;
    }
    return moments;
  }

  void merge(Moments& into, const Moments& from) const {
    const double count = into.count + from.count;
    if (from.count == 0) return;
    const double share = from.count / count;
    for (int64_t l = 0; l < this->own_lanes(); l++) {
      const double delta = from.first[l] - into.first[l];
      into.first[l] += delta * share;
      into.second[l] += from.second[l] + delta * delta * into.count * share;
    }
    into.count = count;
  }

  template <bool kAdd, bool kRelu>
  void normalize(const Operands& operands, const ChannelGroup& group, int64_t first,
                 int64_t last) const {
    const T* x = operands.in<T>(0);
    const T* residual = kAdd ? operands.in<T>(3) : nullptr;
    T* y = operands.out<T>(0);
    const Vec<C> mean = this->per_channel(operands.out<C>(1), group);
    const Vec<C> bias = this->per_channel(operands.in<C>(2), group);
    Vec<C> scale = this->per_channel(operands.in<C>(1), group);
    const Vec<C> variance = this->per_channel(operands.out<C>(2), group);
    for (int l = 0; l < kLanes<C>; l++) {
      scale[l] = static_cast<C>(scale[l] / std::sqrt(variance[l] + this->eps_));
    }
    const ChannelChunk all{first, last, 0, group.vectors, group.tail};
    for_each_vector<C>(group, all, [&](int64_t at, auto lanes, auto) {
      Vec<C> value = (read_lanes(x + at, lanes) - mean) * scale + bias;
      if constexpr (kAdd) value += read_lanes(residual + at, lanes);
      if constexpr (kRelu) value = select(value <= 0, Vec<C>{}, value);
      write_lanes(y + at, value, lanes);
    });
  }

  const Steps steps_;
};

// ---- backward ----

template <class T>
class BatchNormBackward final : public BatchNorm<T> {
  using Base = BatchNorm<T>;
  using typename Base::C;
  using Sums = LaneSums<C>;  // first: of g; second: of g * (x - mean)

 public:
  explicit BatchNormBackward(const KernelSpec& spec)
      : Base(spec, spec.inputs[1]),
        steps_(spec.attrs.texts("prologue")),
        keeps_(spec.outputs.size() == 4) {
    const TensorType& x = spec.inputs[1];
    require_arity(spec, 5 + steps_.add + steps_.relu, keeps_ ? 4 : 3);
    this->require_like(x, spec.inputs[0]);
    for (size_t i = 2; i < 5; i++) this->require_per_channel(x, spec.inputs[i]);
    for (size_t i = 5; i < spec.inputs.size(); i++) this->require_like(x, spec.inputs[i]);
    this->require_like(x, spec.outputs[0]);
    for (size_t i = 1; i < 3; i++) this->require_per_channel(x, spec.outputs[i]);
    if (keeps_) this->require_like(x, spec.outputs[3]);
  }

  bool may_alias(int input, int output) const override {
    // What the prologue made is written in the first pass; x is read in the second.
    return (output == 0 && (input < 2 || input >= 5)) ||
           (output == 3 && (input == 0 || input >= 5));
  }

  void run(const Operands& operands) override {
    this->run_groups(
        operands.scratch,
        [&](const ChannelGroup& group, int64_t first, int64_t last) {
          Sums sums;
          with_steps(steps_, [&](auto add, auto relu) {
            collect<add, relu>(operands, group, first, last, sums);
          });
          return sums;
        },
        [&](Sums& into, const Sums& from) {
          for (int64_t l = 0; l < this->own_lanes(); l++) {
            into.first[l] += from.first[l];
            into.second[l] += from.second[l];
          }
        },
        [&](const ChannelGroup& group, const Sums& sums) {
          for (int64_t l = 0; l < group.channels; l++) {
            const int64_t c = group.channel + l;
            operands.out<C>(1)[c] = static_cast<C>(sums.second[l] * inverse(operands, c));
            operands.out<C>(2)[c] = static_cast<C>(sums.first[l]);
          }
        },
        [&](const ChannelGroup& group, int64_t first, int64_t last) {
          // What was kept needs no more steps.
          with_steps(keeps_ ? Steps({}) : steps_, [&](auto add, auto relu) {
            differentiate<add, relu>(operands, group, first, last);
          });
        });
  }

 private:
  double inverse(const Operands& operands, int64_t channel) const {
    return 1 / std::sqrt(operands.in<C>(4)[channel] + this->eps_);
  }

  // g as the prologue makes it.
  template <bool kAdd, bool kRelu>
  struct Gradient {
    const T *g, *more, *y;

    Gradient(const Operands& operands, const T* given)
        : g(given),
          more(kAdd ? operands.in<T>(5) : nullptr),
          y(kRelu ? operands.in<T>(kAdd ? 6 : 5) : nullptr) {}

    template <class Lanes>
    Vec<C> at(int64_t place, Lanes lanes) const {
      Vec<C> value = read_lanes(g + place, lanes);
      if constexpr (kAdd) value += read_lanes(more + place, lanes);
      if constexpr (kRelu) value = select(read_lanes(y + place, lanes) <= 0, Vec<C>{}, value);
      return value;
    }
  };

  template <bool kAdd, bool kRelu>
  void collect(const Operands& operands, const ChannelGroup& group, int64_t first, int64_t last,
               Sums& sums) const {
    const Gradient<kAdd, kRelu> gradient(operands, operands.in<T>(0));
    const T* x = operands.in<T>(1);
    T* kept = keeps_ ? operands.out<T>(3) : nullptr;
    const Vec<C> mean = this->per_channel(operands.in<C>(3), group);
    for_each_chunk(group, first, last, [&](const ChannelChunk& chunk) {
      Vec<C> plain[4] = {}, weighted[4] = {};
      for_each_vector<C>(group, chunk, [&](int64_t at, auto lanes, auto k) {
        const Vec<C> g = gradient.at(at, lanes);
        if (kept != nullptr) write_lanes(kept + at, g, lanes);
        plain[k] += g;
        weighted[k] += g * (read_lanes(x + at, lanes) - mean);
      });
      const Vec<C> sum = total(plain, this->walk_.across);
      const Vec<C> weighted_sum = total(weighted, this->walk_.across);
      for (int64_t l = 0; l < this->own_lanes(); l++) {
        sums.first[l] += sum[l];
        sums.second[l] += weighted_sum[l];
      }
    });
  }

  template <bool kAdd, bool kRelu>
  void differentiate(const Operands& operands, const ChannelGroup& group, int64_t first,
                     int64_t last) const {
    const Gradient<kAdd, kRelu> gradient(operands, keeps_ ? operands.out<T>(3) : operands.in<T>(0));
    const T* x = operands.in<T>(1);
    T* dx = operands.out<T>(0);
    const Vec<C> mean = this->per_channel(operands.in<C>(3), group);
    // dx = scale * g + slope * (x - mean) + shift
    Vec<C> scale = this->per_channel(operands.in<C>(2), group);
    Vec<C> slope = this->per_channel(operands.out<C>(1), group);
    Vec<C> shift = this->per_channel(operands.out<C>(2), group);
    const double count = static_cast<double>(this->walk_.count());
    for (int64_t l = 0; l < kLanes<C>; l++) {
      const int64_t own = this->walk_.across ? std::min<int64_t>(l, group.channels - 1) : 0;
      const double inv = inverse(operands, group.channel + own);
      const double factor = scale[l] * inv;
      scale[l] = static_cast<C>(factor);
      slope[l] = static_cast<C>(-factor * inv * slope[l] / count);
      shift[l] = static_cast<C>(-factor * shift[l] / count);
    }
    const ChannelChunk all{first, last, 0, group.vectors, group.tail};
    for_each_vector<C>(group, all, [&](int64_t at, auto lanes, auto) {
      const Vec<C> distance = read_lanes(x + at, lanes) - mean;
      write_lanes(dx + at, scale * gradient.at(at, lanes) + (slope * distance + shift), lanes);
    });
  }

  const Steps steps_;
  const bool keeps_;
};

// All operands of x's shape lie as x does, if that is with channels in blocks.
template <int kX>
void arrange(KernelSpec* spec) {
  const TensorType& x = spec->inputs[kX];
  const Layout layout = channel_block(x.shape, x.layout) > 0 ? x.layout : Layout();
  const Shape shape = x.shape;
  for (TensorTypes* types : {&spec->inputs, &spec->outputs}) {
    for (TensorType& type : *types) type.layout = type.shape == shape ? layout : Layout();
  }
}

template <template <class> class Pass, int kX>
std::unique_ptr<Kernel> make(const KernelSpec& spec) {
  const TensorType& x = spec.inputs[kX];
  require(x.shape.size() >= 2, "x must be (N, C, ...)");
  if (x.dtype == DType::bfloat16) return std::make_unique<Pass<bfloat16>>(spec);
  return dispatch_floating(x.dtype, [&](auto tag) -> std::unique_ptr<Kernel> {
    return std::make_unique<Pass<typename decltype(tag)::type>>(spec);
  });
}

template <int kX>
bool supports(const KernelSpec& spec) {
  return spec.inputs.size() > kX &&
         (is_native_floating(spec.inputs[kX].dtype) || spec.inputs[kX].dtype == DType::bfloat16);
}

}  // namespace

void register_batch_norm(Registry& registry) {
  registry.add(
      {"batch_norm_fwd", "portable", 0, supports<0>, make<BatchNormForward, 0>, arrange<0>});
  registry.add(
      {"batch_norm_bwd", "portable", 0, supports<1>, make<BatchNormBackward, 1>, arrange<1>});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
