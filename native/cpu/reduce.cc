// reduce: out[kept] = sum, prod, amax or amin of in[...] over the dimensions `dims`.
// Any full-width dtype; integers in int64, floats in vector lanes over blocks of 512 elements,
// blocks in float64; overwrites (`=`). amax and amin propagate NaN.
// Work is split over outputs, or over the reduced range when outputs are few; partial results are
// joined in order, so the bits depend on the thread count alone.
#include <algorithm>
#include <limits>

#include "../runtime/parallel.h"
#include "check.h"
#include "dispatch.h"
#include "pointwise_functors.h"
#include "register.h"
#include "strides.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

constexpr int64_t kGrain = 1 << 15;  // elements a thread
constexpr int64_t kBlock = 512;      // elements added in the compute type
constexpr int64_t kChunk = 256;      // columns reduced together
constexpr int64_t kRows = 64;        // rows added in the compute type

template <class In>
using ComputeOf =
    std::conditional_t<std::is_same_v<In, float>, float,
                       std::conditional_t<std::is_same_v<In, double>, double, int64_t>>;
template <class T>
using TotalOf = std::conditional_t<std::is_floating_point_v<T>, double, int64_t>;

template <class T>
constexpr T kLowest = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                                           : std::numeric_limits<T>::lowest();
template <class T>
constexpr T kHighest = std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity()
                                                            : std::numeric_limits<T>::max();

struct Sum {
  static constexpr bool kOfNothing = true;  // has a value without elements
  using Lanes = fn::add;
  template <class T>
  static T identity() {
    return 0;
  }
  template <class T>
  static T join(T a, T b) {
    return a + b;
  }
};
struct Prod {
  static constexpr bool kOfNothing = true;
  using Lanes = fn::mul;
  template <class T>
  static T identity() {
    return 1;
  }
  template <class T>
  static T join(T a, T b) {
    return a * b;
  }
};
struct Max {
  static constexpr bool kOfNothing = false;
  using Lanes = fn::maximum;
  template <class T>
  static T identity() {
    return kLowest<T>;
  }
  template <class T>
  static T join(T a, T b) {
    return a > b || a != a ? a : b;
  }
};
struct Min {
  static constexpr bool kOfNothing = false;
  using Lanes = fn::minimum;
  template <class T>
  static T identity() {
    return kHighest<T>;
  }
  template <class T>
  static T join(T a, T b) {
    return a < b || a != a ? a : b;
  }
};

// How operands of some dtype are read and written in the compute type T. Erasing the dtype here
// keeps the kernel itself to one copy for each compute type.
template <class T>
struct Access {
  int64_t in_size;
  // `count` elements at `from`: in place, or converted into `buffer`.
  const T* (*load)(const char* from, int64_t count, T* buffer);
  void (*store)(char* out, int64_t at, TotalOf<T> total);
};

template <class T, class In>
const T* load_as(const char* from, int64_t count, T* buffer) {
  const In* in = reinterpret_cast<const In*>(from);
  if constexpr (std::is_same_v<T, In>) {
    return in;
  } else {
    for (int64_t i = 0; i < count; i++) buffer[i] = static_cast<T>(in[i]);
    return buffer;
  }
}

template <class T, class Out>
void store_as(char* out, int64_t at, TotalOf<T> total) {
  reinterpret_cast<Out*>(out)[at] = static_cast<Out>(total);
}

template <class In, class Out>
Access<ComputeOf<In>> access() {
  using T = ComputeOf<In>;
  return {sizeof(In), load_as<T, In>, store_as<T, Out>};
}

// One total of at most kBlock contiguous elements.
template <class F, class T>
TotalOf<T> reduce_block(const T* x, int64_t count) {
  constexpr int kWays = 4;
  constexpr int64_t kStep = kWays * kLanes<T>;
  TotalOf<T> total = F::template identity<TotalOf<T>>();
  int64_t i = 0;
  if (count >= kStep) {
    Vec<T> lanes[kWays];
    for (int w = 0; w < kWays; w++) lanes[w] = load(x + w * kLanes<T>);
    for (i = kStep; i + kStep <= count; i += kStep) {
      for (int w = 0; w < kWays; w++) {
        lanes[w] = F::Lanes::apply(lanes[w], load(x + i + w * kLanes<T>));
      }
    }
    const Vec<T> joined =
        F::Lanes::apply(F::Lanes::apply(lanes[0], lanes[1]), F::Lanes::apply(lanes[2], lanes[3]));
    for (int l = 0; l < kLanes<T>; l++) total = F::join(total, TotalOf<T>(joined[l]));
  }
  for (; i < count; i++) total = F::join(total, TotalOf<T>(x[i]));
  return total;
}

// sums[c] = sums[c] joined with row[c].
template <class F, class T>
void join_row(T* sums, const T* row, int64_t count) {
  int64_t c = 0;
  for (; c + kLanes<T> <= count; c += kLanes<T>) {
    store<T>(sums + c, F::Lanes::apply(load(sums + c), load(row + c)));
  }
  for (; c < count; c++) sums[c] = F::join(sums[c], row[c]);
}

