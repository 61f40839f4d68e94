#include "memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

namespace torchts {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;
// Larger blocks are mapped on their own, so that they may sit on huge pages and go back to the
// system when freed. Smaller ones come from the heap, which reuses them without page faults.
constexpr size_t kMapFrom = 2 * kHugePage;

[[noreturn]] void throw_out_of_memory(size_t bytes) {
  throw std::runtime_error("out of memory: could not allocate " + std::to_string(bytes) + " bytes");
}

// A mapping whose start is on a huge page: maps a page more and gives the ends back.
char* map_huge(size_t length) {
  void* raw =
      mmap(nullptr, length + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) return nullptr;
  char* start = static_cast<char*>(raw);
  size_t misfit = reinterpret_cast<uintptr_t>(start) % kHugePage;
  size_t head = misfit == 0 ? 0 : kHugePage - misfit;
  if (head > 0) munmap(start, head);
  munmap(start + head + length, kHugePage - head);
#ifdef MADV_HUGEPAGE
  madvise(start + head, length, MADV_HUGEPAGE);  // advice: a refusal only costs speed
#endif
  return start + head;
}

}  // namespace

Memory::Memory(size_t bytes) : data_(nullptr), bytes_(bytes), mapped_(0) {
  if (bytes > kMostBytes) throw_out_of_memory(bytes);
  if (bytes >= kMapFrom) {
    mapped_ = (bytes + 4095) / 4096 * 4096;
    data_ = map_huge(mapped_);
  } else {
    size_t length = aligned_size(std::max<size_t>(bytes, 1));
    data_ = static_cast<char*>(std::aligned_alloc(kAlignment, length));
    if (data_ != nullptr) std::memset(data_, 0, length);
  }
  if (data_ == nullptr) throw_out_of_memory(bytes);
}

Memory::~Memory() {
  if (mapped_ > 0) {
    munmap(data_, mapped_);
  } else {
    std::free(data_);
  }
}

}  // namespace torchts
