// conv2d_fwd, conv2d_bwd_data, conv2d_bwd_weight by oneDNN, direct or Winograd (Lavin and Gray,
// "Fast algorithms for convolutional neural networks", 2015), in the blocked layouts it prefers:
// operands arrive and leave in them; those that lie in rows all the same are reordered through
// scratch. float32, and bfloat16 by the direct method; accumulated in float32; overwrites (`=`);
// the bits depend on the thread count. Of an epilogue the bias and the tensor are added; ReLU is
// left to a pass, because oneDNN's makes 0 of NaN.
#include "../cpu/conv2d.h"

#include <algorithm>
#include <optional>

#include "onednn.h"
#include "register.h"

namespace torchts::onednn {
namespace {

// A copy from one layout to another, or within one.
class Reorder {
 public:
  Reorder(const Desc& from, const Desc& to) : from_(unbound(from)), to_(unbound(to)) {
    dnnl::primitive_attr attr;
    attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    const dnnl::reorder::primitive_desc plan(from_, to_, attr);
    primitive_ = dnnl::reorder(plan);
    scratchpad_ = unbound(plan.scratchpad_desc());
    args_ = {{DNNL_ARG_FROM, from_.get()},
             {DNNL_ARG_TO, to_.get()},
             {DNNL_ARG_SCRATCHPAD, scratchpad_.get()}};
  }

  size_t scratchpad_bytes() const { return scratchpad_.get_desc().get_size(); }

  void run(void* from, void* to, void* scratchpad) const {
    from_.set_data_handle(from);
    to_.set_data_handle(to);
    scratchpad_.set_data_handle(scratchpad);
    execute(primitive_, args_);
  }

 private:
  dnnl::memory from_, to_, scratchpad_;
  dnnl::primitive primitive_;
  std::vector<dnnl_exec_arg_t> args_;
};

// How an operand lies in memory: as `wanted`, or in rows as `plain` says.
Desc desc_of(const TensorType& type, const Desc& plain, const Desc& wanted) {
  Layout layout;
  if (layout_of(wanted, type.shape, &layout) && type.layout == layout) return wanted;
  if (!type.layout.is_row_major()) throw std::invalid_argument("an operand's layout is unknown");
  return plain;
}

// An operand of a primitive: passed on as it is, or reordered through a copy.
class Operand {
 public:
  // `plain` describes the operand when it lies in rows.
  Operand(const TensorType& type, const Desc& plain, const Desc& wanted, bool is_output)
      : wanted_(unbound(wanted)), is_output_(is_output) {
    const Desc given = desc_of(type, plain, wanted);
    if (given != wanted) reorder_.emplace(is_output ? wanted : given, is_output ? given : wanted);
  }

  // Of the reordered copy, and of what reordering needs while it runs.
  size_t copy_bytes() const { return reorder_ ? wanted_.get_desc().get_size() : 0; }
  size_t scratchpad_bytes() const { return reorder_ ? reorder_->scratchpad_bytes() : 0; }
  const dnnl::memory& wanted() const { return wanted_; }

  void bind(void* operand, void* copy) {
    operand_ = operand;
    wanted_.set_data_handle(reorder_ ? copy : operand);
  }
  void reorder(void* scratchpad) const {
    if (!reorder_) return;
    void* copy = wanted_.get_data_handle();
    reorder_->run(is_output_ ? copy : operand_, is_output_ ? operand_ : copy, scratchpad);
  }

