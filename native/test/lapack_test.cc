// LAPACK's kernels on edge shapes and malformed calls. What the numbers should be is the
// conformance test's business (test/engine/).
#include "exercise.h"

using namespace torchts;
using namespace torchts::testing;

namespace {

constexpr DType kFloating[] = {DType::float32, DType::float64};
constexpr int64_t kSizes[] = {0, 1, 3, 33};
const Shape kBatches[] = {{}, {5}, {2, 0}};

Shape in_batch(Shape batch, std::initializer_list<int64_t> sizes) {
  batch.insert(batch.end(), sizes);
  return batch;
}

// Calls body(dtype, batch, size, size) for all of them.
template <class Body>
void for_matrices(const Body& body) {
  for (DType dtype : kFloating) {
    for (const Shape& batch : kBatches) {
      for (int64_t m : kSizes) {
        for (int64_t n : kSizes) body(dtype, batch, m, n);
      }
    }
  }
}

void refuses(const char* kernel, const Types& inputs, const Types& outputs, const Attrs& attrs,
             const char* message) {
  const std::string found = message_of([&] { exercise(kernel, inputs, outputs, attrs); });
  CHECK(found.find(message) != std::string::npos, std::string(kernel) + ": " + found);
}

}  // namespace

TEST("factorizations") {
  for_matrices([](DType dtype, const Shape& batch, int64_t m, int64_t n) {
    const int64_t k = std::min(m, n);
    const TensorType a{dtype, in_batch(batch, {m, n})}, info{DType::int32, batch};
    exercise("lu_factor", {a}, {a, {DType::int32, in_batch(batch, {k})}, info},
             attrs({{"fails_as", ""}}));
    for (int64_t width : {m, k}) {
      exercise("qr", {a},
               {{dtype, in_batch(batch, {m, width})}, {dtype, in_batch(batch, {width, n})}}, {});
    }
    if (m >= n) {
      exercise("householder_product", {a, {dtype, in_batch(batch, {n / 2})}}, {a}, {});
    }
    const TensorType square{dtype, in_batch(batch, {n, n})}, b{dtype, in_batch(batch, {n, m})};
    exercise("cholesky", {square}, {square, info}, attrs({{"fails_as", ""}}));
    for (bool flag : {true, false}) {
      exercise("triangular_solve", {square, b}, {b},
               attrs({{"upper", flag}, {"transpose", m % 2 == 0}, {"unitriangular", n % 2 == 0}}));
    }
  });
}

TEST("spectra and matrix_exp") {
  for_matrices([](DType dtype, const Shape& batch, int64_t m, int64_t n) {
    const int64_t k = std::min(m, n);
    const TensorType a{dtype, in_batch(batch, {m, n})}, s{dtype, in_batch(batch, {k})};
    for (bool full : {true, false}) {
      exercise("svd", {a},
               {{dtype, in_batch(batch, {m, full ? m : k})},
                s,
                {dtype, in_batch(batch, {full ? n : k, n})}},
               attrs({{"full_matrices", full}, {"vectors", true}}));
    }
    exercise("svd", {a}, {s}, attrs({{"full_matrices", false}, {"vectors", false}}));
    if (m != n) return;
    for (bool upper : {true, false}) {
      exercise("eigh", {a}, {s, a}, attrs({{"upper", upper}, {"vectors", true}}));
      exercise("eigh", {a}, {s}, attrs({{"upper", upper}, {"vectors", false}}));
    }
    exercise("matrix_exp", {a}, {a}, {});
  });
}

TEST("what cannot be computed is refused") {
  const TensorType square{DType::float64, {2, 2}}, info{DType::int32, {}};
  const TensorType pivots{DType::int32, {2}};
  // The numbers that inputs are filled with begin with one below zero.
  refuses("cholesky", {square}, {square, info}, attrs({{"fails_as", "an op"}}),
          "an op: the matrix is not positive definite");
  refuses("permutation", {pivots}, {{DType::int64, {2}}}, attrs({{"size", 2.0}}),
          "pivot 0 is out of range");
  refuses("lu_factor", {square}, {square, pivots, info}, {}, "fails_as is missing");
  refuses("lu_factor", {square}, {square, info, info}, attrs({{"fails_as", ""}}), "pivots");
  refuses("cholesky", {{DType::float32, {3}}}, {{DType::float32, {3}}, info},
          attrs({{"fails_as", ""}}), "too few dimensions");
  refuses("matrix_exp", {{DType::float32, {3, 2}}}, {{DType::float32, {3, 2}}}, {}, "not square");
  refuses("matrix_exp", {{DType::int64, {2, 2}}}, {{DType::int64, {2, 2}}}, {}, "float32");
  refuses("qr", {}, {square, square}, {}, "operand 0 is missing");
  refuses("svd", {square}, {square}, attrs({{"full_matrices", true}, {"vectors", false}}), "s ");
  refuses("eigh", {{DType::float32, {1 << 26, 0}}}, {{DType::float32, {0}}},
          attrs({{"upper", true}, {"vectors", false}}), "too large");
}
