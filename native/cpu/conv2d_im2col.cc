// conv2d_fwd:        y = w * x       x (N, C, H, W), w (O, C/groups, kH, kW), y (N, O, H', W')
// conv2d_bwd_data:   dx = w^T * dy   the transpose of fwd in x
// conv2d_bwd_weight: dw = dy * x^T   the transpose of fwd in w, summed over N
// Any stride, padding, dilation and groups, float32 and float64: a matrix product for each image
// and group with the matrix of patches (C/groups kH kW, H' W'). Overwrites (`=`). Threads take
// images; weight gradients are summed per thread and joined in order, so their bits depend on the
// thread count alone, the others' on nothing.
#include <algorithm>

#include "../runtime/parallel.h"
#include "conv2d.h"
#include "dispatch.h"
#include "gemm.h"
#include "register.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

constexpr int64_t kGrain = 1 << 17;  // multiplications a thread

// The places q of [0, out) for which q * stride + shift lies in [0, size).
struct Inside {
  int64_t begin, end;
  Inside(int64_t out, int64_t size, int64_t stride, int64_t shift) {
    begin = shift >= 0 ? 0 : std::min(out, (-shift + stride - 1) / stride);
    end = size <= shift ? begin : std::clamp((size - shift + stride - 1) / stride, begin, out);
  }
};

// Calls row(patch row, output place p, input row or -1, columns inside, column shift).
template <class Row>
void for_each_patch_row(const Conv2d& s, const Row& row) {
  int64_t patch = 0;
  for (int64_t c = 0; c < s.group_in(); c++) {
    for (int64_t i = 0; i < s.kernel_height; i++) {
      for (int64_t j = 0; j < s.kernel_width; j++, patch++) {
        const int64_t shift = j * s.dilation[1] - s.padding[1];
        const Inside columns(s.out_width, s.width, s.stride[1], shift);
        for (int64_t p = 0; p < s.out_height; p++) {
          const int64_t h = p * s.stride[0] - s.padding[0] + i * s.dilation[0];
          const bool inside = h >= 0 && h < s.height;
          row(patch * s.out_pixels() + p * s.out_width, inside, c * s.in_pixels() + h * s.width,
              columns, shift);
        }
      }
    }
  }
}

template <class T>
void image_to_patches(const Conv2d& s, const T* x, T* patches) {
  for_each_patch_row(s, [&](int64_t to, bool inside, int64_t from, Inside columns, int64_t shift) {
    T* out = patches + to;
    if (!inside) return std::fill(out, out + s.out_width, T(0)), void();
    std::fill(out, out + columns.begin, T(0));
    const T* in = x + from + shift;
    if (s.stride[1] == 1) {
      std::copy(in + columns.begin, in + columns.end, out + columns.begin);
    } else {
      for (int64_t q = columns.begin; q < columns.end; q++) out[q] = in[q * s.stride[1]];
    }
    std::fill(out + columns.end, out + s.out_width, T(0));
  });
}

template <class T>
void add_patches_to_image(const Conv2d& s, const T* patches, T* x) {
  std::fill(x, x + s.group_in() * s.in_pixels(), T(0));
  for_each_patch_row(s, [&](int64_t from, bool inside, int64_t to, Inside columns, int64_t shift) {
    if (!inside) return;
    const T* in = patches + from;
    T* out = x + to + shift;
    for (int64_t q = columns.begin; q < columns.end; q++) out[q * s.stride[1]] += in[q];
  });
}

// Shared by the three: sizes, threads and the scratch of one thread.
template <class T>
class Conv2dIm2col : public Kernel {
 public:
  Conv2dIm2col(const Conv2d& sizes, const KernelSpec& spec)
      : s_(sizes), patch_(s_.group_in() * s_.taps()), pixels_(s_.out_pixels()) {
    threads_ = useful_threads(spec.threads, s_.work(), kGrain);
    threads_ = static_cast<int>(std::clamp<int64_t>(s_.batch * s_.groups, 1, threads_));
  }

  size_t scratch_bytes() const override { return threads_ * thread_bytes(); }

 protected:
  virtual GemmShape shape() const = 0;
  virtual int64_t extra_elements() const { return 0; }

  int64_t patch_elements() const {
    return s_.is_pointwise() ? 0 : (patch_ * pixels_ + 15) / 16 * 16;
  }
  size_t thread_bytes() const {
    const size_t bytes = (patch_elements() + extra_elements()) * sizeof(T);
    return (bytes + gemm_scratch<T>(shape()) + 63) / 64 * 64;
  }
  T* patches(const Operands& operands, int thread) const {
    return reinterpret_cast<T*>(static_cast<char*>(operands.scratch) + thread * thread_bytes());
  }
  T* extra(const Operands& operands, int thread) const {
    return patches(operands, thread) + patch_elements();
  }
  void* gemm_space(const Operands& operands, int thread) const {
    return extra(operands, thread) + extra_elements();
  }
  // Where image `n`, group `g` starts in x, in y and in w.
  int64_t x_at(int64_t n, int64_t g) const {
    return (n * s_.in_channels + g * s_.group_in()) * s_.in_pixels();
  }
  int64_t y_at(int64_t n, int64_t g) const {
    return (n * s_.out_channels + g * s_.group_out()) * pixels_;
  }
  int64_t w_at(int64_t g) const { return g * s_.group_out() * patch_; }

