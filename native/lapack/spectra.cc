// svd:  a = u diag(s) vh   a (..B, M, N), u (..B, M, P), s (..B, K), vh (..B, R, N); K = min(M, N),
//       P = M and R = N, or both K. s falls and is not negative. Without `vectors` s alone.
// eigh: a = v diag(w) vᵀ   a (..B, N, N), of which one triangle is read, w (..B, N) rising,
//       v (..B, N, N). Without `vectors` w alone.
// float32 or float64, computed in it; overwrites (`=`). Matrices are independent. Signs of vectors
// are the library's. svd of NaN or infinity throws std::runtime_error, eigh of them is NaN, as in
// PyTorch; a matrix for which the iteration does not end throws.
#include "matrices.h"
#include "register.h"

namespace torchts::lapack {
namespace {

[[noreturn]] void throw_no_spectrum(int64_t count, int64_t index) {
  throw std::runtime_error(about("", count, index) +
                           " has no spectrum that could be found: it holds NaN or infinity, or "
                           "the iteration did not end");
}

template <class T>
class Svd final : public Kernel {
 public:
  explicit Svd(const KernelSpec& spec)
      : a_(matrices_of(spec.inputs[0])),
        stack_(a_.count, int64_t{a_.smaller()} * a_.size() * 8, spec.threads),
        vectors_(spec.attrs.flag("vectors")) {
    require_arity(spec, 1, vectors_ ? 3 : 1);
    require_one_dtype(spec);
    const bool full = spec.attrs.flag("full_matrices");
    u_columns_ = full ? a_.rows : a_.smaller();
    vh_rows_ = full ? a_.columns : a_.smaller();
    const Shape batch = leading(spec.inputs[0].shape, 2);
    require_shape("s", spec.outputs[vectors_ ? 1 : 0].shape, joined(batch, {a_.smaller()}));
    if (vectors_) {
      require_shape("u", spec.outputs[0].shape, joined(batch, {a_.rows, u_columns_}));
      require_shape("vh", spec.outputs[2].shape, joined(batch, {vh_rows_, a_.columns}));
    }
    job_ = !vectors_ ? 'N' : full ? 'A' : 'S';
    columns_ = scratch_.add<T>(a_.size());
    u_ = scratch_.add<T>(vectors_ ? int64_t{a_.rows} * u_columns_ : 1);
    vh_ = scratch_.add<T>(vectors_ ? int64_t{vh_rows_} * a_.columns : 1);
    integers_ = scratch_.add<int>(8 * int64_t{a_.smaller()});
    T answer = 0;
    compute(nullptr, nullptr, nullptr, nullptr, &answer, -1, nullptr);
    work_size_ = work_size(answer);
    work_ = scratch_.add<T>(work_size_);
  }

  size_t scratch_bytes() const override { return scratch_.bytes() * stack_.parts(); }

  void run(const Operands& operands) override {
    const int64_t failed = stack_.for_each([&](int64_t index, int part) {
      T* columns = scratch_.at<T>(operands.scratch, part, columns_);
      T* u = scratch_.at<T>(operands.scratch, part, u_);
      T* vh = scratch_.at<T>(operands.scratch, part, vh_);
      T* s = operands.out<T>(vectors_ ? 1 : 0) + index * a_.smaller();
      const T* a = operands.in<T>(0) + index * a_.size();
      if (!all_finite(a, a_.size())) return false;
      transpose(a, a_.rows, a_.columns, columns);
      if (a_.size() == 0) {
        // LAPACK returns at once and leaves the vectors alone.
        if (vectors_ && u_columns_ == a_.rows) set_identity(a_.rows, u);
        if (vectors_ && vh_rows_ == a_.columns) set_identity(a_.columns, vh);
      } else if (compute(columns, s, u, vh, scratch_.at<T>(operands.scratch, part, work_),
                         work_size_, scratch_.at<int>(operands.scratch, part, integers_)) != 0) {
        return false;
      }
      if (vectors_) {
        transpose(u, u_columns_, a_.rows, operands.out<T>(0) + index * a_.rows * u_columns_);
        transpose(vh, a_.columns, vh_rows_, operands.out<T>(2) + index * vh_rows_ * a_.columns);
      }
      return true;
    });
    if (failed != -1) throw_no_spectrum(a_.count, failed);
  }

