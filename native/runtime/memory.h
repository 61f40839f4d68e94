// Aligned blocks of memory: the buffers behind storages and the arenas of Programs.
#pragma once

#include <cstddef>

namespace torchts {

constexpr size_t kAlignment = 64;  // a cache line, and an AVX-512 vector

constexpr size_t kMostBytes = size_t{1} << 47;  // the user half of the address space

constexpr size_t aligned_size(size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

// One block, zero at birth, 64-byte aligned, never null (an empty one still has an address).
// Throws std::runtime_error when the machine has not that much memory.
class Memory {
 public:
  explicit Memory(size_t bytes);
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  char* data() const { return data_; }
  size_t bytes() const { return bytes_; }

 private:
  char* data_;
  size_t bytes_;   // as asked for
  size_t mapped_;  // length of the mapping, 0 for a heap block
};

}  // namespace torchts
