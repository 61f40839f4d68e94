// One direction of an LSTM layer over a whole sequence, with sums q = gx[t] + h[t-1] w^T:
//   i, f, o = sigmoid(q_i, q_f, q_o), g = tanh(q_g), c[t] = f c[t-1] + i g, h[t] = o tanh(c[t])
// gx, gates (T, B, 4H); y = h and cells (T, B, H), or batch first; w (4H, H); h0, c0, hn, cn (B,
// H). float32 or float64, summed in the type itself; overwrites (`=`); gates may be gx's memory,
// and the gradient of gx that of gates. Each thread takes its rows of the batch through all steps,
// so that none waits for another; results depend on the thread count alone.
#include "../runtime/parallel.h"
#include "check.h"
#include "dispatch.h"
#include "gemm.h"
#include "lstm_tile.h"
#include "register.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

constexpr int64_t kGrain = 1 << 16;  // multiplications a thread

// Where the rows of a sequence lie, and in which order the steps are taken.
struct Sequence {
  int64_t steps, batch, units;
  int64_t step_row, batch_row;  // from one step, one sequence, to the next
  bool reverse;

  // `gates` is the type of gx.
  Sequence(const Attrs& attrs, const TensorType& gates) {
    require(gates.shape.size() == 3, "the gates must have three dimensions");
    const bool batch_first = attrs.flag("batch_first");
    reverse = attrs.flag("reverse");
    steps = gates.shape[batch_first];
    batch = gates.shape[!batch_first];
    units = gates.shape[2] / kGates;
    require(units * kGates == gates.shape[2], "the gates must be four times the units");
    step_row = batch_first ? 1 : batch;
    batch_row = batch_first ? steps : 1;
  }

  // The row of sequence 0 at the `index`-th step taken; -1 is before the first.
  int64_t row(int64_t index) const { return (reverse ? steps - 1 - index : index) * step_row; }
  int64_t rows() const { return steps * batch; }
  Shape state() const { return {batch, units}; }
  Shape weight() const { return {kGates * units, units}; }
  int threads(int most) const {
    const int64_t work = rows() * kGates * units * std::max<int64_t>(units, 1);
    return static_cast<int>(
        std::min<int64_t>(useful_threads(most, work, kGrain), std::max<int64_t>(batch, 1)));
  }
};

template <class T>
class LstmForwardKernel final : public Kernel {
 public:
  explicit LstmForwardKernel(const KernelSpec& spec) : all_(spec.attrs, spec.inputs[0]) {
    require_arity(spec, 4, 5);
    require_one_dtype(spec);
    const Shape& gates = spec.inputs[0].shape;
    const Shape values = {gates[0], gates[1], all_.units};
    require_shape("w", spec.inputs[1].shape, all_.weight());
    require_shape("h0", spec.inputs[2].shape, all_.state());
    require_shape("c0", spec.inputs[3].shape, all_.state());
    require_shape("y", spec.outputs[0].shape, values);
    require_shape("hn", spec.outputs[1].shape, all_.state());
    require_shape("cn", spec.outputs[2].shape, all_.state());
    require_shape("gates", spec.outputs[3].shape, gates);
    require_shape("cells", spec.outputs[4].shape, values);
    threads_ = all_.threads(spec.threads);
  }

  bool may_alias(int input, int output) const override { return input == 0 && output == 3; }
  size_t scratch_bytes() const override { return lstm_packed_size<T>(all_.units) * sizeof(T); }

  void run(const Operands& operands) override {
    T* packed = static_cast<T*>(operands.scratch);
    const T* w = operands.in<T>(1);
    parallel_ranges(threads_, lstm_blocks<T>(all_.units), [&](int64_t begin, int64_t end, int) {
      for (int64_t block = begin; block < end; block++) {
        lstm_pack_forward(w, all_.units, block, packed);
      }
    });
    parallel_ranges(threads_, all_.batch, [&](int64_t begin, int64_t end, int) {
      run_sequences(operands, packed, begin, end - begin);
    });
  }

