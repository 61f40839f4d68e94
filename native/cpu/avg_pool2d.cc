// avg_pool2d_fwd: y[p][q] = sum of x over rows [row_begin[p], row_end[p]) and columns
//                 [column_begin[q], column_end[q]) / (row_divisor[p] * column_divisor[q])
// avg_pool2d_bwd: dx = sum over the windows a place lies in of g[p][q] / (their divisors)
// x (N, C, H, W), y (N, C, H', W'); float32 and bfloat16 in float32, float64. Overwrites (`=`);
// every output is a sum of its own, so any thread count gives the same bits.
#include <vector>

#include "../runtime/parallel.h"
#include "check.h"
#include "dispatch.h"
#include "register.h"
#include "vec_storage.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

constexpr int64_t kGrain = 1 << 15;  // multiplications a thread

// Both passes are out[i][j] = sum of rows[i] and columns[j] over in: backward sums, for every
// place, the windows it lies in.
struct Tap {
  int64_t place;  // of the input
  double weight;
};
using Taps = std::vector<std::vector<Tap>>;  // by place of the output

// The taps along one dimension; `along` is `row` or `column`.
Taps read_taps(const Attrs& attrs, const std::string& along, int64_t size, int64_t pooled,
               bool forward) {
  const std::vector<int64_t> begins = attrs.integers((along + "_begin").c_str());
  const std::vector<int64_t> ends = attrs.integers((along + "_end").c_str());
  const Attrs::Numbers& divisors = attrs.numbers((along + "_divisor").c_str());
  for (size_t count : {begins.size(), ends.size(), divisors.size()}) {
    require(static_cast<int64_t>(count) == pooled, along + " windows are not as many as outputs");
  }
  Taps taps(forward ? pooled : size);
  for (int64_t p = 0; p < pooled; p++) {
    require(0 <= begins[p] && begins[p] <= ends[p] && ends[p] <= size, "a window lies outside");
    for (int64_t place = begins[p]; place < ends[p]; place++) {
      if (forward)
        taps[p].push_back({place, 1 / divisors[p]});
      else
        taps[place].push_back({p, 1 / divisors[p]});
    }
  }
  return taps;
}

Layout layout_of(const Shape& shape, int64_t block) {
  return block > 1 ? blocked_channels(shape, block) : Layout();
}

template <class T, bool kForward>
class AvgPool2d final : public Kernel {
  using C = Computed<T>;

 public:
  explicit AvgPool2d(const KernelSpec& spec) {
    require_arity(spec, 1);
    require_one_dtype(spec);
    const Shape& x = (kForward ? spec.inputs : spec.outputs)[0].shape;
    const Shape& y = (kForward ? spec.outputs : spec.inputs)[0].shape;
    require(x.size() == 4 && y.size() == 4, "x and y must have four dimensions");
    require(x[0] == y[0] && x[1] == y[1], "x and y differ in batch or channels");
    rows_ = read_taps(spec.attrs, "row", x[2], y[2], kForward);
    columns_ = read_taps(spec.attrs, "column", x[3], y[3], kForward);
    block_ = std::max<int64_t>(channel_block(spec.inputs[0].shape, spec.inputs[0].layout), 1);
    require(spec.outputs[0].layout == layout_of(spec.outputs[0].shape, block_),
            "input and output differ in layout");
    planes_ = x[0] * x[1];
    const Shape& in = spec.inputs[0].shape;
    in_width_ = in[3];
    in_plane_ = in[2] * in[3];
    threads_ =
        useful_threads(spec.threads, spec.inputs[0].numel() + spec.outputs[0].numel(), kGrain);
  }

  void run(const Operands& operands) override {
    const T* in = operands.in<T>(0);
    T* out = operands.out<T>(0);
    const int64_t out_plane = static_cast<int64_t>(rows_.size() * columns_.size());
    parallel_ranges(threads_, planes_ / block_, [&](int64_t begin, int64_t end, int) {
      for (int64_t plane = begin; plane < end; plane++) {
        const T* from = in + plane * in_plane_ * block_;
        T* to = out + plane * out_plane * block_;
        if (block_ == 1)
          sum_plane(from, to);
        else
          sum_channels(from, to);
      }
    });
  }

 private:
  void sum_plane(const T* in, T* out) const {
    for (const std::vector<Tap>& row : rows_) {
      for (const std::vector<Tap>& column : columns_) {
        C sum = 0;
        for (const Tap& r : row) {
          C along = 0;
          for (const Tap& c : column) {
            along += convert<C>(in[r.place * in_width_ + c.place]) * static_cast<C>(c.weight);
          }
          sum += along * static_cast<C>(r.weight);
        }
        *out++ = convert<T>(sum);
      }
    }
  }

  // `block_` planes whose channels lie side by side, a vector of channels at a time.
  void sum_channels(const T* in, T* out) const {
    for (const std::vector<Tap>& row : rows_) {
      for (const std::vector<Tap>& column : columns_) {
        for (int64_t b = 0; b < block_; b += kLanes<C>) {
          const int64_t lanes = std::min<int64_t>(kLanes<C>, block_ - b);
          Vec<C> sum = {};
          for (const Tap& r : row) {
            for (const Tap& c : column) {
              const T* at = in + (r.place * in_width_ + c.place) * block_ + b;
              sum += read_lanes(at, lanes) * static_cast<C>(r.weight * c.weight);
            }
          }
          write_lanes(out + b, sum, lanes);
        }
        out += block_;
      }
    }
  }

  Taps rows_, columns_;
  int64_t planes_, in_width_, in_plane_;
  int64_t block_;  // channels side by side
  int threads_;
};

// Both lie with channels in blocks, if the input does.
void arrange(KernelSpec* spec) {
  TensorType& in = spec->inputs.at(0);
  TensorType& out = spec->outputs.at(0);
  const int64_t block = channel_block(in.shape, in.layout);
  if (block == 0) in.layout = {};
  out.layout = layout_of(out.shape, block);
}

template <bool kForward>
std::unique_ptr<Kernel> make(const KernelSpec& spec) {
  if (spec.inputs[0].dtype == DType::bfloat16) {
    return std::make_unique<AvgPool2d<bfloat16, kForward>>(spec);
  }
  return dispatch_floating(spec.inputs[0].dtype, [&](auto tag) -> std::unique_ptr<Kernel> {
    return std::make_unique<AvgPool2d<typename decltype(tag)::type, kForward>>(spec);
  });
}

bool supports(const KernelSpec& spec) {
  return is_native_floating(spec.inputs[0].dtype) || spec.inputs[0].dtype == DType::bfloat16;
}

}  // namespace

void register_avg_pool2d(Registry& registry) {
  registry.add({"avg_pool2d_fwd", "portable", 0, supports, make<true>, arrange});
  registry.add({"avg_pool2d_bwd", "portable", 0, supports, make<false>, arrange});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
