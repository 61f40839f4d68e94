// One image of bytes, as the ops on images pass it on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace torchts {

struct ImageShape {
  int64_t channels = 0, height = 0, width = 0;

  int64_t area() const { return height * width; }
  size_t size() const { return static_cast<size_t>(channels * height * width); }
  bool operator==(const ImageShape& other) const {
    return channels == other.channels && height == other.height && width == other.width;
  }
};

// (channels, height, width), row-major, owned by somebody else.
struct ImageView {
  ImageShape shape;
  const uint8_t* data = nullptr;
};

}  // namespace torchts