 private:
  void run_sequences(const Operands& operands, const T* packed, int64_t first, int64_t count) {
    const int64_t units = all_.units, row = all_.batch_row * units;
    T* y = operands.out<T>(0);
    T* cells = operands.out<T>(4);
    LstmForward<T> step;
    step.units = units;
    step.packed = packed;
    step.gate_row = kGates * row;
    step.h = operands.in<T>(2) + first * units;
    step.cell = operands.in<T>(3) + first * units;
    step.h_row = step.cell_row = units;
    step.out_row = row;
    for (int64_t t = 0; t < all_.steps; t++) {
      const int64_t at = (all_.row(t) + first * all_.batch_row) * units;
      step.gx = operands.in<T>(0) + at * kGates;
      step.gates = operands.out<T>(3) + at * kGates;
      step.new_h = y + at;
      step.new_cell = cells + at;
      lstm_forward_rows(step, count);
      step.h = step.new_h;
      step.cell = step.new_cell;
      step.h_row = step.cell_row = row;
    }
    for (int64_t b = 0; b < count; b++) {
      std::copy_n(step.h + b * step.h_row, units, operands.out<T>(1) + (first + b) * units);
      std::copy_n(step.cell + b * step.cell_row, units, operands.out<T>(2) + (first + b) * units);
    }
  }

  const Sequence all_;
  int threads_;
};

// One row of one step backwards: from dh and dc, the gradients of h[t] and (what later steps know
// of) c[t], to those of the sums q. dc becomes the gradient of c[t-1].
template <class T>
void backward_cell(int64_t units, const T* gates, const T* cell, const T* cell_before, const T* gy,
                   const T* dh, T* dc, T* dg) {
  for (int64_t j = 0; j < units; j += kLanes<T>) {
    const int64_t lanes = units - j;
    const Vec<T> in = load_lanes(gates + j, lanes);
    const Vec<T> forget = load_lanes(gates + units + j, lanes);
    const Vec<T> fresh = load_lanes(gates + 2 * units + j, lanes);
    const Vec<T> out = load_lanes(gates + 3 * units + j, lanes);
    const Vec<T> squashed = vtanh(load_lanes(cell + j, lanes));
    const Vec<T> h = load_lanes(dh + j, lanes) + load_lanes(gy + j, lanes);
    const Vec<T> c = load_lanes(dc + j, lanes) + h * out * (T(1) - squashed * squashed);
    const Vec<T> before = load_lanes(cell_before + j, lanes);
    store_lanes<T>(dg + j, c * fresh * in * (T(1) - in), lanes);
    store_lanes<T>(dg + units + j, c * before * forget * (T(1) - forget), lanes);
    store_lanes<T>(dg + 2 * units + j, c * in * (T(1) - fresh * fresh), lanes);
    store_lanes<T>(dg + 3 * units + j, h * squashed * out * (T(1) - out), lanes);
    store_lanes<T>(dc + j, c * forget, lanes);
  }
}

template <class T>
class LstmBackwardKernel final : public Kernel {
 public:
  explicit LstmBackwardKernel(const KernelSpec& spec) : all_(spec.attrs, spec.inputs[7]) {
    require_arity(spec, 9, 4);
    require_one_dtype(spec);
    const Shape& gates = spec.inputs[7].shape;
    const Shape values = {gates[0], gates[1], all_.units};
    require_shape("the gradient of y", spec.inputs[0].shape, values);
    require_shape("w", spec.inputs[3].shape, all_.weight());
    for (int i : {1, 2, 4, 5}) require_shape("a state", spec.inputs[i].shape, all_.state());
    require_shape("y", spec.inputs[6].shape, values);
    require_shape("cells", spec.inputs[8].shape, values);
    require_shape("the gradient of gx", spec.outputs[0].shape, gates);
    require_shape("the gradient of w", spec.outputs[1].shape, all_.weight());
    require_shape("the gradient of h0", spec.outputs[2].shape, all_.state());
    require_shape("the gradient of c0", spec.outputs[3].shape, all_.state());
    threads_ = all_.threads(spec.threads);
    weight_.m = kGates * all_.units;
    weight_.n = weight_.b_row = weight_.c_row = all_.units;
    weight_.k = all_.rows();
    weight_.a_row = weight_.b_column = 1;
    weight_.a_column = weight_.m;
  }

