// Batches made ahead of their use, on a thread of their own.
//
// Three threads meet here: the owner (JavaScript's) takes batches in order; the engine thread waits
// for a batch before the first run that reads it, and says when the memory of another is free; the
// stream's own thread fills one batch after the other, where there is room.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

namespace torchts {

class BatchStream {
 public:
  // There is room for `ahead` batches at first. `fill(batch)` must not throw.
  BatchStream(uint64_t batches, uint64_t ahead, std::function<void(uint64_t batch)> fill);
  ~BatchStream();
  BatchStream(const BatchStream&) = delete;
  BatchStream& operator=(const BatchStream&) = delete;

  // Promises the next batch to the caller, filled or not. Throws std::invalid_argument after the
  // last one.
  uint64_t take();
  // Returns once `batch`, which was taken, is filled.
  void wait(uint64_t batch);
  // There is room for another batch.
  void make_room();
  // Fills what was taken, so that nobody waits for ever, and ends the thread. The engine thread
  // must go on making room meanwhile. Called by the owner, before destruction at the latest.
  void close();

 private:
  void run();

  const uint64_t batches_;
  const std::function<void(uint64_t)> fill_;

  std::mutex mutex_;  // guards taken_, room_, stopping_, and changes of filled_
  std::condition_variable changed_;
  uint64_t taken_ = 0;
  uint64_t room_;  // batches there is or was room for
  bool stopping_ = false;
  std::atomic<uint64_t> filled_{0};
  std::thread thread_;
};

}  // namespace torchts
