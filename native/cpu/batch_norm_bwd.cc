// batch_norm_bwd: g = (g + more) where y > 0, as the prologue says;
//                 dbias = sum(g), dweight = sum(g * xhat), xhat = (x - mean) / sqrt(variance +
//                 eps), dx = weight / sqrt(variance + eps) * (g - dbias / n - xhat * dweight / n).
// Types and order of sums: batch_norm.h.
#include "batch_norm.h"
#include "register.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

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
          with_steps(keeps_ ? BatchNormSteps({}) : steps_, [&](auto add, auto relu) {
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

  const BatchNormSteps steps_;
  const bool keeps_;
};

}  // namespace

void register_batch_norm_bwd(Registry& registry) {
  registry.add({"batch_norm_bwd", "portable", 0, supports_batch_norm<1>,
                make_batch_norm<BatchNormBackward, 1>, arrange_batch_norm<1>});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