 private:
  dnnl::memory wanted_;
  std::optional<Reorder> reorder_;
  void* operand_ = nullptr;
  bool is_output_;
};

size_t round_up(size_t bytes) { return (bytes + 63) / 64 * 64; }

torchts::Conv2d checked(Pass pass, const KernelSpec& spec) {
  switch (pass) {
    case Pass::forward:
      return torchts::Conv2d::forward(spec);
    case Pass::backward_data:
      return torchts::Conv2d::backward_data(spec);
    default:
      return torchts::Conv2d::backward_weight(spec);
  }
}

ConvolutionSizes sizes_of(const KernelSpec& spec, const torchts::Conv2d& s) {
  const DType dtype = spec.outputs[0].dtype;
  const Epilogue epilogue = epilogue_of(spec, 1);
  const Shape w = {s.out_channels, s.group_in(), s.kernel_height, s.kernel_width};
  return {dtype,
          {s.batch, s.in_channels, s.height, s.width},
          weight_shape(w, s.groups),
          {s.batch, s.out_channels, s.out_height, s.out_width},
          {s.stride[0], s.stride[1]},
          {s.dilation[0], s.dilation[1]},
          {s.padding[0], s.padding[1]},
          {s.reach(0) - s.height - s.padding[0], s.reach(1) - s.width - s.padding[1]},
          epilogue.bias >= 0,
          epilogue.add >= 0};
}

template <Pass kPass, Method kMethod>
class OnednnConv2d final : public Kernel {
 public:
  explicit OnednnConv2d(const KernelSpec& spec)
      : epilogue_(epilogue_of(spec, 1)), threads_(spec.threads) {
    use_threads(threads_);
    const ConvolutionSizes sizes = sizes_of(spec, checked(kPass, spec));
    const Convolution plan = plan_convolution(kPass, kMethod, sizes);
    const Shape& first = kPass == Pass::forward ? sizes.x : sizes.y;
    const Shape& second = kPass == Pass::backward_weight ? sizes.x : sizes.w;
    const Shape& output = kPass == Pass::forward         ? sizes.y
                          : kPass == Pass::backward_data ? sizes.x
                                                         : sizes.w;
    operands_.reserve(3);
    const auto add = [&](const TensorType& type, const Shape& shape, const Desc& wanted) {
      operands_.emplace_back(type, row_major(sizes.dtype, shape), wanted, operands_.size() == 2);
    };
    add(spec.inputs[0], first, plan.inputs[0]);
    add(spec.inputs[1], second, plan.inputs[1]);
    add(spec.outputs[0], output, plan.output);
    scratchpad_ = unbound(plan.scratchpad);
    primitive_ = plan.primitive;
    args_ = {{plan.input_names[0], operands_[0].wanted().get()},
             {plan.input_names[1], operands_[1].wanted().get()},
             {plan.output_name, operands_[2].wanted().get()},
             {DNNL_ARG_SCRATCHPAD, scratchpad_.get()}};
    if (sizes.bias) {
      bias_ = unbound(row_major(sizes.dtype, {sizes.y[1]}));
      args_.push_back({DNNL_ARG_BIAS, bias_.get()});
    }
    if (sizes.accumulate) {
      const TensorType& type = spec.inputs[epilogue_.add];
      add_.emplace(desc_of(type, row_major(sizes.dtype, output), plan.output), plan.output);
      add_lies_as_output_ = type.layout == spec.outputs[0].layout;
    }
  }

  size_t scratch_bytes() const override {
    size_t scratchpad = scratchpad_.get_desc().get_size();
    for (const Operand& operand : operands_) {
      scratchpad = std::max(scratchpad, operand.scratchpad_bytes());
    }
    if (add_) scratchpad = std::max(scratchpad, add_->scratchpad_bytes());
    return copies_bytes() + scratchpad;
  }

  bool may_alias(int input, int output) const override {
    return output == 0 && input == epilogue_.add && add_lies_as_output_;
  }

  void run(const torchts::Operands& operands) override {
    use_threads(threads_);
    // oneDNN has no constant memory; inputs are only read.
    const auto input = [&](int i) { return const_cast<void*>(operands.inputs[i]); };
    char* copy = static_cast<char*>(operands.scratch);
    char* scratchpad = copy + copies_bytes();  // shared: one primitive runs at a time
    for (int i = 0; i < 3; i++) {
      operands_[i].bind(i < 2 ? input(i) : operands.outputs[0], copy);
      copy += round_up(operands_[i].copy_bytes());
    }
    if (epilogue_.bias >= 0) bias_.set_data_handle(input(epilogue_.bias));
    operands_[0].reorder(scratchpad);
    operands_[1].reorder(scratchpad);
    if (add_) prepare_sum(input(epilogue_.add), scratchpad);
    scratchpad_.set_data_handle(scratchpad);
    execute(primitive_, args_);
    operands_[2].reorder(scratchpad);
  }

 private:
  size_t copies_bytes() const {
    size_t bytes = 0;
    for (const Operand& operand : operands_) bytes += round_up(operand.copy_bytes());
    return bytes;
  }

  // The primitive adds to what is there: the tensor is brought to where it writes.
  void prepare_sum(void* add, void* scratchpad) const {
    void* to = operands_[2].wanted().get_data_handle();
    if (add != to) add_->run(add, to, scratchpad);
  }

