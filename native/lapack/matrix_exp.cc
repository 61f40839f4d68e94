// matrix_exp: e^a   a (..B, N, N) float32 or float64, computed in float64; overwrites (`=`).
// Scaling and squaring of Pade's [13/13] approximant: Higham, The scaling and squaring method for
// the matrix exponential revisited, 2005. Matrices are independent; the transpose's exponential is
// the exponential's transpose, so row-major matrices need no other order.
#include "matrices.h"
#include "register.h"

namespace torchts::lapack {
namespace {

// The approximant is good to float64's last digit for a norm up to this.
constexpr double kLargestNorm = 5.371920351148152;
constexpr double kPade[] = {64764752532480000,
                            32382376266240000,
                            7771770303897600,
                            1187353796428800,
                            129060195264000,
                            10559470521600,
                            670442572800,
                            33522128640,
                            1323241920,
                            40840800,
                            960960,
                            16380,
                            182,
                            1};

template <class T>
class MatrixExp final : public Kernel {
 public:
  explicit MatrixExp(const KernelSpec& spec)
      : a_(square_matrices_of(spec.inputs[0])),
        stack_(a_.count, int64_t{a_.rows} * a_.size() * 20, spec.threads) {
    require_arity(spec, 1, 1);
    require_one_dtype(spec);
    require_shape("the output", spec.outputs[0].shape, spec.inputs[0].shape);
    for (size_t& place : places_) place = scratch_.add<double>(a_.size());
    pivots_ = scratch_.add<int>(a_.rows);
  }

  size_t scratch_bytes() const override { return scratch_.bytes() * stack_.parts(); }

  void run(const Operands& operands) override {
    stack_.for_each([&](int64_t index, int part) {
      const T* a = operands.in<T>(0) + index * a_.size();
      T* out = operands.out<T>(0) + index * a_.size();
      if (a_.size() == 0) return true;
      double* arrays[kArrays];
      for (int i = 0; i < kArrays; i++) {
        arrays[i] = scratch_.at<double>(operands.scratch, part, places_[i]);
      }
      if (!all_finite(a, a_.size())) {
        std::fill(out, out + a_.size(), std::nan(""));
        return true;
      }
      std::copy(a, a + a_.size(), arrays[0]);
      const double* result = exponential(arrays, scratch_.at<int>(operands.scratch, part, pivots_));
      std::copy(result, result + a_.size(), out);
      return true;
    });
  }

  bool may_alias(int, int) const override { return true; }

 private:
  static constexpr int kArrays = 6;

  // The largest sum of magnitudes of a column.
  double norm(const double* a) const {
    double largest = 0;
    for (int64_t j = 0, n = a_.rows; j < n; j++) {
      double sum = 0;
      for (int64_t i = 0; i < n; i++) sum += std::abs(a[j * n + i]);
      largest = std::max(largest, sum);
    }
    return largest;
  }

  // out = c6 x6 + c4 x4 + c2 x2 + c0
  void combine(const double* c, const double* const* x, double* out) const {
    for (int64_t i = 0; i < a_.size(); i++) {
      out[i] = c[6] * x[2][i] + c[4] * x[1][i] + c[2] * x[0][i];
    }
    for (int64_t i = 0; i < a_.rows; i++) out[i * (a_.rows + 1)] += c[0];
  }

  // The arrays hold a, then room. Gives the one with the result.
  const double* exponential(double* const* arrays, int* pivots) const {
    const int n = a_.rows;
    const int64_t size = a_.size();
    double *a = arrays[0], *odd = arrays[4], *even = arrays[5];
    double* powers[] = {arrays[1], arrays[2], arrays[3]};  // 2, 4, 6
    const double excess = norm(a) / kLargestNorm;
    const int squarings = excess > 1 ? static_cast<int>(std::ceil(std::log2(excess))) : 0;
    for (int64_t i = 0; i < size; i++) a[i] = std::ldexp(a[i], -squarings);
    square_product(n, a, a, powers[0]);
    square_product(n, powers[0], powers[0], powers[1]);
    square_product(n, powers[0], powers[1], powers[2]);
    // U = a (a⁶ (b13 a⁶ + b11 a⁴ + b9 a²) + b7 a⁶ + b5 a⁴ + b3 a² + b1)
    const double high_odd[] = {0, 0, kPade[9], 0, kPade[11], 0, kPade[13]};
    combine(high_odd, powers, even);
    square_product(n, powers[2], even, odd);
    combine(kPade + 1, powers, even);
    for (int64_t i = 0; i < size; i++) even[i] += odd[i];
    square_product(n, a, even, odd);
    // V = a⁶ (b12 a⁶ + b10 a⁴ + b8 a²) + b6 a⁶ + b4 a⁴ + b2 a² + b0
    const double high_even[] = {0, 0, kPade[8], 0, kPade[10], 0, kPade[12]};
    combine(high_even, powers, a);
    square_product(n, powers[2], a, even);
    combine(kPade, powers, a);
    for (int64_t i = 0; i < size; i++) {
      even[i] += a[i];
      a[i] = even[i] - odd[i];
      even[i] += odd[i];
    }
    gesv(n, a, pivots, even);
    double *result = even, *room = odd;
    for (int i = 0; i < squarings; i++) {
      square_product(n, result, result, room);
      std::swap(result, room);
    }
    return result;
  }

  Matrices a_;
  Stack stack_;
  Scratch scratch_;
  size_t places_[kArrays];
  size_t pivots_;
};

}  // namespace

void register_matrix_exp(Registry& registry) {
  registry.add({"matrix_exp", "lapack", 0, any_spec, make<MatrixExp>});
}

}  // namespace torchts::lapack
