// What a layout says about memory: canonical forms, names, steps, and copies between layouts.
#include "layout.h"

#include <numeric>

#include "check.h"

using namespace torchts;
using namespace torchts::testing;

namespace {

using Numbers = std::vector<int64_t>;

Layout nChw16c(const Shape& shape) { return blocked_channels(shape, 16); }
Layout nhwc(const Shape& shape) { return Layout::blocked(shape, {0, 2, 3, 1}, {}); }
Layout oihw16i16o(const Shape& shape) {
  return Layout::blocked(shape, {0, 1, 2, 3}, {{1, 16}, {0, 16}});
}
Layout oihw8i16o2i(const Shape& shape) {
  return Layout::blocked(shape, {0, 1, 2, 3}, {{1, 8}, {0, 16}, {1, 2}});
}

Numbers counted(int64_t count) {
  Numbers numbers(static_cast<size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

Numbers copied(const Shape& shape, const Layout& from, const Numbers& source, const Layout& to) {
  Numbers target(source.size());
  copy_layout(shape, sizeof(int64_t), from, source.data(), to, target.data());
  return target;
}

}  // namespace

TEST("layouts have names") {
  CHECK(Layout().text() == "");
  CHECK(nChw16c({2, 64, 4, 4}).text() == "aBcd16b", nChw16c({2, 64, 4, 4}).text());
  CHECK(nhwc({2, 64, 4, 4}).text() == "acdb");
  CHECK(oihw16i16o({64, 32, 3, 3}).text() == "ABcd16b16a");
  CHECK(oihw8i16o2i({64, 32, 3, 3}).text() == "ABcd8b16a2b");
  CHECK(nChw16c({1, 64, 4, 4}).text() == "Bcd16b");
}

TEST("one placement of the elements has one form") {
  CHECK(nChw16c({2, 64, 1, 1}).is_row_major());
  CHECK(nhwc({2, 1, 4, 4}).is_row_major());
  CHECK(nhwc({2, 64, 1, 1}).is_row_major());
  CHECK(nChw16c({2, 0, 4, 4}).is_row_major());
  // A single block is channels last.
  CHECK(nChw16c({2, 16, 4, 4}) == nhwc({2, 16, 4, 4}));
  CHECK(nChw16c({2, 32, 4, 4}) != nhwc({2, 32, 4, 4}));
  CHECK(nChw16c({2, 32, 4, 4}) != blocked_channels({2, 32, 4, 4}, 8));
  // A block that does not divide its dimension is not usable.
  CHECK(nChw16c({2, 24, 4, 4}).is_row_major());
  CHECK(channel_block({2, 32, 4, 4}, nChw16c({2, 32, 4, 4})) == 16);
  CHECK(channel_block({2, 16, 4, 4}, nhwc({2, 16, 4, 4})) == 16);
  CHECK(channel_block({2, 32, 4, 4}, {}) == 0);
  CHECK(channel_block({64, 32, 3, 3}, oihw16i16o({64, 32, 3, 3})) == 0);
}

TEST("axes that do not make up the shape are refused") {
  for (const Axes& axes :
       {Axes{{0, 2}}, Axes{{0, 2}, {1, 6}, {2, 1}}, Axes{{0, 2}, {-1, 6}}, Axes{{0, 3}, {1, 4}}}) {
    CHECK(message_of([&] { Layout({2, 6}, axes); }) != "");
  }
  CHECK(Layout({2, 6}, {{0, 2}, {1, 6}}).is_row_major());
  CHECK(Layout({2, 6}, {{0, 2}, {1, 2}, {1, 3}}).is_row_major());
}

TEST("the steps of an operand along the axes") {
  const Shape shape = {2, 32, 3, 5};
  const Axes axes = nChw16c(shape).axes(shape);
  CHECK(sizes_of(axes) == Shape({2, 2, 3, 5, 16}));
  CHECK(strides_along(axes, contiguous_strides(shape)) == Numbers({480, 240, 5, 1, 15}));
  // One value a channel.
  CHECK(strides_along(axes, {0, 1, 0, 0}) == Numbers({0, 16, 0, 0, 1}));
}

TEST("sizes of 1 come and go without moving anything") {
  Layout reshaped;
  const Shape shape = {2, 32, 4, 4};
  CHECK(reshape_layout(nChw16c(shape), shape, {2, 1, 32, 4, 4}, &reshaped));
  CHECK(reshaped.text() == "aCde16c", reshaped.text());
  CHECK(!reshape_layout(nChw16c(shape), shape, {2, 512}, &reshaped));
  CHECK(reshape_layout({}, shape, {2, 512}, &reshaped) && reshaped.is_row_major());
}

TEST("copies between layouts go both ways") {
  const Shape shape = {32, 64, 3, 2};
  const Numbers rows = counted(numel(shape));
  for (const Layout& layout :
       {nChw16c(shape), nhwc(shape), oihw16i16o(shape), oihw8i16o2i(shape)}) {
    const Numbers memory = copied(shape, {}, rows, layout);
    CHECK(memory != rows, layout.text());
    CHECK(copied(shape, layout, memory, {}) == rows, layout.text());
  }
  // nChw16c: element (n, c, h, w) = (1, 17, 2, 1) is (1, 1, 2, 1, 1) in memory.
  const Numbers memory = copied(shape, {}, rows, nChw16c(shape));
  const size_t at = (((1 * 4 + 1) * 3 + 2) * 2 + 1) * 16 + 1;
  CHECK(memory[at] == ((1 * 64 + 17) * 3 + 2) * 2 + 1, std::to_string(memory[at]));
}

TEST("a walk over one layout finds the elements of the other") {
  const Shape shape = {32, 48, 3, 2};
  const Layout layouts[] = {{},          nChw16c(shape),    blocked_channels(shape, 8),
                            nhwc(shape), oihw16i16o(shape), oihw8i16o2i(shape)};
  const Numbers rows = counted(numel(shape));
  for (const Layout& from : layouts) {
    for (const Layout& to : layouts) {
      Shape sizes;
      Numbers strides;
      CHECK(common_axes(shape, from, to, &sizes, &strides), from.text() + " " + to.text());
      const Numbers source = copied(shape, {}, rows, from);
      const Numbers expected = copied(shape, {}, rows, to);
      const Numbers dense = contiguous_strides(sizes);
      bool equal = true;
      for (int64_t i = 0; i < numel(shape); i++) {
        int64_t offset = 0;
        for (size_t d = 0; d < sizes.size(); d++) offset += i / dense[d] % sizes[d] * strides[d];
        equal = equal && source[offset] == expected[i];
      }
      CHECK(equal, from.text() + " -> " + to.text());
    }
  }
  Shape sizes;
  Numbers strides;
  CHECK(!common_axes(shape, nChw16c(shape), blocked_channels(shape, 24), &sizes, &strides));
}
