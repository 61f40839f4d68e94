// What the kernels here share: stacks of matrices, the copies between row-major and column-major,
// the loop over a stack, and scratch memory.
#pragma once

#include <algorithm>
#include <atomic>
#include <climits>
#include <cmath>
#include <string>

#include "../cpu/check.h"
#include "../runtime/parallel.h"
#include "lapack.h"

namespace torchts::lapack {

// A value (.., rows, columns) as `count` matrices.
struct Matrices {
  int64_t count = 1;
  int rows = 0, columns = 0;

  int64_t size() const { return int64_t{rows} * columns; }
  int smaller() const { return std::min(rows, columns); }
};

// The first dimensions of a shape, without its last `dims`.
inline Shape leading(const Shape& shape, size_t dims) {
  require(shape.size() >= dims, "an operand has too few dimensions");
  return Shape(shape.begin(), shape.end() - dims);
}

inline Shape joined(Shape batch, std::initializer_list<int64_t> sizes) {
  batch.insert(batch.end(), sizes);
  return batch;
}

inline Matrices matrices_of(const TensorType& type) {
  const Shape batch = leading(type.shape, 2);
  const int64_t rows = type.shape[batch.size()], columns = type.shape.back();
  // LAPACK counts in int, and workspaces are a few times a matrix's edge.
  require(rows <= INT_MAX / 128 && columns <= INT_MAX / 128, "the matrices are too large");
  return {numel(batch), static_cast<int>(rows), static_cast<int>(columns)};
}

inline Matrices square_matrices_of(const TensorType& type) {
  const Matrices matrices = matrices_of(type);
  require(matrices.rows == matrices.columns, "the matrices are not square");
  return matrices;
}

// The least `lda` that LAPACK takes for so many rows.
inline int stride_of(int rows) { return std::max(rows, 1); }

// From (rows, columns) row-major to the same column-major, or the transpose of either.
template <class T>
void transpose(const T* from, int rows, int columns, T* to) {
  constexpr int kBlock = 16;
  for (int i0 = 0; i0 < rows; i0 += kBlock) {
    for (int j0 = 0; j0 < columns; j0 += kBlock) {
      for (int i = i0; i < std::min(rows, i0 + kBlock); i++) {
        for (int j = j0; j < std::min(columns, j0 + kBlock); j++) {
          to[int64_t{j} * rows + i] = from[int64_t{i} * columns + j];
        }
      }
    }
  }
}

template <class T>
void set_identity(int n, T* to) {
  std::fill(to, to + int64_t{n} * n, T(0));
  for (int i = 0; i < n; i++) to[int64_t{i} * (n + 1)] = 1;
}

template <class T>
bool all_finite(const T* values, int64_t count) {
  return std::all_of(values, values + count, [](T value) { return std::isfinite(value); });
}

// "linalg.inv: " where an op's name is given, and which matrix it is where there are several.
inline std::string about(const std::string& op, int64_t count, int64_t index) {
  const std::string which = count == 1 ? "the matrix" : "matrix " + std::to_string(index);
  return (op.empty() ? "" : op + ": ") + which;
}

// The matrices of a call, spread over threads: a matrix is computed by one thread, a single one by
// as many as the library wants to use of those the call may have.
class Stack {
 public:
  Stack(int64_t count, int64_t operations, int threads) : count_(count), library_threads_(threads) {
    constexpr int64_t kGrain = 1 << 16;
    const int64_t most = std::min<int64_t>(threads, std::max<int64_t>(count, 1));
    parts_ = useful_threads(static_cast<int>(most), count * operations, kGrain);
  }

  int parts() const { return parts_; }

  // Calls body(index, part) for every matrix; where it is false for some, gives the first of them,
  // else -1.
  template <class Body>
  int64_t for_each(const Body& body) const {
    use_threads(count_ == 1 ? library_threads_ : 1);
    std::atomic<int64_t> failed{count_};
    parallel_ranges(parts_, count_, [&](int64_t begin, int64_t end, int part) {
      for (int64_t i = begin; i < end; i++) {
        if (body(i, part)) continue;
        int64_t first = failed;
        while (i < first && !failed.compare_exchange_weak(first, i)) continue;
      }
    });
    return failed == count_ ? -1 : failed.load();
  }

 private:
  int64_t count_;
  int library_threads_;
  int parts_;
};

// Arrays of one part's scratch memory, each at a place of its own.
class Scratch {
 public:
  // Gives the place of an array of so many elements.
  template <class T>
  size_t add(int64_t elements) {
    constexpr size_t kAlignment = 64;
    const size_t place = bytes_;
    const size_t wanted = static_cast<size_t>(std::max<int64_t>(elements, 1)) * sizeof(T);
    bytes_ += (wanted + kAlignment - 1) / kAlignment * kAlignment;
    return place;
  }
  size_t bytes() const { return bytes_; }

  template <class T>
  T* at(void* scratch, int part, size_t place) const {
    return reinterpret_cast<T*>(static_cast<char*>(scratch) + part * bytes_ + place);
  }

 private:
  size_t bytes_ = 0;
};

// What a routine asked for by a query: its floating answer, rounded up, because float32 has not
// all integers.
template <class T>
int work_size(T answer) {
  return static_cast<int>(std::ceil(static_cast<double>(answer) * 1.0001)) + 1;
}

// The kernel K<float> or K<double>, by the dtype of the call's first input.
template <template <class> class K>
std::unique_ptr<Kernel> make(const KernelSpec& spec) {
  if (spec.inputs[0].dtype == DType::float32) return std::make_unique<K<float>>(spec);
  if (spec.inputs[0].dtype == DType::float64) return std::make_unique<K<double>>(spec);
  throw std::invalid_argument("LAPACK computes in float32 and float64");
}

inline bool any_spec(const KernelSpec&) { return true; }

inline void require_dtype(const char* what, const TensorType& type, DType dtype) {
  require(type.dtype == dtype, std::string(what) + " must be " + name(dtype));
}

}  // namespace torchts::lapack