  const Conv2d s_;
  const int64_t patch_, pixels_;
  int threads_;
};

template <class T>
class Conv2dFwd final : public Conv2dIm2col<T> {
  using Base = Conv2dIm2col<T>;
  using Base::s_;

 public:
  explicit Conv2dFwd(const KernelSpec& spec) : Base(Conv2d::forward(spec), spec) {}

  void run(const Operands& operands) override {
    const T* x = operands.in<T>(0);
    const T* w = operands.in<T>(1);
    T* y = operands.out<T>(0);
    parallel_ranges(this->threads_, s_.batch * s_.groups,
                    [&](int64_t begin, int64_t end, int thread) {
                      T* patches = this->patches(operands, thread);
                      for (int64_t unit = begin; unit < end; unit++) {
                        const int64_t n = unit / s_.groups, g = unit % s_.groups;
                        const T* image = x + this->x_at(n, g);
                        if (!s_.is_pointwise()) image_to_patches(s_, image, patches);
                        gemm(shape(), w + this->w_at(g), s_.is_pointwise() ? image : patches,
                             y + this->y_at(n, g), false, this->gemm_space(operands, thread));
                      }
                    });
  }

 private:
  GemmShape shape() const override {
    return {s_.group_out(), this->pixels_, this->patch_, this->patch_, 1, this->pixels_, 1,
            this->pixels_};
  }
};

template <class T>
class Conv2dBwdData final : public Conv2dIm2col<T> {
  using Base = Conv2dIm2col<T>;
  using Base::s_;

 public:
  explicit Conv2dBwdData(const KernelSpec& spec) : Base(Conv2d::backward_data(spec), spec) {}

  void run(const Operands& operands) override {
    const T* dy = operands.in<T>(0);
    const T* w = operands.in<T>(1);
    T* dx = operands.out<T>(0);
    parallel_ranges(
        this->threads_, s_.batch * s_.groups, [&](int64_t begin, int64_t end, int thread) {
          T* patches = this->patches(operands, thread);
          for (int64_t unit = begin; unit < end; unit++) {
            const int64_t n = unit / s_.groups, g = unit % s_.groups;
            T* image = dx + this->x_at(n, g);
            gemm(shape(), w + this->w_at(g), dy + this->y_at(n, g),
                 s_.is_pointwise() ? image : patches, false, this->gemm_space(operands, thread));
            if (!s_.is_pointwise()) add_patches_to_image(s_, patches, image);
          }
        });
  }

 private:
  GemmShape shape() const override {
    return {this->patch_, this->pixels_, s_.group_out(), 1, this->patch_, this->pixels_, 1,
            this->pixels_};
  }
};

template <class T>
class Conv2dBwdWeight final : public Conv2dIm2col<T> {
  using Base = Conv2dIm2col<T>;
  using Base::s_;

 public:
  explicit Conv2dBwdWeight(const KernelSpec& spec) : Base(Conv2d::backward_weight(spec), spec) {
    this->threads_ = static_cast<int>(std::clamp<int64_t>(s_.batch, 1, this->threads_));
  }

  void run(const Operands& operands) override {
    const T* dy = operands.in<T>(0);
    const T* x = operands.in<T>(1);
    T* dw = operands.out<T>(0);
    if (s_.batch == 0) return std::fill(dw, dw + s_.weights(), T(0)), void();
    // The first thread sums in the output, the others beside it.
    const auto sum_of = [&](int thread) {
      return thread == 0 ? dw : this->extra(operands, thread);
    };
    parallel_ranges(this->threads_, s_.batch, [&](int64_t begin, int64_t end, int thread) {
      T* patches = this->patches(operands, thread);
      for (int64_t n = begin; n < end; n++) {
        for (int64_t g = 0; g < s_.groups; g++) {
          const T* image = x + this->x_at(n, g);
          if (!s_.is_pointwise()) image_to_patches(s_, image, patches);
          gemm(shape(), dy + this->y_at(n, g), s_.is_pointwise() ? image : patches,
               sum_of(thread) + this->w_at(g), n > begin, this->gemm_space(operands, thread));
        }
      }
    });
    for (int t = 1; t < this->threads_; t++) {
      const T* part = sum_of(t);
      for (int64_t i = 0; i < s_.weights(); i++) dw[i] += part[i];
    }
  }

 private:
  GemmShape shape() const override {
    return {s_.group_out(), this->patch_, this->pixels_, this->pixels_, 1, 1,
            this->pixels_,  this->patch_};
  }
  int64_t extra_elements() const override { return (s_.weights() + 15) / 16 * 16; }
};

template <template <class> class K>
std::unique_ptr<Kernel> make(const KernelSpec& spec) {
  return dispatch_floating(spec.outputs[0].dtype, [&](auto tag) -> std::unique_ptr<Kernel> {
    return std::make_unique<K<typename decltype(tag)::type>>(spec);
  });
}

bool supports(const KernelSpec& spec) {
  return is_native_floating(spec.outputs[0].dtype) && !has_epilogue(spec);
}

}  // namespace

void register_conv2d_im2col(Registry& registry) {
  registry.add({"conv2d_fwd", "im2col", 0, supports, make<Conv2dFwd>});
  registry.add({"conv2d_bwd_data", "im2col", 0, supports, make<Conv2dBwdData>});
  registry.add({"conv2d_bwd_weight", "im2col", 0, supports, make<Conv2dBwdWeight>});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
