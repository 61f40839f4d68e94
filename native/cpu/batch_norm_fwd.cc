// batch_norm_fwd: y = (x - mean) / sqrt(variance + eps) * weight + bias, then + residual, then
// ReLU;
//                 mean and (biased) variance of each channel are outputs.
// Types and order of sums: batch_norm.h. A chunk's variance is about its own mean; chunks are
// joined as Chan et al. do (Updating Formulae and a Pairwise Algorithm for Computing Sample
// Variances, 1979).
#include "batch_norm.h"
#include "register.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

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

  const BatchNormSteps steps_;
};

}  // namespace

void register_batch_norm_fwd(Registry& registry) {
  registry.add({"batch_norm_fwd", "portable", 0, supports_batch_norm<0>,
                make_batch_norm<BatchNormForward, 0>, arrange_batch_norm<0>});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
