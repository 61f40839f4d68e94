// Walking a strided view of dense memory in dense order, and copying one.
#pragma once

#include <algorithm>
#include <cstring>

#include "../runtime/parallel.h"
#include "check.h"
#include "strides.h"

namespace torchts {
inline namespace TORCHTS_ISA {

constexpr int64_t kViewGrain = 1 << 16;  // elements a thread
constexpr int64_t kViewTile = 16;        // side of the square in which a transpose is done

// A strided view of dense memory, checked to stay inside it.
struct View {
  int64_t offset;
  int64_t count;
  std::vector<Dim> dims;  // at least one

  View(const Shape& shape, const KernelSpec& spec, int64_t memory)
      : View(shape, spec.attrs.integer("offset"), spec.attrs.integers("strides"), memory) {}

  View(const Shape& shape, int64_t start, const std::vector<int64_t>& strides, int64_t memory)
      : offset(start), count(numel(shape)) {
    require(strides.size() == shape.size(), "strides and shape differ in rank");
    int64_t low = offset, high = offset;
    for (size_t i = 0; i < shape.size(); i++) {
      (strides[i] < 0 ? low : high) += (shape[i] - 1) * strides[i];
    }
    require(count == 0 || (low >= 0 && high < memory), "the view reaches outside its memory");
    dims = collapse(shape, strides);
    if (dims.empty()) dims.push_back({1, 1});
    check_rank(dims);
  }
};

// Does the second dimension from the end walk memory in steps of 1, as in a transpose?
inline bool is_transpose(const View& view) {
  const size_t rank = view.dims.size();
  return rank >= 2 && view.dims[rank - 2].stride == 1 && view.dims[rank - 1].stride != 1 &&
         view.dims[rank - 2].size >= 4 && view.dims[rank - 1].size >= 4;
}

// Calls move(dense, strided) tile by tile for `rows` x `columns` elements, where the strided side
// has stride 1 along rows and `stride` along columns.
template <class Move>
void for_each_tiled(int64_t rows, int64_t columns, int64_t stride, const Move& move) {
  for (int64_t r = 0; r < rows; r += kViewTile) {
    const int64_t row_end = std::min(rows, r + kViewTile);
    for (int64_t c = 0; c < columns; c += kViewTile) {
      const int64_t column_end = std::min(columns, c + kViewTile);
      for (int64_t i = r; i < row_end; i++) {
        for (int64_t j = c; j < column_end; j++) move(i * columns + j, i + j * stride);
      }
    }
  }
}

// Walks the view in dense order: for each run, contiguous(dense, strided, length) where the stride
// is 1, else each(dense, strided) for every element.
template <class Contiguous, class Each>
void walk(const View& view, int threads, const Contiguous& contiguous, const Each& each) {
  if (view.count == 0) return;
  const size_t rank = view.dims.size();
  if (is_transpose(view)) {
    const Dim rows = view.dims[rank - 2], columns = view.dims[rank - 1];
    std::vector<Dim> const* dims = &view.dims;
    const int64_t plane = rows.size * columns.size;
    const auto plane_offset = [=](int64_t index) {
      int64_t offset = view.offset;
      for (size_t d = rank - 2; d-- > 0;) {
        offset += index % (*dims)[d].size * (*dims)[d].stride;
        index /= (*dims)[d].size;
      }
      return offset;
    };
    // Bands of rows are the unit of work, so that a single plane can use every thread.
    const int64_t bands = (rows.size + kViewTile - 1) / kViewTile;
    parallel_ranges(threads, view.count / plane * bands, [&](int64_t begin, int64_t end, int) {
      for (int64_t band = begin; band < end; band++) {
        const int64_t row = band % bands * kViewTile;
        const int64_t dense = band / bands * plane + row * columns.size;
        const int64_t strided = plane_offset(band / bands) + row;
        for_each_tiled(std::min(kViewTile, rows.size - row), columns.size, columns.stride,
                       [&](int64_t i, int64_t j) { each(dense + i, strided + j); });
      }
    });
    return;
  }
  const int64_t stride = view.dims[rank - 1].stride;
  parallel_ranges(threads, view.count, [&](int64_t begin, int64_t end, int) {
    for_each_run(view.dims, begin, end, [&](int64_t offset, int64_t at, int64_t length) {
      const int64_t dense = begin + at, strided = view.offset + offset;
      if (stride == 1) return contiguous(dense, strided, length);
      for (int64_t i = 0; i < length; i++) each(dense + i, strided + i * stride);
    });
  });
}

template <class T>
class CopyView final : public Kernel {
 public:
  explicit CopyView(const KernelSpec& spec)
      : CopyView(View(spec.outputs[0].shape, spec, spec.inputs[0].numel()), spec.threads) {}

  CopyView(View view, int threads)
      : view_(std::move(view)), threads_(useful_threads(threads, view_.count, kViewGrain)) {}

  void run(const Operands& operands) override {
    const T* in = operands.in<T>(0);
    T* out = operands.out<T>(0);
    walk(
        view_, threads_,
        [=](int64_t dense, int64_t strided, int64_t length) {
          std::memcpy(out + dense, in + strided, length * sizeof(T));
        },
        [=](int64_t dense, int64_t strided) { out[dense] = in[strided]; });
  }

 private:
  View view_;
  int threads_;
};

}  // namespace TORCHTS_ISA
}  // namespace torchts
