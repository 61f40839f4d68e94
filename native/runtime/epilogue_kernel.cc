#include "epilogue_kernel.h"

#include <algorithm>

namespace torchts {
namespace {

float widen(bfloat16 value) { return to_float(value); }
float widen(float value) { return value; }
double widen(double value) { return value; }

void narrow(float value, bfloat16* to) { *to = to_bfloat16(value); }
template <class T>
void narrow(T value, T* to) {
  *to = value;
}

// Walks the output as it lies in memory; `bias_steps_` say how far in the bias each loop goes.
template <class T>
class EpilogueKernel final : public Kernel {
 public:
  EpilogueKernel(const KernelSpec& spec, const Epilogue& epilogue, size_t channel,
                 std::unique_ptr<Kernel> inner)
      : epilogue_(epilogue), kernel_(std::move(inner)) {
    const TensorType& out = spec.outputs[0];
    std::vector<int64_t> channel_only(out.shape.size(), 0);
    channel_only[channel] = 1;
    const Axes axes = out.layout.axes(out.shape);
    sizes_ = sizes_of(axes);
    bias_steps_ = strides_along(axes, channel_only);
    if (sizes_.empty()) {
      sizes_.push_back(1);
      bias_steps_.push_back(0);
    }
    places_.resize(sizes_.size());
    count_ = out.numel();
  }

  size_t scratch_bytes() const override { return kernel_->scratch_bytes(); }
  bool may_alias(int input, int output) const override {
    return input < static_cast<int>(epilogue_.own_inputs) && kernel_->may_alias(input, output);
  }

  void run(const Operands& operands) override {
    kernel_->run(operands);
    T* out = operands.out<T>(0);
    const T* bias = epilogue_.bias < 0 ? nullptr : operands.in<T>(epilogue_.bias);
    const T* add = epilogue_.add < 0 ? nullptr : operands.in<T>(epilogue_.add);
    const int64_t run = sizes_.back(), step = bias_steps_.back();
    std::fill(places_.begin(), places_.end(), 0);
    int64_t channel = 0;
    for (int64_t done = 0; done < count_; done += run) {
      for (int64_t i = 0; i < run; i++, out++) {
        auto value = widen(*out);
        if (bias != nullptr) value += widen(bias[channel + i * step]);
        if (add != nullptr) value += widen(*add++);
        narrow(epilogue_.relu && value <= 0 ? decltype(value)(0) : value, out);
      }
      advance(&channel);
    }
  }

 private:
  // To the next run: the loops but the innermost count up.
  void advance(int64_t* channel) {
    for (size_t a = sizes_.size() - 1; a-- > 0;) {
      *channel += bias_steps_[a];
      if (++places_[a] < sizes_[a]) return;
      *channel -= bias_steps_[a] * sizes_[a];
      places_[a] = 0;
    }
  }

  const Epilogue epilogue_;
  const std::unique_ptr<Kernel> kernel_;
  std::vector<int64_t> sizes_, bias_steps_, places_;
  int64_t count_;
};

}  // namespace

size_t channel_dimension(const std::string& kernel, const KernelSpec& spec) {
  if (kernel == "matmul") return spec.outputs[0].shape.size() - 1;
  if (kernel == "conv2d_fwd" || kernel == "batch_norm_fwd") return 1;
  throw std::invalid_argument("this kernel takes no epilogue");
}

void arrange_epilogue(KernelSpec* spec, const Epilogue& epilogue) {
  if (epilogue.bias >= 0) spec->inputs.at(epilogue.bias).layout = {};
  if (epilogue.add >= 0) spec->inputs.at(epilogue.add).layout = spec->outputs[0].layout;
}

std::unique_ptr<Kernel> make_epilogue_kernel(const KernelSpec& spec, const Epilogue& epilogue,
                                             size_t channel, std::unique_ptr<Kernel> inner) {
  switch (spec.outputs[0].dtype) {
    case DType::float32:
      return std::make_unique<EpilogueKernel<float>>(spec, epilogue, channel, std::move(inner));
    case DType::float64:
      return std::make_unique<EpilogueKernel<double>>(spec, epilogue, channel, std::move(inner));
    case DType::bfloat16:
      return std::make_unique<EpilogueKernel<bfloat16>>(spec, epilogue, channel, std::move(inner));
    default:
      throw std::invalid_argument("an epilogue needs a floating dtype");
  }
}

}  // namespace torchts