 private:
  int compute(T* columns, T* s, T* u, T* vh, T* work, int size, int* integers) const {
    return gesdd(job_, a_.rows, a_.columns, columns, stride_of(a_.rows), s, u, stride_of(a_.rows),
                 vh, stride_of(vh_rows_), work, size, integers);
  }

  Matrices a_;
  Stack stack_;
  Scratch scratch_;
  bool vectors_;
  char job_;
  int u_columns_, vh_rows_, work_size_;
  size_t columns_, u_, vh_, integers_, work_;
};

template <class T>
class Eigh final : public Kernel {
 public:
  explicit Eigh(const KernelSpec& spec)
      : a_(square_matrices_of(spec.inputs[0])),
        stack_(a_.count, int64_t{a_.rows} * a_.size() * 4, spec.threads),
        vectors_(spec.attrs.flag("vectors")),
        uplo_(spec.attrs.flag("upper") ? 'U' : 'L') {
    require_arity(spec, 1, vectors_ ? 2 : 1);
    require_one_dtype(spec);
    const Shape batch = leading(spec.inputs[0].shape, 2);
    require_shape("w", spec.outputs[0].shape, joined(batch, {a_.rows}));
    if (vectors_) require_shape("v", spec.outputs[1].shape, spec.inputs[0].shape);
    columns_ = scratch_.add<T>(a_.size());
    T answer = 0;
    int integers = 0;
    syevd(job(), uplo_, a_.rows, nullptr, stride_of(a_.rows), nullptr, &answer, -1, &integers, -1);
    work_size_ = work_size(answer);
    integers_size_ = std::max(integers, 1);
    work_ = scratch_.add<T>(work_size_);
    integers_ = scratch_.add<int>(integers_size_);
  }

  size_t scratch_bytes() const override { return scratch_.bytes() * stack_.parts(); }

  void run(const Operands& operands) override {
    const int64_t failed = stack_.for_each([&](int64_t index, int part) {
      T* columns = scratch_.at<T>(operands.scratch, part, columns_);
      T* w = operands.out<T>(0) + index * a_.rows;
      transpose(operands.in<T>(0) + index * a_.size(), a_.rows, a_.columns, columns);
      if (!is_finite(columns)) {
        std::fill_n(w, a_.rows, T(NAN));
        if (vectors_) std::fill_n(operands.out<T>(1) + index * a_.size(), a_.size(), T(NAN));
        return true;
      }
      const int info = syevd(job(), uplo_, a_.rows, columns, stride_of(a_.rows), w,
                             scratch_.at<T>(operands.scratch, part, work_), work_size_,
                             scratch_.at<int>(operands.scratch, part, integers_), integers_size_);
      if (vectors_) {
        transpose(columns, a_.columns, a_.rows, operands.out<T>(1) + index * a_.size());
      }
      return info == 0;
    });
    if (failed != -1) throw_no_spectrum(a_.count, failed);
  }

 private:
  char job() const { return vectors_ ? 'V' : 'N'; }

  // Of the triangle that is read.
  bool is_finite(const T* columns) const {
    for (int64_t j = 0, n = a_.rows; j < n; j++) {
      const int64_t begin = uplo_ == 'U' ? 0 : j, end = uplo_ == 'U' ? j + 1 : n;
      if (!all_finite(columns + j * n + begin, end - begin)) return false;
    }
    return true;
  }

  Matrices a_;
  Stack stack_;
  Scratch scratch_;
  bool vectors_;
  char uplo_;
  int work_size_, integers_size_;
  size_t columns_, work_, integers_;
};

}  // namespace

void register_spectra(Registry& registry) {
  registry.add({"svd", "lapack", 0, any_spec, make<Svd>});
  registry.add({"eigh", "lapack", 0, any_spec, make<Eigh>});
}

}  // namespace torchts::lapack
