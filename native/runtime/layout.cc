#include "layout.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace torchts {
namespace {

// Without sizes of 1, and with neighbours along one dimension merged.
Axes merged(const Axes& axes) {
  Axes out;
  for (const Axis& axis : axes) {
    if (axis.size == 1) continue;
    if (!out.empty() && out.back().dim == axis.dim) {
      out.back().size *= axis.size;
    } else {
      out.push_back(axis);
    }
  }
  return out;
}

Axes row_major_axes(const Shape& shape) {
  Axes axes;
  for (size_t d = 0; d < shape.size(); d++) axes.push_back({static_cast<int>(d), shape[d]});
  return merged(axes);
}

// The step along each axis in elements of its dimension: the sizes of that dimension further in.
std::vector<int64_t> steps_of(const Axes& axes) {
  std::vector<int64_t> steps(axes.size(), 1);
  for (size_t i = 0; i < axes.size(); i++) {
    for (size_t j = i + 1; j < axes.size(); j++) {
      if (axes[j].dim == axes[i].dim) steps[i] *= axes[j].size;
    }
  }
  return steps;
}

std::vector<int64_t> memory_strides(const Axes& axes) { return contiguous_strides(sizes_of(axes)); }

// Cuts an axis (from `step` to `step * size` along its dimension) wherever an axis of `other` ends.
// Appends the pieces, outermost first. False where they do not divide each other.
bool cut(const Axis& axis, int64_t step, const Axes& other, Axes* pieces) {
  std::vector<int64_t> ends = {step, step * axis.size};
  const std::vector<int64_t> other_steps = steps_of(other);
  for (size_t i = 0; i < other.size(); i++) {
    const int64_t end = other_steps[i];
    if (other[i].dim == axis.dim && end > step && end < step * axis.size) ends.push_back(end);
  }
  std::sort(ends.begin(), ends.end());
  for (size_t i = ends.size(); i-- > 1;) {
    if (ends[i] % ends[i - 1] != 0) return false;
    pieces->push_back({axis.dim, ends[i] / ends[i - 1]});
  }
  return true;
}

bool refine(const Axes& axes, const Axes& other, Axes* pieces) {
  const std::vector<int64_t> steps = steps_of(axes);
  for (size_t i = 0; i < axes.size(); i++) {
    if (!cut(axes[i], steps[i], other, pieces)) return false;
  }
  return true;
}

// Elements of one size, moved along `sizes` with the two sides' strides.
template <class T>
void copy_strided(const Shape& sizes, const std::vector<int64_t>& from_strides,
                  const std::vector<int64_t>& to_strides, const T* from, T* to, size_t axis) {
  if (axis == sizes.size()) {
    *to = *from;
    return;
  }
  const int64_t size = sizes[axis], a = from_strides[axis], b = to_strides[axis];
  if (axis + 1 == sizes.size()) {
    for (int64_t i = 0; i < size; i++) to[i * b] = from[i * a];
    return;
  }
  for (int64_t i = 0; i < size; i++) {
    copy_strided(sizes, from_strides, to_strides, from + i * a, to + i * b, axis + 1);
  }
}

template <class T>
void copy_as(const Axes& axes, const Shape& shape, bool gather, const void* from, void* to) {
  const std::vector<int64_t> rows = strides_along(axes, contiguous_strides(shape));
  const std::vector<int64_t> memory = memory_strides(axes);
  copy_strided(sizes_of(axes), gather ? rows : memory, gather ? memory : rows,
               static_cast<const T*>(from), static_cast<T*>(to), 0);
}

}  // namespace

