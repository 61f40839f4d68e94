// How the elements of a value lie in memory: row by row, or with dimensions in another order and
// cut into blocks. Always a permutation of the same elements, so every layout of a value has the
// same bytes; nothing is padded.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace torchts {

using Shape = std::vector<int64_t>;

inline int64_t numel(const Shape& shape) {
  int64_t count = 1;
  for (int64_t size : shape) count *= size;
  return count;
}

// The strides of a row-major tensor, in elements.
std::vector<int64_t> contiguous_strides(const Shape& shape);

// One loop over memory: `size` steps along dimension `dim` of the value. A dimension cut into
// blocks has several; the one further in takes the smaller steps.
struct Axis {
  int dim;
  int64_t size;

  bool operator==(const Axis& other) const { return dim == other.dim && size == other.size; }
};
using Axes = std::vector<Axis>;  // outermost in memory first

// Canonical: two layouts of one shape are equal exactly when they put every element in the same
// place. nChw16c of (8, 512, 1, 1) is row-major. A value without elements has no other layout.
class Layout {
 public:
  Layout() = default;  // row-major
  // Throws std::invalid_argument unless the axes of every dimension multiply to its size.
  Layout(const Shape& shape, const Axes& axes);

  // Dimensions in the order of `order`, then the `blocks` further in: nChw16c is
  // ({0, 1, 2, 3}, {{1, 16}}), OIhw16i16o ({0, 1, 2, 3}, {{1, 16}, {0, 16}}), nhwc
  // ({0, 2, 3, 1}, {}). Row-major where a block does not divide its dimension.
  static Layout blocked(const Shape& shape, const std::vector<int>& order, const Axes& blocks);

  bool is_row_major() const { return axes_.empty(); }
  // Also for a row-major `shape`: without sizes of 1, and never two of one dimension in a row.
  Axes axes(const Shape& shape) const;
  bool operator==(const Layout& other) const { return axes_ == other.axes_; }
  bool operator!=(const Layout& other) const { return !(*this == other); }

  // As oneDNN writes it, dimensions named a, b, c, ...: aBcd16b, acdb; "" for row-major.
  // Dimensions of size 1 do not show.
  std::string text() const;

 private:
  Axes axes_;  // canonical; empty for row-major
};

// nChw<block>c, of any tensor with channels in dimension 1.
Layout blocked_channels(const Shape& shape, int64_t block);
// The block of channels of a tensor in nChw<block>c; 0 for every other layout.
int64_t channel_block(const Shape& shape, const Layout& layout);

// The layout of `layout`'s elements when `from` is seen as `to`, where the two differ in sizes of 1
// only or the layout is row-major. Otherwise no layout describes it, and the answer is false.
bool reshape_layout(const Layout& layout, const Shape& from, const Shape& to, Layout* reshaped);

// The sizes of the axes: the shape of the memory.
Shape sizes_of(const Axes& axes);
// The step along each axis in an operand with these steps along its dimensions, which is row-major
// or broadcast (0).
std::vector<int64_t> strides_along(const Axes& axes, const std::vector<int64_t>& strides);

// A walk over `to` in its own order, and the strides of `from` along it; both of one shape.
// False where blocks of the two do not nest (16 and 24).
bool common_axes(const Shape& shape, const Layout& from, const Layout& to, Shape* sizes,
                 std::vector<int64_t>* from_strides);

// Copies a value from one layout to the other; one of the two is row-major. One thread.
void copy_layout(const Shape& shape, size_t itemsize, const Layout& from, const void* source,
                 const Layout& to, void* target);

}  // namespace torchts
