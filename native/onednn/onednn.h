// oneDNN's API (version 2) is known to this folder alone, and its descriptors, which version 3
// changed, to this file: memory layouts, a primitive that runs without allocating, and convolutions
// in the layouts the library prefers.
#pragma once

#include <algorithm>
#include <dnnl.hpp>
#include <vector>

#include "../runtime/kernel.h"

// OpenMP comes with a oneDNN that was built for it; another one leaves this null.
extern "C" __attribute__((weak)) void omp_set_num_threads(int threads);

namespace torchts::onednn {

using Desc = dnnl::memory::desc;

inline const dnnl::engine& engine() {
  static const dnnl::engine kEngine(dnnl::engine::kind::cpu, 0);
  return kEngine;
}

inline const dnnl::stream& stream() {
  static const dnnl::stream kStream(engine());
  return kStream;
}

// oneDNN takes OpenMP's thread count of the calling thread, both when a primitive is planned and
// when it runs; the two must agree.
inline void use_threads(int threads) {
  if (omp_set_num_threads != nullptr) omp_set_num_threads(threads);
}

inline dnnl::memory::data_type data_type(DType dtype) {
  return dtype == DType::bfloat16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
}

inline Desc row_major(DType dtype, const Shape& shape) {
  dnnl::memory::dims strides(shape.size());
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return Desc(shape, data_type(dtype), strides);
}

inline Desc any_layout(DType dtype, const Shape& shape) {
  return Desc(shape, data_type(dtype), dnnl::memory::format_tag::any);
}

// (groups, out / groups, in / groups, kH, kW): how oneDNN wants grouped weights. The same memory.
inline Shape weight_shape(const Shape& w, int64_t groups) {
  if (groups == 1) return w;
  return {groups, w[0] / groups, w[1], w[2], w[3]};
}

// The layout of a value of `shape` that a descriptor stands for; false where the descriptor pads,
// or is no plain order and blocks. Grouped weights have a dimension more than their value, in
// front.
inline bool layout_of(const Desc& desc, const Shape& shape, Layout* layout) {
  const dnnl_memory_desc_t& d = desc.data;
  if (d.format_kind != dnnl_blocked || d.offset0 != 0 || d.extra.flags != 0) return false;
  const dnnl_blocking_desc_t& blocking = d.format_desc.blocking;
  Shape outer(d.dims, d.dims + d.ndims);
  Axes axes;
  int64_t stride = 1;  // of the innermost dimension outside the blocks
  for (int b = 0; b < blocking.inner_nblks; b++) {
    const int dim = static_cast<int>(blocking.inner_idxs[b]);
    if (outer[dim] % blocking.inner_blks[b] != 0) return false;
    outer[dim] /= blocking.inner_blks[b];
    stride *= blocking.inner_blks[b];
    axes.push_back({dim, blocking.inner_blks[b]});
  }
  std::vector<int> order;
  for (int i = 0; i < d.ndims; i++) {
    if (d.padded_dims[i] != d.dims[i]) return false;
    if (outer[i] != 1) order.push_back(i);
  }
  std::sort(order.begin(), order.end(),
            [&](int a, int b) { return blocking.strides[a] < blocking.strides[b]; });
  for (int dim : order) {
    if (blocking.strides[dim] != stride) return false;
    stride *= outer[dim];
    axes.insert(axes.begin(), {dim, outer[dim]});
  }
  const bool grouped = d.ndims == static_cast<int>(shape.size()) + 1;
  bool inside = false;  // a group's own channels, which no axis over groups may follow
  for (Axis& axis : axes) {
    if (!grouped || axis.size == 1) continue;
    inside = inside || axis.dim == 1;
    if (inside && axis.dim == 0) return false;
    axis.dim = std::max(axis.dim - 1, 0);
  }
  *layout = Layout(shape, axes);
  return true;
}

inline dnnl::memory unbound(const Desc& desc) { return dnnl::memory(desc, engine(), nullptr); }

// Runs with arguments that were gathered before, because dnnl::primitive::execute allocates.
inline void execute(const dnnl::primitive& primitive, const std::vector<dnnl_exec_arg_t>& args) {
  const dnnl_status_t status = dnnl_primitive_execute(primitive.get(), stream().get(),
                                                      static_cast<int>(args.size()), args.data());
  if (status != dnnl_success) throw std::runtime_error("oneDNN could not run the primitive");
}

// ---- convolutions ----

enum class Pass { forward, backward_data, backward_weight };
enum class Method { direct, winograd };

struct ConvolutionSizes {
  DType dtype;
  Shape x, w, y;  // w as weight_shape gives it
  dnnl::memory::dims stride, dilation, pad_before, pad_after;
  // Forward only: y = conv(x, w) + bias + (what y held before).
  bool bias = false, accumulate = false;
};

// A planned convolution and the layouts it wants for its two inputs and its output.
struct Convolution {
  dnnl::primitive primitive;
  Desc inputs[2], output, scratchpad;
  int input_names[2], output_name;
};

// Throws dnnl::error where the library has no such convolution.
inline Convolution plan_convolution(Pass pass, Method method, const ConvolutionSizes& s) {
  const dnnl::algorithm algorithm = method == Method::winograd
                                        ? dnnl::algorithm::convolution_winograd
                                        : dnnl::algorithm::convolution_direct;
  const Desc x = any_layout(s.dtype, s.x), w = any_layout(s.dtype, s.w);
  const Desc y = any_layout(s.dtype, s.y);
  const Desc bias = s.bias ? row_major(s.dtype, {s.y[1]}) : Desc();
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (s.accumulate) {
    dnnl::post_ops after;
    after.append_sum();
    attr.set_post_ops(after);
  }
  // oneDNN counts dilation from 0.
  dnnl::memory::dims dilation = s.dilation;
  for (auto& step : dilation) step -= 1;
  // Not forward_inference: there Winograd wants transformed weights, which are slow to make.
  const auto kind = dnnl::prop_kind::forward_training;
  const dnnl::convolution_forward::primitive_desc forward(
      {kind, algorithm, x, w, bias, y, s.stride, dilation, s.pad_before, s.pad_after}, attr,
      engine());
  if (pass == Pass::forward) {
    return {dnnl::convolution_forward(forward),
            {forward.src_desc(), forward.weights_desc()},
            forward.dst_desc(),
            forward.scratchpad_desc(),
            {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS},
            DNNL_ARG_DST};
  }
  if (pass == Pass::backward_data) {
    const dnnl::convolution_backward_data::primitive_desc backward(
        {algorithm, x, w, y, s.stride, dilation, s.pad_before, s.pad_after}, attr, engine(),
        forward);
    return {dnnl::convolution_backward_data(backward),
            {backward.diff_dst_desc(), backward.weights_desc()},
            backward.diff_src_desc(),
            backward.scratchpad_desc(),
            {DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS},
            DNNL_ARG_DIFF_SRC};
  }
  const dnnl::convolution_backward_weights::primitive_desc backward(
      {algorithm, x, w, y, s.stride, dilation, s.pad_before, s.pad_after}, attr, engine(), forward);
  return {dnnl::convolution_backward_weights(backward),
          {backward.diff_dst_desc(), backward.src_desc()},
          backward.diff_weights_desc(),
          backward.scratchpad_desc(),
          {DNNL_ARG_DIFF_DST, DNNL_ARG_SRC},
          DNNL_ARG_DIFF_WEIGHTS};
}

inline bool has_convolution(Pass pass, Method method, const ConvolutionSizes& sizes) {
  try {
    plan_convolution(pass, method, sizes);
    return true;
  } catch (const dnnl::error&) {
    return false;
  }
}

}  // namespace torchts::onednn
