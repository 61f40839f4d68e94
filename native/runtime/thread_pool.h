// The threads that kernels share.
//
// A call's parts are claimed one by one by whoever is free, the caller included, and nobody waits
// for a thread that has not claimed one. So a machine that is busy with other things costs a step
// its fair share of time, where a barrier over fixed teams would wait for the slowest thread at
// every kernel. Idle workers spin for some tens of microseconds, which covers the gap between two
// kernels, then sleep.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "parallel.h"

namespace torchts {

class ThreadPool {
 public:
  ThreadPool() = default;
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  // As ParallelRunner. One call at a time; another caller waits for its turn.
  void run(int parts, ParallelTask task, void* context);

 private:
  void work();
  bool claim(uint32_t generation, int* part);
  void take_parts(uint32_t generation, ParallelTask task, void* context);
  void grow(int workers);
  void wait_for_call(uint64_t seen);

  // Generation of the call in the upper half, its next unclaimed part in the lower one. Parts can
  // be claimed only while next < parts_; an odd generation is a call being prepared.
  std::atomic<uint64_t> ticket_{0};
  std::atomic<uint32_t> parts_{0};
  std::atomic<ParallelTask> task_{nullptr};
  std::atomic<void*> context_{nullptr};
  std::atomic<int> unfinished_{0};

  std::atomic<int> sleepers_{0};
  std::atomic<bool> stopping_{false};
  std::mutex sleep_mutex_;
  std::condition_variable wake_;
  std::mutex call_mutex_;
  std::vector<std::thread> workers_;
};

// Runs on the process's pool, whose threads are started when they are first needed.
void run_on_pool(int parts, ParallelTask task, void* context);

}  // namespace torchts
