// matmul: out[..][i][j] = sum_p A[..][i][p] B[..][p][j], A = a or a^T, B = b or b^T;
// a (..B, M, K), b (..B, K, N), out (..B, M, N). float32 and float64, accumulated in the type
// itself, and bfloat16, accumulated in float32; in vector lanes and blocks of k; overwrites (`=`).
// Threads share batches, or rows and columns of one product; no sum is split, but a part's size
// decides how gemm adds, so the bits depend on the thread count alone.
#include "../runtime/epilogue.h"
#include "../runtime/parallel.h"
#include "check.h"
#include "dispatch.h"
#include "gemm.h"
#include "gemm_bf16.h"
#include "register.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

constexpr int64_t kGrain = 1 << 17;  // multiplications a thread

template <class T>
class Matmul final : public Kernel {
  // Sums are at least float32.
  static constexpr int64_t kTileWidth =
      kGemmColumns<std::conditional_t<std::is_same_v<T, double>, double, float>>;

 public:
  explicit Matmul(const KernelSpec& spec) {
    const Shape& a = spec.inputs[0].shape;
    const Shape& b = spec.inputs[1].shape;
    const size_t rank = a.size();
    require_one_dtype(spec);
    require(rank >= 2 && b.size() == rank, "operands must be matrices with equal batch dimensions");
    const bool transpose_a = spec.attrs.flag("transpose_a");
    const bool transpose_b = spec.attrs.flag("transpose_b");
    const int64_t a_row = a[rank - 1], b_row = b[rank - 1];
    shape_.m = a[transpose_a ? rank - 1 : rank - 2];
    shape_.k = a[transpose_a ? rank - 2 : rank - 1];
    shape_.n = b[transpose_b ? rank - 2 : rank - 1];
    require(b[transpose_b ? rank - 1 : rank - 2] == shape_.k, "inner sizes differ");
    shape_.a_row = transpose_a ? 1 : a_row;
    shape_.a_column = transpose_a ? a_row : 1;
    shape_.b_row = transpose_b ? 1 : b_row;
    shape_.b_column = transpose_b ? b_row : 1;
    shape_.c_row = shape_.n;
    Shape expected(a.begin(), a.end() - 2);
    require_shape("the batch of b", Shape(b.begin(), b.end() - 2), expected);
    batch_ = numel(expected);
    expected.insert(expected.end(), {shape_.m, shape_.n});
    require_shape("the output", spec.outputs[0].shape, expected);
    epilogue_ = epilogue_of(spec, rank - 1);
    derives_ = spec.outputs.size() == 2 && epilogue_.gelu != Gelu::none;
    require(epilogue_.own_inputs == 2 && (spec.outputs.size() == 1 || derives_),
            "takes 2 inputs, those of its epilogue, and 1 output, after gelu perhaps a second");
    if (derives_) require_shape("gelu's derivative", spec.outputs[1].shape, expected);
    plan_threads(spec.threads);
  }

  size_t scratch_bytes() const override { return threads_ * scratch_of_thread(); }

  void run(const Operands& operands) override {
    const T* a = operands.in<T>(0);
    const T* b = operands.in<T>(1);
    T* c = operands.out<T>(0);
    const int64_t parts = row_parts_ * column_parts_;
    parallel_ranges(threads_, batch_ * parts, [&](int64_t begin, int64_t end, int thread) {
      char* scratch = static_cast<char*>(operands.scratch) + thread * scratch_of_thread();
      for (int64_t unit = begin; unit < end; unit++) {
        const int64_t i = unit / parts, row = unit % parts / column_parts_;
        run_part(a + i * shape_.m * shape_.k, b + i * shape_.k * shape_.n,
                 c + i * shape_.m * shape_.n, epilogue(operands, i), row, unit % column_parts_,
                 scratch);
      }
    });
  }

 private:
  size_t scratch_of_thread() const {
    if constexpr (std::is_same_v<T, bfloat16>) {
      return gemm_bf16_scratch(shape_);
    } else {
      return gemm_scratch<T>(shape_);
    }
  }

  // What follows the product of batch `i`.
  GemmEpilogue<T> epilogue(const Operands& operands, int64_t i) const {
    const int64_t first = i * shape_.m * shape_.n;
    const auto full = [&](int place) {
      return place < 0 ? nullptr : operands.in<T>(place) + first;
    };
    const T* bias = epilogue_.bias < 0 ? nullptr : operands.in<T>(epilogue_.bias);
    T* derivative = derives_ ? operands.out<T>(1) + first : nullptr;
    return {bias,           full(epilogue_.add), epilogue_.relu,
            epilogue_.gelu, derivative,          full(epilogue_.mul)};
  }

  // A product too large for one thread and too alone for one each is cut where the pieces' edges
  // are shortest, because each piece packs its own rows and columns.
  void plan_threads(int most) {
    const int64_t work = batch_ * shape_.m * shape_.n * std::max<int64_t>(shape_.k, 1);
    threads_ = useful_threads(most, work, kGrain);
    if (batch_ % threads_ == 0 || batch_ >= 4 * threads_) return;
    double shortest = 0;
    for (int rows = 1; rows <= threads_; rows++) {
      if (threads_ % rows != 0) continue;
      const int columns = threads_ / rows;
      if (rows > shape_.m || columns > (shape_.n + kTileWidth - 1) / kTileWidth) continue;
      const double edge =
          static_cast<double>(shape_.m) / rows + static_cast<double>(shape_.n) / columns;
      if (shortest != 0 && edge >= shortest) continue;
      shortest = edge;
      row_parts_ = rows;
      column_parts_ = columns;
    }
    threads_ = static_cast<int>(std::min<int64_t>(threads_, batch_ * row_parts_ * column_parts_));
  }

  void run_part(const T* a, const T* b, T* c, const GemmEpilogue<T>& epilogue, int64_t row_part,
                int64_t column_part, void* scratch) const {
    const int64_t tiles = (shape_.n + kTileWidth - 1) / kTileWidth;
    const int64_t row = shape_.m * row_part / row_parts_;
    const int64_t column = tiles * column_part / column_parts_ * kTileWidth;
    GemmShape part = shape_;
    part.m = shape_.m * (row_part + 1) / row_parts_ - row;
    part.n = std::min(shape_.n, tiles * (column_part + 1) / column_parts_ * kTileWidth) - column;
    a += row * shape_.a_row;
    b += column * shape_.b_column;
    c += row * shape_.c_row + column;
    if constexpr (std::is_same_v<T, bfloat16>) {
      gemm_bf16(part, a, b, c, scratch, epilogue.at(row, column, shape_.c_row));
    } else {
      gemm(part, a, b, c, false, scratch, epilogue.at(row, column, shape_.c_row));
    }
  }

  GemmShape shape_;
  Epilogue epilogue_;
  bool derives_ = false;
  int64_t batch_ = 1;
  int64_t row_parts_ = 1, column_parts_ = 1;
  int threads_;
};

std::unique_ptr<Kernel> make(const KernelSpec& spec) {
  if (spec.outputs[0].dtype == DType::bfloat16) return std::make_unique<Matmul<bfloat16>>(spec);
  return dispatch_floating(spec.outputs[0].dtype, [&](auto tag) -> std::unique_ptr<Kernel> {
    return std::make_unique<Matmul<typename decltype(tag)::type>>(spec);
  });
}

bool supports(const KernelSpec& spec) {
  const DType dtype = spec.outputs[0].dtype;
  return is_native_floating(dtype) || dtype == DType::bfloat16;
}

}  // namespace

void register_matmul(Registry& registry) {
  registry.add({"matmul", "portable", 0, supports, make});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
