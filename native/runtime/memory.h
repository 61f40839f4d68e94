// Aligned blocks of memory: the buffers behind storages and the arenas of Programs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace torchts {

constexpr size_t kAlignment = 64;  // a cache line, and an AVX-512 vector

constexpr size_t kMostBytes = size_t{1} << 47;  // the user half of the address space

constexpr size_t aligned_size(size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

// A part of an open file; `path` is for messages.
struct FilePart {
  int fd;
  uint64_t offset;
  size_t bytes;
  std::string path;
};

// One block, zero at birth, 64-byte aligned, never null (an empty one still has an address).
// Throws std::runtime_error when the machine has not that much memory.
class Memory {
 public:
  explicit Memory(size_t bytes);
  // The bytes of a file, aligned as they lie there, each page read from disk when it is touched.
  // Pages are shared with all who map the file and dropped when memory is short; what is written
  // stays here. The file may be closed, but not be shortened: touching what it lost kills the
  // process. Throws std::runtime_error unless it is a file and holds the part.
  explicit Memory(const FilePart& part);
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  char* data() const { return data_; }
  size_t bytes() const { return bytes_; }
  // Those that nothing but this process has.
  size_t own_bytes() const { return is_file_ ? 0 : bytes_; }

 private:
  char* block_;  // what is given back, with `data_` in it
  char* data_;
  size_t bytes_;   // as asked for
  size_t mapped_;  // length of the mapping, 0 for a heap block
  bool is_file_ = false;
};

}  // namespace torchts
