// conv2d_fwd, conv2d_bwd_data, conv2d_bwd_weight by oneDNN, direct or Winograd (Lavin and Gray,
// "Fast algorithms for convolutional neural networks", 2015), in the blocked layouts it prefers:
// operands arrive and leave in them; those that lie in rows all the same are reordered through
// scratch. float32, and bfloat16 by the direct method; accumulated in float32; overwrites (`=`);
// the bits depend on the thread count.
#include "../cpu/conv2d.h"

#include <algorithm>
#include <optional>

#include "onednn.h"
#include "register.h"

namespace torchts::onednn {
namespace {

// An operand of a primitive: passed on as it is, or reordered through scratch.
class Operand {
 public:
  // `plain` describes the operand when it lies in rows.
  Operand(const TensorType& type, const Desc& plain, const Desc& wanted, bool is_output)
      : plain_(unbound(plain)), wanted_(unbound(wanted)) {
    Layout layout;
    if (layout_of(wanted, type.shape, &layout) && type.layout == layout) return;
    if (!type.layout.is_row_major()) throw std::invalid_argument("an operand's layout is unknown");
    const dnnl::memory& from = is_output ? wanted_ : plain_;
    const dnnl::memory& to = is_output ? plain_ : wanted_;
    dnnl::primitive_attr attr;
    attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    const dnnl::reorder::primitive_desc plan(from, to, attr);
    reorder_.emplace(plan);
    scratchpad_ = unbound(plan.scratchpad_desc());
    args_ = {{DNNL_ARG_FROM, from.get()},
             {DNNL_ARG_TO, to.get()},
             {DNNL_ARG_SCRATCHPAD, scratchpad_.get()}};
  }

  // Of the reordered copy, and of what reordering needs while it runs.
  size_t copy_bytes() const { return reorder_ ? wanted_.get_desc().get_size() : 0; }
  size_t scratchpad_bytes() const { return reorder_ ? scratchpad_.get_desc().get_size() : 0; }
  const dnnl::memory& wanted() const { return wanted_; }

  void bind(void* operand, void* copy, void* scratchpad) const {
    if (reorder_) plain_.set_data_handle(operand);
    if (reorder_) scratchpad_.set_data_handle(scratchpad);
    wanted_.set_data_handle(reorder_ ? copy : operand);
  }
  void reorder() const {
    if (reorder_) execute(*reorder_, args_);
  }

 private:
  dnnl::memory plain_, wanted_, scratchpad_;
  std::optional<dnnl::reorder> reorder_;
  std::vector<dnnl_exec_arg_t> args_;
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

ConvolutionSizes sizes_of(DType dtype, const torchts::Conv2d& s) {
  const Shape w = {s.out_channels, s.group_in(), s.kernel_height, s.kernel_width};
  return {dtype,
          {s.batch, s.in_channels, s.height, s.width},
          weight_shape(w, s.groups),
          {s.batch, s.out_channels, s.out_height, s.out_width},
          {s.stride[0], s.stride[1]},
          {s.dilation[0], s.dilation[1]},
          {s.padding[0], s.padding[1]},
          {s.reach(0) - s.height - s.padding[0], s.reach(1) - s.width - s.padding[1]}};
}

template <Pass kPass, Method kMethod>
class OnednnConv2d final : public Kernel {
 public:
  explicit OnednnConv2d(const KernelSpec& spec) : threads_(spec.threads) {
    use_threads(threads_);
    const ConvolutionSizes sizes = sizes_of(spec.outputs[0].dtype, checked(kPass, spec));
    Convolution plan = plan_convolution(kPass, kMethod, sizes);
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
  }

  size_t scratch_bytes() const override {
    size_t scratchpad = scratchpad_.get_desc().get_size();
    for (const Operand& operand : operands_) {
      scratchpad = std::max(scratchpad, operand.scratchpad_bytes());
    }
    return copies_bytes() + scratchpad;
  }

  void run(const torchts::Operands& operands) override {
    use_threads(threads_);
    char* copy = static_cast<char*>(operands.scratch);
    char* scratchpad = copy + copies_bytes();  // shared: one primitive runs at a time
    for (size_t i = 0; i < 3; i++) {
      // oneDNN has no constant memory; inputs are only read.
      void* at = i < 2 ? const_cast<void*>(operands.inputs[i]) : operands.outputs[0];
      operands_[i].bind(at, copy, scratchpad);
      copy += round_up(operands_[i].copy_bytes());
    }
    scratchpad_.set_data_handle(scratchpad);
    operands_[0].reorder();
    operands_[1].reorder();
    execute(primitive_, args_);
    operands_[2].reorder();
  }

 private:
  size_t copies_bytes() const {
    size_t bytes = 0;
    for (const Operand& operand : operands_) bytes += round_up(operand.copy_bytes());
    return bytes;
  }

  int threads_;
  std::vector<Operand> operands_;  // the two inputs and the output
  dnnl::memory scratchpad_;
  dnnl::primitive primitive_;
  std::vector<dnnl_exec_arg_t> args_;
};

// A convolution of at least one element that the library can plan: float32, or bfloat16 by the
// direct method where the machine can.
template <Pass kPass, Method kMethod>
bool can_plan(const KernelSpec& spec, const torchts::Conv2d& s) {
  const DType dtype = spec.outputs[0].dtype;
  const bool bfloat = dtype == DType::bfloat16 && kMethod == Method::direct;
  if ((dtype != DType::float32 && !bfloat) || has_epilogue(spec)) return false;
  if (s.work() == 0 || s.in_pixels() == 0) return false;
  use_threads(spec.threads);
  return has_convolution(kPass, kMethod, sizes_of(dtype, s));
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
  const DType dtype = spec->outputs.at(0).dtype;
  const Convolution plan = plan_convolution(kPass, kMethod, sizes_of(dtype, checked(kPass, *spec)));
  const auto set = [](TensorType* type, const Desc& wanted) {
    if (!layout_of(wanted, type->shape, &type->layout)) type->layout = {};
  };
  for (size_t i = 0; i < 2; i++) set(&spec->inputs.at(i), plan.inputs[i]);
  set(&spec->outputs.at(0), plan.output);
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
