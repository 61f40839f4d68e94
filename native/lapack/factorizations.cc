// cholesky:         a = l lᵀ                       a (..B, N, N), its lower triangle is read
// lu_factor:        a = P L U                      a (..B, M, N); lu, pivots, info
// permutation:      rows[i] = the row of a that is row i of L U
// triangular_solve: x with op(a) x = b             a (..B, N, N), b (..B, N, K)
// float32 or float64, computed in it; overwrites (`=`). Matrices are independent; a result depends
// on the thread count only through the library. With `fails_as`, the name of an op, a matrix that
// has no factors, or singular ones, throws std::runtime_error.
#include <numeric>

#include "matrices.h"
#include "register.h"

namespace torchts::lapack {
namespace {

// A row-major lower triangle is a column-major upper one: no copy needs to be transposed.
template <class T>
class Cholesky final : public Kernel {
 public:
  explicit Cholesky(const KernelSpec& spec)
      : a_(square_matrices_of(spec.inputs[0])),
        stack_(a_.count, int64_t{a_.rows} * a_.size() / 3, spec.threads),
        fails_as_(spec.attrs.text("fails_as")) {
    require_arity(spec, 1, 2);
    require_shape("l", spec.outputs[0].shape, spec.inputs[0].shape);
    require_shape("info", spec.outputs[1].shape, leading(spec.inputs[0].shape, 2));
    require_dtype("l", spec.outputs[0], spec.inputs[0].dtype);
    require_dtype("info", spec.outputs[1], DType::int32);
  }

  void run(const Operands& operands) override {
    int32_t* info = operands.out<int32_t>(1);
    const int64_t failed = stack_.for_each([&](int64_t index, int) {
      const T* a = operands.in<T>(0) + index * a_.size();
      T* l = operands.out<T>(0) + index * a_.size();
      const int64_t n = a_.rows;
      for (int64_t i = 0; i < n; i++) {
        if (a != l) std::copy(a + i * n, a + i * n + i + 1, l + i * n);
        std::fill(l + i * n + i + 1, l + (i + 1) * n, T(0));
      }
      info[index] = potrf('U', a_.rows, l, stride_of(a_.rows));
      // OpenBLAS takes NaN for positive.
      for (int64_t i = 0; info[index] == 0 && i < n; i++) {
        if (std::isnan(l[i * n + i])) info[index] = static_cast<int32_t>(i + 1);
      }
      return info[index] == 0;
    });
    if (failed == -1 || fails_as_.empty()) return;
    throw std::runtime_error(about(fails_as_, a_.count, failed) +
                             " is not positive definite: its leading minor of order " +
                             std::to_string(info[failed]) + " is not positive");
  }

  bool may_alias(int, int output) const override { return output == 0; }

 private:
  Matrices a_;
  Stack stack_;
  std::string fails_as_;
};

template <class T>
class LuFactor final : public Kernel {
 public:
  explicit LuFactor(const KernelSpec& spec)
      : a_(matrices_of(spec.inputs[0])),
        stack_(a_.count, int64_t{a_.smaller()} * a_.size(), spec.threads),
        fails_as_(spec.attrs.text("fails_as")) {
    require_arity(spec, 1, 3);
    const Shape batch = leading(spec.inputs[0].shape, 2);
    require_shape("lu", spec.outputs[0].shape, spec.inputs[0].shape);
    require_shape("pivots", spec.outputs[1].shape, joined(batch, {a_.smaller()}));
    require_shape("info", spec.outputs[2].shape, batch);
    require_dtype("lu", spec.outputs[0], spec.inputs[0].dtype);
    require_dtype("pivots", spec.outputs[1], DType::int32);
    require_dtype("info", spec.outputs[2], DType::int32);
    columns_ = scratch_.add<T>(a_.size());
  }

  size_t scratch_bytes() const override { return scratch_.bytes() * stack_.parts(); }