// The index space of a reduction: neighbouring dimensions of one kind merged, sizes of 1 dropped.
struct Space {
  std::vector<Dim> kept, reduced;  // without the kept columns, if there are any
  int64_t columns = 1;             // contiguous kept elements innermost; 1: rows are contiguous
  int64_t outputs, reduced_count;

  Space(const Shape& shape, const std::vector<int64_t>& dims) {
    std::vector<bool> is_reduced(shape.size(), false);
    for (int64_t dim : dims) is_reduced[dim] = true;
    int64_t stride = numel(shape);
    int last = -1;
    bool columns_last = false;
    for (size_t i = 0; i < shape.size(); i++) {
      if (shape[i] == 1) continue;
      stride = shape[i] == 0 ? 0 : stride / shape[i];
      std::vector<Dim>& list = is_reduced[i] ? reduced : kept;
      if (last == static_cast<int>(is_reduced[i]))
        list.back() = {list.back().size * shape[i], stride};
      else
        list.push_back({shape[i], stride});
      last = is_reduced[i];
      columns_last = !is_reduced[i];
    }
    if (columns_last && !reduced.empty()) {
      columns = kept.back().size;
      kept.pop_back();
    }
    if (kept.empty()) kept.push_back({1, 0});
    if (reduced.empty()) reduced.push_back({1, 1});
    outputs = columns;
    reduced_count = 1;
    for (const Dim& dim : kept) outputs *= dim.size;
    for (const Dim& dim : reduced) reduced_count *= dim.size;
    check_rank(kept);
    check_rank(reduced);
  }
};

// A reduction in the memory of its input.
struct Reduction {
  Shape sizes;                // of the input's axes
  std::vector<int64_t> dims;  // those of them that are reduced
  Shape kept;                 // the output's shape
  Layout layout;              // and layout: the input's, without the reduced axes

  explicit Reduction(const KernelSpec& spec) {
    const TensorType& in = spec.inputs[0];
    const std::vector<int64_t> reduced = spec.attrs.integers("dims");
    std::vector<int> place(in.shape.size(), 0);  // in the output; -1 for a reduced dimension
    int64_t before = -1;
    for (int64_t dim : reduced) {
      require(dim > before && dim < static_cast<int64_t>(in.shape.size()),
              "dims must be ascending dimensions of the input");
      place[dim] = -1;
      before = dim;
    }
    for (size_t d = 0; d < in.shape.size(); d++) {
      if (place[d] < 0) continue;
      place[d] = static_cast<int>(kept.size());
      kept.push_back(in.shape[d]);
    }
    Axes kept_axes;
    for (const Axis& axis : in.layout.axes(in.shape)) {
      if (place[axis.dim] < 0)
        dims.push_back(static_cast<int64_t>(sizes.size()));
      else
        kept_axes.push_back({place[axis.dim], axis.size});
      sizes.push_back(axis.size);
    }
    layout = Layout(kept, kept_axes);
  }
};

template <class T, class F>
class Reduce final : public Kernel {
  using Total = TotalOf<T>;

 public:
  Reduce(const KernelSpec& spec, const Reduction& reduction, const Access<T>& access)
      : access_(access), space_(reduction.sizes, reduction.dims) {
    require_shape("the output", spec.outputs[0].shape, reduction.kept);
    require(spec.outputs[0].layout == reduction.layout, "the output has the wrong layout");
    require(F::kOfNothing || space_.reduced_count > 0 || space_.outputs == 0,
            "there is no extreme of nothing");
    chunks_ = (space_.columns + kChunk - 1) / kChunk;
    units_ = space_.columns == 0 ? 0 : space_.outputs / space_.columns * chunks_;
    const int64_t work = space_.outputs * space_.reduced_count;
    threads_ = useful_threads(spec.threads, work, kGrain);
    split_ = threads_ > 1 && units_ < threads_;
  }

  size_t scratch_bytes() const override {
    return split_ ? threads_ * space_.outputs * sizeof(Total) : 0;
  }

  void run(const Operands& operands) override {
    const char* in = operands.in<char>(0);
    char* out = operands.out<char>(0);
    if (!split_) {
      parallel_ranges(threads_, units_, [&](int64_t begin, int64_t end, int) {
        reduce_units(in, begin, end, 0, space_.reduced_count,
                     [&](int64_t o, Total total) { access_.store(out, o, total); });
      });
      return;
    }
    Total* partial = static_cast<Total*>(operands.scratch);
    const int64_t outputs = space_.outputs;
    std::fill(partial, partial + threads_ * outputs, F::template identity<Total>());
    parallel_ranges(threads_, space_.reduced_count, [&](int64_t begin, int64_t end, int thread) {
      Total* to = partial + thread * outputs;
      reduce_units(in, 0, units_, begin, end, [=](int64_t o, Total total) { to[o] = total; });
    });
    for (int64_t o = 0; o < outputs; o++) {
      Total total = partial[o];
      for (int t = 1; t < threads_; t++) total = F::join(total, partial[t * outputs + o]);
      access_.store(out, o, total);
    }
  }

