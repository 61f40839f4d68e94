// qr: a = q r   a (..B, M, N), q (..B, M, K) with orthonormal columns, r (..B, K, N), 0 below its
// diagonal; K is M, or min(M, N).
// householder_product: q (..B, M, N), the first N columns of H1 H2 ... HK with Hi = 1 - tau[i] v
// vᵀ, v = (0, .., 0, 1, a[i + 1 ..][i]); a (..B, M, N), tau (..B, K), M >= N >= K. float32 or
// float64, computed in it; overwrites (`=`). Matrices are independent.
#include "matrices.h"
#include "register.h"

namespace torchts::lapack {
namespace {

template <class T>
class Qr final : public Kernel {
 public:
  explicit Qr(const KernelSpec& spec)
      : a_(matrices_of(spec.inputs[0])),
        q_(matrices_of(spec.outputs[0])),
        stack_(a_.count, int64_t{a_.smaller()} * a_.size() * 4, spec.threads) {
    require_arity(spec, 1, 2);
    require_one_dtype(spec);
    const Shape batch = leading(spec.inputs[0].shape, 2);
    require(q_.columns == a_.rows || q_.columns == a_.smaller(), "q has a wrong size");
    require_shape("q", spec.outputs[0].shape, joined(batch, {a_.rows, q_.columns}));
    require_shape("r", spec.outputs[1].shape, joined(batch, {q_.columns, a_.columns}));
    columns_ = scratch_.add<T>(int64_t{a_.rows} * std::max(a_.columns, q_.columns));
    tau_ = scratch_.add<T>(a_.smaller());
    T first = 0, second = 0;
    const int lda = stride_of(a_.rows);
    geqrf(a_.rows, a_.columns, nullptr, lda, nullptr, &first, -1);
    orgqr(a_.rows, q_.columns, a_.smaller(), nullptr, lda, nullptr, &second, -1);
    work_size_ = work_size(std::max(first, second));
    work_ = scratch_.add<T>(work_size_);
  }

  size_t scratch_bytes() const override { return scratch_.bytes() * stack_.parts(); }

  void run(const Operands& operands) override {
    stack_.for_each([&](int64_t index, int part) {
      T* columns = scratch_.at<T>(operands.scratch, part, columns_);
      T* tau = scratch_.at<T>(operands.scratch, part, tau_);
      T* work = scratch_.at<T>(operands.scratch, part, work_);
      const int lda = stride_of(a_.rows);
      transpose(operands.in<T>(0) + index * a_.size(), a_.rows, a_.columns, columns);
      geqrf(a_.rows, a_.columns, columns, lda, tau, work, work_size_);
      T* r = operands.out<T>(1) + index * q_.columns * a_.columns;
      for (int i = 0; i < q_.columns; i++) {
        for (int j = 0; j < a_.columns; j++) {
          *r++ = i <= j ? columns[int64_t{j} * a_.rows + i] : T(0);
        }
      }
      orgqr(a_.rows, q_.columns, a_.smaller(), columns, lda, tau, work, work_size_);
      transpose(columns, q_.columns, a_.rows, operands.out<T>(0) + index * q_.size());
      return true;
    });
  }

 private:
  Matrices a_, q_;
  Stack stack_;
  Scratch scratch_;
  size_t columns_, tau_, work_;
  int work_size_;
};

template <class T>
class HouseholderProduct final : public Kernel {
 public:
  explicit HouseholderProduct(const KernelSpec& spec)
      : a_(matrices_of(spec.inputs[0])),
        stack_(a_.count, int64_t{a_.smaller()} * a_.size() * 2, spec.threads) {
    require_arity(spec, 2, 1);
    require_one_dtype(spec);
    const Shape &shape = spec.inputs[0].shape, &tau = spec.inputs[1].shape;
    require_shape("the batch of tau", leading(tau, 1), leading(shape, 2));
    require(tau.back() <= a_.columns && a_.columns <= a_.rows,
            "sizes must fall: rows, columns, tau");
    require_shape("q", spec.outputs[0].shape, shape);
    vectors_ = static_cast<int>(tau.back());
    columns_ = scratch_.add<T>(a_.size());
    T answer = 0;
    orgqr(a_.rows, a_.columns, vectors_, nullptr, stride_of(a_.rows), nullptr, &answer, -1);
    work_size_ = work_size(answer);
    work_ = scratch_.add<T>(work_size_);
  }

  size_t scratch_bytes() const override { return scratch_.bytes() * stack_.parts(); }

  void run(const Operands& operands) override {
    stack_.for_each([&](int64_t index, int part) {
      T* columns = scratch_.at<T>(operands.scratch, part, columns_);
      T* work = scratch_.at<T>(operands.scratch, part, work_);
      transpose(operands.in<T>(0) + index * a_.size(), a_.rows, a_.columns, columns);
      orgqr(a_.rows, a_.columns, vectors_, columns, stride_of(a_.rows),
            operands.in<T>(1) + index * vectors_, work, work_size_);
      transpose(columns, a_.columns, a_.rows, operands.out<T>(0) + index * a_.size());
      return true;
    });
  }

 private:
  Matrices a_;
  Stack stack_;
  Scratch scratch_;
  size_t columns_, work_;
  int vectors_, work_size_;
};

}  // namespace

void register_qr(Registry& registry) {
  registry.add({"qr", "lapack", 0, any_spec, make<Qr>});
  registry.add({"householder_product", "lapack", 0, any_spec, make<HouseholderProduct>});
}

}  // namespace torchts::lapack