  bool may_alias(int input, int output) const override { return input == 7 && output == 0; }
  size_t scratch_bytes() const override {
    return (packed_size() + all_.rows() * all_.units) * sizeof(T) +
           threads_ * gemm_scratch<T>(weight_);
  }

  void run(const Operands& operands) override {
    T* packed = static_cast<T*>(operands.scratch);
    T* before = packed + packed_size();  // h[t-1] at the row of step t
    char* scratch = reinterpret_cast<char*>(before + all_.rows() * all_.units);
    parallel_ranges(threads_, blocks(), [&](int64_t begin, int64_t end, int) {
      for (int64_t block = begin; block < end; block++) {
        lstm_pack_backward(operands.in<T>(3), all_.units, block, packed);
      }
    });
    parallel_ranges(threads_, all_.batch, [&](int64_t begin, int64_t end, int) {
      shift_states(operands, before, begin, end);
      run_sequences(operands, packed, begin, end - begin);
    });
    parallel_ranges(threads_, weight_.m, [&](int64_t begin, int64_t end, int thread) {
      GemmShape part = weight_;
      part.m = end - begin;
      gemm(part, operands.out<T>(0) + begin, before, operands.out<T>(1) + begin * weight_.n, false,
           scratch + thread * gemm_scratch<T>(weight_));
    });
  }

 private:
  int64_t blocks() const {
    const int64_t width = kGates * kLanes<T>;
    return (all_.units + width - 1) / width;
  }
  int64_t packed_size() const { return blocks() * kGates * kLanes<T> * weight_.m; }

  void shift_states(const Operands& operands, T* before, int64_t begin, int64_t end) const {
    const int64_t units = all_.units;
    for (int64_t b = begin; b < end; b++) {
      const T* from = operands.in<T>(4) + b * units;
      for (int64_t t = 0; t < all_.steps; t++) {
        const int64_t at = (all_.row(t) + b * all_.batch_row) * units;
        std::copy_n(from, units, before + at);
        from = operands.in<T>(6) + at;
      }
    }
  }

  // The running gradients of h and c live in the outputs for h0 and c0, where they end.
  void run_sequences(const Operands& operands, const T* packed, int64_t first, int64_t count) {
    const int64_t units = all_.units, row = all_.batch_row * units;
    T* dg = operands.out<T>(0);
    T* dh = operands.out<T>(2) + first * units;
    T* dc = operands.out<T>(3) + first * units;
    std::copy_n(operands.in<T>(1) + first * units, count * units, dh);
    std::copy_n(operands.in<T>(2) + first * units, count * units, dc);
    for (int64_t t = all_.steps - 1; t >= 0; t--) {
      const int64_t at = (all_.row(t) + first * all_.batch_row) * units;
      const int64_t earlier = (all_.row(t - 1) + first * all_.batch_row) * units;
      for (int64_t b = 0; b < count; b++) {
        const T* cell_before =
            t > 0 ? operands.in<T>(8) + earlier + b * row : operands.in<T>(5) + (first + b) * units;
        backward_cell(units, operands.in<T>(7) + (at + b * row) * kGates,
                      operands.in<T>(8) + at + b * row, cell_before,
                      operands.in<T>(0) + at + b * row, dh + b * units, dc + b * units,
                      dg + (at + b * row) * kGates);
      }
      lstm_backward_rows<T>({units, packed, dg + at * kGates, dh, kGates * row, units}, count);
    }
  }

  const Sequence all_;
  GemmShape weight_;  // the gradient of w: dg^T h[t-1]
  int threads_;
};

template <template <class> class K>
std::unique_ptr<Kernel> make(const KernelSpec& spec) {
  return dispatch_floating(spec.inputs[0].dtype, [&](auto tag) -> std::unique_ptr<Kernel> {
    return std::make_unique<K<typename decltype(tag)::type>>(spec);
  });
}

bool supports(const KernelSpec& spec) { return is_native_floating(spec.inputs[0].dtype); }

}  // namespace

void register_lstm(Registry& registry) {
  registry.add({"lstm_fwd", "portable", 0, supports, make<LstmForwardKernel>});
  registry.add({"lstm_bwd", "portable", 0, supports, make<LstmBackwardKernel>});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