 private:
  // Totals of units [begin, end) over the flat reduced places [first, last).
  template <class Emit>
  void reduce_units(const char* in, int64_t begin, int64_t end, int64_t first, int64_t last,
                    const Emit& emit) const {
    if (begin >= end) return;
    if (space_.columns == 1) {
      for_each_run(space_.kept, begin, end, [&](int64_t offset, int64_t at, int64_t length) {
        const int64_t step = space_.kept.back().stride;
        for (int64_t i = 0; i < length; i++) {
          emit(begin + at + i, reduce_contiguous(at_element(in, offset + i * step), first, last));
        }
      });
      return;
    }
    for (int64_t unit = begin; unit < end; unit++) {
      const int64_t column = unit % chunks_ * kChunk;
      const int64_t row = unit / chunks_;
      int64_t base = column;
      for_each_run(space_.kept, row, row + 1,
                   [&](int64_t offset, int64_t, int64_t) { base += offset; });
      const int64_t width = std::min(kChunk, space_.columns - column);
      reduce_columns(at_element(in, base), width, first, last, row * space_.columns + column, emit);
    }
  }

  const char* at_element(const char* in, int64_t i) const { return in + i * access_.in_size; }

  Total reduce_contiguous(const char* in, int64_t first, int64_t last) const {
    Total total = F::template identity<Total>();
    if (first >= last) return total;
    for_each_run(space_.reduced, first, last, [&](int64_t offset, int64_t, int64_t length) {
      T buffer[kBlock];
      for (int64_t i = 0; i < length; i += kBlock) {
        const int64_t count = std::min(kBlock, length - i);
        total = F::join(
            total, reduce_block<F>(access_.load(at_element(in, offset + i), count, buffer), count));
      }
    });
    return total;
  }

  template <class Emit>
  void reduce_columns(const char* in, int64_t width, int64_t first, int64_t last, int64_t output,
                      const Emit& emit) const {
    alignas(kVectorBytes) T sums[kChunk];
    Total totals[kChunk];
    std::fill(sums, sums + width, F::template identity<T>());
    std::fill(totals, totals + width, F::template identity<Total>());
    T buffer[kChunk];
    int64_t rows = 0;
    const auto flush = [&] {
      for (int64_t c = 0; c < width; c++) {
        totals[c] = F::join(totals[c], static_cast<Total>(sums[c]));
        sums[c] = F::template identity<T>();
      }
      rows = 0;
    };
    const int64_t stride = space_.reduced.back().stride;
    if (first < last) {
      for_each_run(space_.reduced, first, last, [&](int64_t offset, int64_t, int64_t length) {
        for (int64_t i = 0; i < length; i++) {
          join_row<F>(sums, access_.load(at_element(in, offset + i * stride), width, buffer),
                      width);
          if (++rows == kRows) flush();
        }
      });
    }
    flush();
    for (int64_t c = 0; c < width; c++) emit(output + c, totals[c]);
  }

  const Access<T> access_;
  Space space_;
  int64_t chunks_, units_;
  int threads_;
  bool split_;
};

template <class T>
std::unique_ptr<Kernel> make_for(const KernelSpec& spec, const Access<T>& access) {
  const std::string& fn = spec.attrs.text("fn");
  const Reduction reduction(spec);
  if (fn == "sum") return std::make_unique<Reduce<T, Sum>>(spec, reduction, access);
  if (fn == "prod") return std::make_unique<Reduce<T, Prod>>(spec, reduction, access);
  if (fn == "amax") return std::make_unique<Reduce<T, Max>>(spec, reduction, access);
  if (fn == "amin") return std::make_unique<Reduce<T, Min>>(spec, reduction, access);
  throw std::invalid_argument("unknown reduction " + fn);
}

std::unique_ptr<Kernel> make(const KernelSpec& spec) {
  require_arity(spec, 1);
  const DType in = spec.inputs[0].dtype, out = spec.outputs[0].dtype;
  return dispatch_full_width(in, [&](auto tag) -> std::unique_ptr<Kernel> {
    using In = typename decltype(tag)::type;
    if (in == out) return make_for(spec, access<In, In>());
    if constexpr (std::is_integral_v<In>) {
      if (out == DType::int64) return make_for(spec, access<In, int64_t>());
    }
    throw std::invalid_argument("the output has another dtype");
  });
}

bool supports(const KernelSpec& spec) {
  const DType in = spec.inputs[0].dtype, out = spec.outputs[0].dtype;
  if (is_half_width(in)) return false;
  return in == out || (out == DType::int64 && in != DType::float32 && in != DType::float64);
}

// In whatever layout the input has.
void arrange(KernelSpec* spec) { spec->outputs.at(0).layout = Reduction(*spec).layout; }

}  // namespace

void register_reduce(Registry& registry) {
  registry.add({"reduce", "portable", 0, supports, make, arrange});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
