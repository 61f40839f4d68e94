// The sizes of a two-dimensional convolution, read from the spec of any of its three kernels.
#pragma once

#include "../runtime/kernel.h"
#include "vec.h"

namespace torchts {
inline namespace TORCHTS_ISA {

struct Conv2d {
  int64_t batch, groups;
  int64_t in_channels, height, width;           // x (batch, in_channels, height, width)
  int64_t out_channels, out_height, out_width;  // y (batch, out_channels, out_height, out_width)
  int64_t kernel_height, kernel_width;          // w (out_channels, in_channels / groups, ...)
  int64_t stride[2], padding[2], dilation[2];

  Conv2d(const Shape& x, const Shape& w, const Shape& y, const Attrs& attrs)
      : groups(attrs.integer("groups")) {
    if (x.size() != 4 || w.size() != 4 || y.size() != 4) {
      throw std::invalid_argument("expected four dimensions");
    }
    batch = x[0];
    in_channels = x[1];
    height = x[2];
    width = x[3];
    out_channels = w[0];
    kernel_height = w[2];
    kernel_width = w[3];
    out_height = y[2];
    out_width = y[3];
    const auto pair = [&](const char* key, int64_t* to) {
      const std::vector<int64_t> values = attrs.integers(key);
      if (values.size() != 2) throw std::invalid_argument("expected two numbers");
      to[0] = values[0];
      to[1] = values[1];
    };
    pair("stride", stride);
    pair("padding", padding);
    pair("dilation", dilation);
    if (groups < 1 || in_channels % groups != 0 || out_channels % groups != 0 ||
        w[1] * groups != in_channels || y[0] != batch || y[1] != out_channels) {
      throw std::invalid_argument("channels, groups or batch do not fit");
    }
  }

  static Conv2d forward(const KernelSpec& spec) {
    return {spec.inputs.at(0).shape, spec.inputs.at(1).shape, spec.outputs[0].shape, spec.attrs};
  }
  static Conv2d backward_data(const KernelSpec& spec) {
    return {spec.outputs[0].shape, spec.inputs.at(1).shape, spec.inputs[0].shape, spec.attrs};
  }
  static Conv2d backward_weight(const KernelSpec& spec) {
    return {spec.inputs.at(1).shape, spec.outputs[0].shape, spec.inputs[0].shape, spec.attrs};
  }

  int64_t group_in() const { return in_channels / groups; }
  int64_t group_out() const { return out_channels / groups; }
  int64_t taps() const { return kernel_height * kernel_width; }
  int64_t in_pixels() const { return height * width; }
  int64_t out_pixels() const { return out_height * out_width; }
  int64_t weights() const { return out_channels * group_in() * taps(); }
  // Multiplications of any of the three kernels.
  int64_t work() const { return batch * out_pixels() * weights(); }
  bool is_pointwise() const {
    return taps() == 1 && stride[0] == 1 && stride[1] == 1 && padding[0] == 0 && padding[1] == 0;
  }
};

}  // namespace TORCHTS_ISA
}  // namespace torchts
