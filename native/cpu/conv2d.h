// The sizes of a two-dimensional convolution, read from the spec of any of its three kernels.
#pragma once

#include <algorithm>

#include "../runtime/epilogue.h"
#include "check.h"

namespace torchts {
struct Conv2d {
  int64_t batch, groups;
  int64_t in_channels, height, width;           // x (batch, in_channels, height, width)
  int64_t out_channels, out_height, out_width;  // y (batch, out_channels, out_height, out_width)
  int64_t kernel_height, kernel_width;          // w (out_channels, in_channels / groups, ...)
  int64_t stride[2], padding[2], dilation[2];

  Conv2d(const Shape& x, const Shape& w, const Shape& y, const Attrs& attrs)
      : groups(attrs.integer("groups")) {
    require(x.size() == 4 && w.size() == 4 && y.size() == 4,
            "all operands must have four dimensions");
    require(groups >= 1 && x[1] == w[1] * groups && w[0] % groups == 0,
            "channels do not fit the groups");
    require(y[0] == x[0] && y[1] == w[0], "batch or output channels do not fit");
    batch = x[0];
    in_channels = x[1];
    height = x[2];
    width = x[3];
    out_channels = w[0];
    kernel_height = w[2];
    kernel_width = w[3];
    out_height = y[2];
    out_width = y[3];
    read_pair(attrs, "stride", 1, stride);
    read_pair(attrs, "padding", 0, padding);
    read_pair(attrs, "dilation", 1, dilation);
  }

  static Conv2d forward(const KernelSpec& spec) {
    require(epilogue_of(spec, 1).own_inputs == 2, "takes 2 inputs and those of its epilogue");
    require(spec.outputs.size() == 1, "takes 1 output");
    require_one_dtype(spec);
    return {spec.inputs[0].shape, spec.inputs[1].shape, spec.outputs[0].shape, spec.attrs};
  }
  static Conv2d backward_data(const KernelSpec& spec) {
    check_operands(spec);
    return {spec.outputs[0].shape, spec.inputs[1].shape, spec.inputs[0].shape, spec.attrs};
  }
  static Conv2d backward_weight(const KernelSpec& spec) {
    check_operands(spec);
    return {spec.inputs[1].shape, spec.outputs[0].shape, spec.inputs[0].shape, spec.attrs};
  }

  int64_t group_in() const { return in_channels / groups; }
  int64_t group_out() const { return out_channels / groups; }
  int64_t taps() const { return kernel_height * kernel_width; }
  int64_t in_pixels() const { return height * width; }
  int64_t out_pixels() const { return out_height * out_width; }
  int64_t weights() const { return out_channels * group_in() * taps(); }
  // Multiplications of any of the three kernels.
  int64_t work() const { return batch * out_pixels() * weights(); }
  // The rows and columns of x that the taps of all outputs span, from the padding's first on.
  int64_t reach(int d) const {
    const int64_t out = d == 0 ? out_height : out_width;
    const int64_t kernel = d == 0 ? kernel_height : kernel_width;
    return std::max<int64_t>(out - 1, 0) * stride[d] +
           std::max<int64_t>(kernel - 1, 0) * dilation[d] + 1;
  }
  // Is the matrix of patches x itself?
  bool is_pointwise() const {
    return taps() == 1 && stride[0] == 1 && stride[1] == 1 && padding[0] == 0 && padding[1] == 0 &&
           out_height == height && out_width == width;
  }

 private:
  static void check_operands(const KernelSpec& spec) {
    require_arity(spec, 2);
    require_one_dtype(spec);
  }
};

}  // namespace torchts