  void run(const Operands& operands) override {
    int32_t* info = operands.out<int32_t>(2);
    const int64_t failed = stack_.for_each([&](int64_t index, int part) {
      T* columns = scratch_.at<T>(operands.scratch, part, columns_);
      int32_t* pivots = operands.out<int32_t>(1) + index * a_.smaller();
      transpose(operands.in<T>(0) + index * a_.size(), a_.rows, a_.columns, columns);
      info[index] = getrf(a_.rows, a_.columns, columns, stride_of(a_.rows), pivots);
      transpose(columns, a_.columns, a_.rows, operands.out<T>(0) + index * a_.size());
      return info[index] == 0;
    });
    if (failed == -1 || fails_as_.empty()) return;
    throw std::runtime_error(about(fails_as_, a_.count, failed) +
                             " is singular: diagonal element " + std::to_string(info[failed]) +
                             " of U is zero");
  }

  bool may_alias(int, int output) const override { return output == 0; }

 private:
  Matrices a_;
  Stack stack_;
  std::string fails_as_;
  Scratch scratch_;
  size_t columns_;
};

class Permutation final : public Kernel {
 public:
  explicit Permutation(const KernelSpec& spec) {
    require_arity(spec, 1, 1);
    require_dtype("pivots", spec.inputs[0], DType::int32);
    require_dtype("the rows", spec.outputs[0], DType::int64);
    const Shape batch = leading(spec.inputs[0].shape, 1);
    count_ = numel(batch);
    pivots_ = spec.inputs[0].shape.back();
    rows_ = spec.attrs.integer("size");
    require(pivots_ <= rows_, "there are more pivots than rows");
    require_shape("the rows", spec.outputs[0].shape, joined(batch, {rows_}));
  }

  void run(const Operands& operands) override {
    for (int64_t index = 0; index < count_; index++) {
      const int32_t* pivots = operands.in<int32_t>(0) + index * pivots_;
      int64_t* rows = operands.out<int64_t>(0) + index * rows_;
      std::iota(rows, rows + rows_, 0);
      for (int64_t i = 0; i < pivots_; i++) {
        if (pivots[i] < 1 || pivots[i] > rows_) {
          throw std::runtime_error("pivot " + std::to_string(pivots[i]) + " is out of range for " +
                                   std::to_string(rows_) + " rows");
        }
        std::swap(rows[i], rows[pivots[i] - 1]);
      }
    }
  }

 private:
  int64_t count_, pivots_, rows_;
};

// Row-major x is column-major xᵀ, and so is a: xᵀ op(a)ᵀ = bᵀ is solved from the right.
template <class T>
class TriangularSolve final : public Kernel {
 public:
  explicit TriangularSolve(const KernelSpec& spec)
      : a_(square_matrices_of(spec.inputs[0])),
        b_(matrices_of(spec.inputs[1])),
        stack_(b_.count, int64_t{b_.columns} * a_.size(), spec.threads),
        uplo_(spec.attrs.flag("upper") ? 'L' : 'U'),
        trans_(spec.attrs.flag("transpose") ? 'T' : 'N'),
        diag_(spec.attrs.flag("unitriangular") ? 'U' : 'N') {
    require_arity(spec, 2, 1);
    require_one_dtype(spec);
    require_shape("b", spec.inputs[1].shape,
                  joined(leading(spec.inputs[0].shape, 2), {a_.rows, b_.columns}));
    require_shape("x", spec.outputs[0].shape, spec.inputs[1].shape);
  }

  void run(const Operands& operands) override {
    stack_.for_each([&](int64_t index, int) {
      const T* b = operands.in<T>(1) + index * b_.size();
      T* x = operands.out<T>(0) + index * b_.size();
      if (x != b) std::copy(b, b + b_.size(), x);
      if (b_.size() == 0) return true;
      trsm('R', uplo_, trans_, diag_, b_.columns, a_.rows, operands.in<T>(0) + index * a_.size(),
           a_.rows, x, b_.columns);
      return true;
    });
  }

  bool may_alias(int input, int) const override { return input == 1; }

 private:
  Matrices a_, b_;
  Stack stack_;
  char uplo_, trans_, diag_;
};

std::unique_ptr<Kernel> make_permutation(const KernelSpec& spec) {
  return std::make_unique<Permutation>(spec);
}

}  // namespace

void register_factorizations(Registry& registry) {
  registry.add({"cholesky", "lapack", 0, any_spec, make<Cholesky>});
  registry.add({"lu_factor", "lapack", 0, any_spec, make<LuFactor>});
  registry.add({"permutation", "lapack", 0, any_spec, make_permutation});
  registry.add({"triangular_solve", "lapack", 0, any_spec, make<TriangularSolve>});
}

}  // namespace torchts::lapack
