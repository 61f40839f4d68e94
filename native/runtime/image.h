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

// Compiles a loop once for each of these instruction sets; the best is chosen at start. What a
// clone computes does not depend on the set: contraction is off where this is used, and fma is
// asked for by name.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__)
#define TORCHTS_CLONES \
  __attribute__((target_clones("default", "arch=haswell", "arch=skylake-avx512")))
#else
#define TORCHTS_CLONES
#endif
