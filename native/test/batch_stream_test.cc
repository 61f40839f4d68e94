#include "batch_stream.h"

#include <vector>

#include "check.h"

using namespace torchts;
using namespace torchts::testing;

TEST("batches arrive in order, and no place is filled before there is room") {
  constexpr uint64_t kBatches = 2000, kSlots = 3;
  std::vector<uint64_t> slots(kSlots, 0);
  BatchStream stream(kBatches, kSlots, [&](uint64_t batch) { slots[batch % kSlots] = batch + 1; });
  for (uint64_t batch = 0; batch < kBatches; batch++) {
    CHECK(stream.take() == batch);
    stream.wait(batch);
    CHECK(slots[batch % kSlots] == batch + 1);
    stream.make_room();
  }
  CHECK(message_of([&] { stream.take(); }).find("all 2000 were taken") != std::string::npos);
}

TEST("it runs ahead by as many batches as there are slots") {
  std::atomic<uint64_t> filled{0};
  BatchStream stream(10, 4, [&](uint64_t) { filled++; });
  stream.take();
  stream.wait(0);
  while (filled < 4) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  CHECK(filled == 4);
}

TEST("closing fills what was taken and no more") {
  std::atomic<uint64_t> filled{0};
  {
    BatchStream stream(100, 2, [&](uint64_t) { filled++; });
    for (int i = 0; i < 3; i++) stream.take();
    std::thread engine([&] {
      for (uint64_t batch = 0; batch < 3; batch++) {
        stream.wait(batch);
        stream.make_room();
      }
    });
    stream.close();
    engine.join();
  }
  CHECK(filled >= 3 && filled <= 5);
}

TEST("a stream that nobody takes from ends at once") {
  BatchStream stream(5, 2, [](uint64_t) {});
  stream.close();
  stream.close();
}
