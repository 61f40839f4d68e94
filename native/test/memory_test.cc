#include "memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>

#include "check.h"

namespace torchts {
namespace {

using testing::message_of;

constexpr size_t kSize = 300'000;  // several pages, of any size that machines have

char byte_at(size_t i) { return static_cast<char>(i * 31 % 251); }

// A file of kSize bytes that goes when it is closed.
class ScratchFile {
 public:
  ScratchFile() {
    char name[] = "/tmp/torchts-memory-XXXXXX";
    fd_ = mkstemp(name);
    unlink(name);
    std::string contents(kSize, 0);
    for (size_t i = 0; i < kSize; i++) contents[i] = byte_at(i);
    CHECK(::write(fd_, contents.data(), kSize) == static_cast<ssize_t>(kSize));
  }
  ~ScratchFile() { close(); }

  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  FilePart part(uint64_t offset, size_t bytes) const { return {fd_, offset, bytes, "FILE"}; }
  char at(size_t i) const {
    char byte = 0;
    CHECK(pread(fd_, &byte, 1, static_cast<off_t>(i)) == 1);
    return byte;
  }

 private:
  int fd_ = -1;
};

TEST("a part of a file is mapped from any byte on, and outlives the open file") {
  for (const size_t offset : {size_t{0}, size_t{4096}, size_t{70'001}, kSize - 1, kSize}) {
    ScratchFile own;
    const Memory memory(own.part(offset, kSize - offset));
    own.close();
    CHECK(memory.bytes() == kSize - offset);
    CHECK(memory.own_bytes() == 0);
    CHECK(memory.data() != nullptr);
    size_t wrong = 0;
    for (size_t i = offset; i < kSize; i++) wrong += memory.data()[i - offset] != byte_at(i);
    CHECK(wrong == 0, std::to_string(offset));
  }
}

TEST("what is written to a mapping stays there") {
  ScratchFile file;
  const Memory first(file.part(10, 5000)), second(file.part(10, 5000));
  std::memset(first.data(), 7, first.bytes());
  CHECK(first.data()[4999] == 7);
  CHECK(second.data()[4999] == byte_at(5009));
  CHECK(file.at(5009) == byte_at(5009));
}

TEST("a part that a file does not hold is refused") {
  ScratchFile file;
  const auto refused = [&](const FilePart& part) {
    return message_of([&] { const Memory memory(part); });
  };
  CHECK(refused(file.part(0, kSize + 1)) ==
        "[map] FILE: has 300000 bytes, but 300001 are asked for from byte 0 on");
  CHECK(refused(file.part(kSize + 1, 0)) != "");
  const size_t most = std::numeric_limits<size_t>::max();
  CHECK(refused(file.part(most, 2)) != "");
  CHECK(refused(file.part(2, most)) != "");
  CHECK(refused({-1, 0, 1, "FILE"}).find("[map] FILE: ") == 0);
  const int folder = open("/tmp", O_RDONLY | O_DIRECTORY);
  CHECK(refused({folder, 0, 0, "/tmp"}) == "[map] /tmp: is no file");
  ::close(folder);
}

TEST("memory of the process is its own, and zero at birth") {
  for (const size_t bytes : {size_t{0}, size_t{100}, size_t{5} << 20}) {
    const Memory memory(bytes);
    CHECK(memory.own_bytes() == bytes);
    size_t sum = 0;
    for (size_t i = 0; i < bytes; i++) sum += memory.data()[i] != 0;
    CHECK(sum == 0);
  }
}

}  // namespace
}  // namespace torchts