std::vector<int64_t> contiguous_strides(const Shape& shape) {
  std::vector<int64_t> strides(shape.size());
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

Layout::Layout(const Shape& shape, const Axes& axes) {
  Shape product(shape.size(), 1);
  for (const Axis& axis : axes) {
    const bool known = axis.dim >= 0 && axis.dim < static_cast<int>(shape.size());
    if (!known || axis.size < 0) throw std::invalid_argument("a layout's axis has no dimension");
    product[axis.dim] *= axis.size;
  }
  if (product != shape) throw std::invalid_argument("a layout does not cover its shape");
  if (numel(shape) == 0) return;
  axes_ = merged(axes);
  if (axes_ == row_major_axes(shape)) axes_.clear();
}

Layout Layout::blocked(const Shape& shape, const std::vector<int>& order, const Axes& blocks) {
  Shape outer = shape;
  for (const Axis& block : blocks) {
    if (outer[block.dim] % block.size != 0) return {};
    outer[block.dim] /= block.size;
  }
  Axes axes;
  for (int dim : order) axes.push_back({dim, outer[dim]});
  axes.insert(axes.end(), blocks.begin(), blocks.end());
  return Layout(shape, axes);
}

Axes Layout::axes(const Shape& shape) const {
  return is_row_major() ? row_major_axes(shape) : axes_;
}

std::string Layout::text() const {
  std::string text;
  for (size_t i = 0; i < axes_.size(); i++) {
    const auto same = [&](const Axis& other) { return other.dim == axes_[i].dim; };
    const bool first = std::none_of(axes_.begin(), axes_.begin() + i, same);
    const bool last = std::none_of(axes_.begin() + i + 1, axes_.end(), same);
    const char letter = static_cast<char>((first && !last ? 'A' : 'a') + axes_[i].dim % 26);
    if (!first) text += std::to_string(axes_[i].size);
    text += letter;
  }
  return text;
}

Layout blocked_channels(const Shape& shape, int64_t block) {
  if (shape.size() < 2) return {};
  std::vector<int> order;
  for (size_t d = 0; d < shape.size(); d++) order.push_back(static_cast<int>(d));
  return Layout::blocked(shape, order, {{1, block}});
}

int64_t channel_block(const Shape& shape, const Layout& layout) {
  const Axes axes = layout.axes(shape);
  if (layout.is_row_major() || axes.back().dim != 1) return 0;
  const int64_t block = axes.back().size;
  return layout == blocked_channels(shape, block) ? block : 0;
}

bool reshape_layout(const Layout& layout, const Shape& from, const Shape& to, Layout* reshaped) {
  *reshaped = {};
  if (layout.is_row_major()) return true;
  const auto large = [](const Shape& shape) {
    std::vector<int> dims;
    for (size_t d = 0; d < shape.size(); d++) {
      if (shape[d] != 1) dims.push_back(static_cast<int>(d));
    }
    return dims;
  };
  const std::vector<int> before = large(from), after = large(to);
  const auto same_size = [&](int a, int b) { return from[a] == to[b]; };
  if (!std::equal(before.begin(), before.end(), after.begin(), after.end(), same_size)) {
    return false;
  }
  Axes axes = layout.axes(from);
  for (Axis& axis : axes) {
    axis.dim = after[std::find(before.begin(), before.end(), axis.dim) - before.begin()];
  }
  *reshaped = Layout(to, axes);
  return true;
}

Shape sizes_of(const Axes& axes) {
  Shape sizes;
  for (const Axis& axis : axes) sizes.push_back(axis.size);
  return sizes;
}

std::vector<int64_t> strides_along(const Axes& axes, const std::vector<int64_t>& strides) {
  std::vector<int64_t> along = steps_of(axes);
  for (size_t i = 0; i < axes.size(); i++) along[i] *= strides[axes[i].dim];
  return along;
}

bool common_axes(const Shape& shape, const Layout& from, const Layout& to, Shape* sizes,
                 std::vector<int64_t>* from_strides) {
  if (numel(shape) == 0) {
    *sizes = {0};
    *from_strides = {1};
    return true;
  }
  const Axes from_axes = from.axes(shape), to_axes = to.axes(shape);
  Axes to_pieces, from_pieces;
  if (!refine(to_axes, from_axes, &to_pieces)) return false;
  if (!refine(from_axes, to_axes, &from_pieces)) return false;
  const std::vector<int64_t> to_steps = steps_of(to_pieces), steps = steps_of(from_pieces);
  const std::vector<int64_t> strides = memory_strides(from_pieces);
  *sizes = sizes_of(to_pieces);
  from_strides->clear();
  for (size_t i = 0; i < to_pieces.size(); i++) {
    for (size_t j = 0; j < from_pieces.size(); j++) {
      const bool same = from_pieces[j].dim == to_pieces[i].dim && steps[j] == to_steps[i];
      if (same) from_strides->push_back(strides[j]);
    }
  }
  return from_strides->size() == sizes->size();
}

void copy_layout(const Shape& shape, size_t itemsize, const Layout& from, const void* source,
                 const Layout& to, void* target) {
  if (from == to) {
    const size_t bytes = static_cast<size_t>(numel(shape)) * itemsize;
    if (bytes > 0) std::memcpy(target, source, bytes);
    return;
  }
  const bool gather = from.is_row_major();
  if (!gather && !to.is_row_major()) {
    throw std::invalid_argument("one of the layouts must be row-major");
  }
  const Axes axes = (gather ? to : from).axes(shape);
  switch (itemsize) {
    case 1:
      return copy_as<uint8_t>(axes, shape, gather, source, target);
    case 2:
      return copy_as<uint16_t>(axes, shape, gather, source, target);
    case 4:
      return copy_as<uint32_t>(axes, shape, gather, source, target);
    default:
      return copy_as<uint64_t>(axes, shape, gather, source, target);
  }
}

}  // namespace torchts