  const Epilogue epilogue_;
  int threads_;
  std::vector<Operand> operands_;  // the two inputs and the output
  dnnl::memory scratchpad_, bias_;
  std::optional<Reorder> add_;
  bool add_lies_as_output_ = false;
  dnnl::primitive primitive_;
  std::vector<dnnl_exec_arg_t> args_;
};

// A convolution of at least one element that the library can plan: float32, or bfloat16 by the
// direct method where the machine can.
template <Pass kPass, Method kMethod>
bool can_plan(const KernelSpec& spec, const torchts::Conv2d& s) {
  const DType dtype = spec.outputs[0].dtype;
  const bool bfloat = dtype == DType::bfloat16 && kMethod == Method::direct;
  if ((dtype != DType::float32 && !bfloat) || epilogue_of(spec, 1).relu) return false;
  if (s.work() == 0 || s.in_pixels() == 0) return false;
  use_threads(spec.threads);
  return has_convolution(kPass, kMethod, sizes_of(spec, s));
}

// Blocked layouts pad channels to 16, so few channels are the portable kernels' to compute, but for
// a wide first layer: the library reads its image in rows and gives the next layer its layout.
template <Pass kPass>
bool supports_direct(const KernelSpec& spec) {
  const torchts::Conv2d s = checked(kPass, spec);
  const bool depthwise = s.group_in() == 1 && s.group_out() == 1 && s.groups % 16 == 0;
  const bool first = s.groups == 1 && s.in_channels <= 3 && s.out_channels % 16 == 0 &&
                     s.out_channels >= 32 && kPass != Pass::backward_data;
  if (!depthwise && !first && (s.group_in() < 16 || s.group_out() < 16)) return false;
  return can_plan<kPass, Method::direct>(spec, s);
}

// 3 x 3 kernels with stride 1: fewer multiplications, but more memory and transforms, which pay
// from 64 channels on planes that hold more than one tile of 4 x 4.
template <Pass kPass>
bool supports_winograd(const KernelSpec& spec) {
  const torchts::Conv2d s = checked(kPass, spec);
  for (size_t d = 0; d < 2; d++) {
    if (s.stride[d] != 1 || s.dilation[d] != 1) return false;
  }
  return s.groups == 1 && s.kernel_height == 3 && s.kernel_width == 3 && s.out_height >= 6 &&
         s.out_width >= 6 && s.in_channels >= 64 && s.out_channels >= 64 &&
         can_plan<kPass, Method::winograd>(spec, s);
}

// Every operand in the layout the library prefers, where that is one of ours.
template <Pass kPass, Method kMethod>
void arrange(KernelSpec* spec) {
  use_threads(spec->threads);
  const Convolution plan = plan_convolution(kPass, kMethod, sizes_of(*spec, checked(kPass, *spec)));
  const auto set = [](TensorType* type, const Desc& wanted) {
    if (!layout_of(wanted, type->shape, &type->layout)) type->layout = {};
  };
  for (size_t i = 0; i < 2; i++) set(&spec->inputs.at(i), plan.inputs[i]);
  set(&spec->outputs.at(0), plan.output);
  const Epilogue epilogue = epilogue_of(*spec, 1);
  if (epilogue.bias >= 0) spec->inputs.at(epilogue.bias).layout = {};
  if (epilogue.add >= 0) spec->inputs.at(epilogue.add).layout = spec->outputs.at(0).layout;
}

template <Pass kPass, Method kMethod>
std::unique_ptr<Kernel> make(const KernelSpec& spec) {
  return std::make_unique<OnednnConv2d<kPass, kMethod>>(spec);
}

template <Pass kPass>
void add(Registry& registry, const char* kernel) {
  registry.add({kernel, "onednn_direct", 30, supports_direct<kPass>, make<kPass, Method::direct>,
                arrange<kPass, Method::direct>});
  registry.add({kernel, "onednn_winograd", 40, supports_winograd<kPass>,
                make<kPass, Method::winograd>, arrange<kPass, Method::winograd>});
}

}  // namespace

void register_conv2d(Registry& registry) {
  add<Pass::forward>(registry, "conv2d_fwd");
  add<Pass::backward_data>(registry, "conv2d_bwd_data");
  add<Pass::backward_weight>(registry, "conv2d_bwd_weight");
}

}  // namespace torchts::onednn
