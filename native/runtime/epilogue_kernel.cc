#include "epilogue_kernel.h"

#include <algorithm>

namespace torchts {
namespace {

constexpr int64_t kGrain = 1 << 15;  // elements a thread

float widen(bfloat16 value) { return to_float(value); }
float widen(float value) { return value; }
double widen(double value) { return value; }

void narrow(float value, bfloat16* to) { *to = to_bfloat16(value); }
template <class T>
void narrow(T value, T* to) {
  *to = value;
}

// What is done to `count` elements in a row.
template <class T>
struct Run {
  int64_t count;
  T* out;
  const T* bias;  // null for none
  const T* add;   // null for none
  bool relu;

  // `kStep` says how far the bias goes with each element.
  template <int kStep>
  void apply() const {
    for (int64_t i = 0; i < count; i++) {
      auto value = widen(out[i]);
      if (bias != nullptr) value += widen(bias[i * kStep]);
      if (add != nullptr) value += widen(add[i]);
      if (relu) value = value <= 0 ? decltype(value)(0) : value;
      narrow(value, out + i);
    }
  }
};

// Walks the output as it lies in memory; `bias_steps_` say how far in the bias each loop goes.
template <class T>
class EpilogueKernel final : public Kernel {
 public:
  EpilogueKernel(const KernelSpec& spec, const Epilogue& pass, std::unique_ptr<Kernel> inner)
      : pass_(pass), kernel_(std::move(inner)) {
    const TensorType& out = spec.outputs[0];
    std::vector<int64_t> channel_only(out.shape.size(), 0);
    if (pass.bias >= 0) channel_only[pass.channel] = 1;
    const Axes axes = out.layout.axes(out.shape);
    add_loops(sizes_of(axes), strides_along(axes, channel_only));
    count_ = out.numel();
    threads_ = useful_threads(spec.threads, count_, kGrain);
    places_.resize(threads_ * sizes_.size());
  }

  size_t scratch_bytes() const override { return kernel_->scratch_bytes(); }
  bool may_alias(int input, int output) const override {
    return input < static_cast<int>(pass_.own_inputs) && kernel_->may_alias(input, output);
  }

  void run(const Operands& operands) override {
    kernel_->run(operands);
    parallel_ranges(threads_, count_, [&](int64_t begin, int64_t end, int part) {
      walk(operands, begin, end, places_.data() + part * sizes_.size());
    });
  }

 private:
  // Loops along which the bias goes on evenly are one.
  void add_loops(const Shape& sizes, const std::vector<int64_t>& steps) {
    sizes_ = {1};
    bias_steps_ = {0};
    for (size_t a = 0; a < sizes.size(); a++) {
      if (sizes_.back() == 1 || bias_steps_.back() == steps[a] * sizes[a]) {
        sizes_.back() *= sizes[a];
        bias_steps_.back() = steps[a];
      } else {
        sizes_.push_back(sizes[a]);
        bias_steps_.push_back(steps[a]);
      }
    }
  }

  // Elements [begin, end); `places` are the counters of the loops around a run.
  void walk(const Operands& operands, int64_t begin, int64_t end, int64_t* places) const {
    const auto operand = [&](int place) { return place < 0 ? nullptr : operands.in<T>(place); };
    const T* bias = operand(pass_.bias);
    const T* add = operand(pass_.add);
    const int64_t step = bias_steps_.back();
    int64_t channel = 0, outer = begin / sizes_.back(), inner = begin % sizes_.back();
    for (size_t a = sizes_.size() - 1; a-- > 0; outer /= sizes_[a]) {
      places[a] = outer % sizes_[a];
      channel += places[a] * bias_steps_[a];
    }
    for (int64_t at = begin; at < end; inner = 0) {
      const Run<T> run{std::min(sizes_.back() - inner, end - at), operands.out<T>(0) + at,
                       bias == nullptr ? nullptr : bias + channel + inner * step,
                       add == nullptr ? nullptr : add + at, pass_.relu};
      step == 0 ? run.template apply<0>() : run.template apply<1>();
      at += run.count;
      advance(places, &channel);
    }
  }

  // To the next run: the loops but the innermost count up.
  void advance(int64_t* places, int64_t* channel) const {
    for (size_t a = sizes_.size() - 1; a-- > 0;) {
      *channel += bias_steps_[a];
      if (++places[a] < sizes_[a]) return;
      *channel -= bias_steps_[a] * sizes_[a];
      places[a] = 0;
    }
  }

  const Epilogue pass_;
  const std::unique_ptr<Kernel> kernel_;
  std::vector<int64_t> sizes_, bias_steps_, places_;
  int64_t count_;
  int threads_;
};

}  // namespace

void arrange_epilogue(KernelSpec* spec, const Epilogue& epilogue) {
  if (epilogue.bias >= 0) spec->inputs.at(epilogue.bias).layout = {};
  if (epilogue.add >= 0) spec->inputs.at(epilogue.add).layout = spec->outputs[0].layout;
}

std::unique_ptr<Kernel> make_epilogue_kernel(const KernelSpec& spec, size_t parts,
                                             std::unique_ptr<Kernel> inner) {
  const Epilogue done = epilogue_of(with_parts(spec, parts));
  Epilogue pass = epilogue_of(spec);
  if (done.bias >= 0) pass.bias = -1;
  if (done.add >= 0) pass.add = -1;
  pass.relu = pass.relu && !done.relu;
  pass.own_inputs += (done.bias >= 0) + (done.add >= 0);
  switch (spec.outputs[0].dtype) {
    case DType::float32:
      return std::make_unique<EpilogueKernel<float>>(spec, pass, std::move(inner));
    case DType::float64:
      return std::make_unique<EpilogueKernel<double>>(spec, pass, std::move(inner));
    case DType::bfloat16:
      return std::make_unique<EpilogueKernel<bfloat16>>(spec, pass, std::move(inner));
    default:
      throw std::invalid_argument("an epilogue needs a floating dtype");
  }
}

}  // namespace torchts
