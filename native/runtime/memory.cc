#include "memory.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
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

[[noreturn]] void fail(const FilePart& part, const std::string& reason) {
  throw std::runtime_error("[map] " + part.path + ": " + reason);
}

void check_part(const FilePart& part) {
  struct stat found;
  if (fstat(part.fd, &found) != 0) fail(part, std::strerror(errno));
  if (!S_ISREG(found.st_mode)) fail(part, "is no file");
  const uint64_t size = static_cast<uint64_t>(found.st_size);
  if (part.offset <= size && part.bytes <= size - part.offset) return;
  fail(part, "has " + std::to_string(size) + " bytes, but " + std::to_string(part.bytes) +
                 " are asked for from byte " + std::to_string(part.offset) + " on");
}

}  // namespace

Memory::Memory(size_t bytes) : block_(nullptr), bytes_(bytes), mapped_(0) {
  if (bytes > kMostBytes) throw_out_of_memory(bytes);
  if (bytes >= kMapFrom) {
    mapped_ = (bytes + 4095) / 4096 * 4096;
    block_ = map_huge(mapped_);
  } else {
    size_t length = aligned_size(std::max<size_t>(bytes, 1));
    block_ = static_cast<char*>(std::aligned_alloc(kAlignment, length));
    if (block_ != nullptr) std::memset(block_, 0, length);
  }
  if (block_ == nullptr) throw_out_of_memory(bytes);
  data_ = block_;
}

Memory::Memory(const FilePart& part) : bytes_(part.bytes), mapped_(0), is_file_(true) {
  check_part(part);
  // A mapping begins on a page, and is never empty.
  const uint64_t before = part.offset % static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  mapped_ = std::max<size_t>(part.bytes + before, 1);
  void* start = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, part.fd,
                     static_cast<off_t>(part.offset - before));
  if (start == MAP_FAILED) fail(part, std::strerror(errno));
  block_ = static_cast<char*>(start);
  data_ = block_ + before;
}

Memory::~Memory() {
  if (mapped_ > 0) {
    munmap(block_, mapped_);
  } else {
    std::free(block_);
  }
}

}  // namespace torchts
