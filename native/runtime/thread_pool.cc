#include "thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include "spin.h"

namespace torchts {
namespace {

constexpr int kSpinsBeforeYield = 4000;

uint32_t generation_of(uint64_t ticket) { return static_cast<uint32_t>(ticket >> 32); }

uint64_t make_ticket(uint32_t generation, uint32_t next) {
  return static_cast<uint64_t>(generation) << 32 | next;
}

}  // namespace

ThreadPool::~ThreadPool() {
  stopping_ = true;
  {
    std::lock_guard<std::mutex> lock(sleep_mutex_);
    wake_.notify_all();
  }
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run(int parts, ParallelTask task, void* context) {
  if (parts <= 1) {
    for (int part = 0; part < parts; part++) task(context, part);
    return;
  }
  std::lock_guard<std::mutex> turn(call_mutex_);
  grow(parts - 1);
  // A worker that is late reads the fields of this call while they change; the odd generation makes
  // its claim fail, so it never uses them.
  uint32_t generation = generation_of(ticket_.load(std::memory_order_relaxed)) + 2;
  ticket_.store(make_ticket(generation - 1, UINT32_MAX));
  parts_.store(static_cast<uint32_t>(parts), std::memory_order_relaxed);
  task_.store(task, std::memory_order_relaxed);
  context_.store(context, std::memory_order_relaxed);
  unfinished_.store(parts, std::memory_order_relaxed);
  ticket_.store(make_ticket(generation, 0));
  if (sleepers_.load() > 0) {
    std::lock_guard<std::mutex> lock(sleep_mutex_);
    wake_.notify_all();
  }
  take_parts(generation, task, context);
  for (int spins = 0; unfinished_.load(std::memory_order_acquire) > 0; spins++) {
    if (spins < kSpinsBeforeYield) {
      pause_cpu();
    } else {
      sched_yield();
    }
  }
}

bool ThreadPool::claim(uint32_t generation, int* part) {
  uint64_t ticket = ticket_.load();
  for (;;) {
    uint32_t next = static_cast<uint32_t>(ticket);
    if (generation_of(ticket) != generation) return false;
    if (next >= parts_.load(std::memory_order_relaxed)) return false;
    if (ticket_.compare_exchange_weak(ticket, make_ticket(generation, next + 1))) {
      *part = static_cast<int>(next);
      return true;
    }
  }
}

void ThreadPool::take_parts(uint32_t generation, ParallelTask task, void* context) {
  for (int part; claim(generation, &part);) {
    task(context, part);
    unfinished_.fetch_sub(1, std::memory_order_release);
  }
}

void ThreadPool::grow(int workers) {
  while (static_cast<int>(workers_.size()) < workers) {
    workers_.emplace_back([this] { work(); });
    pthread_setname_np(workers_.back().native_handle(), "torchts-pool");
  }
}

void ThreadPool::work() {
  uint64_t seen = 0;
  while (!stopping_) {
    uint64_t ticket = ticket_.load();
    uint32_t generation = generation_of(ticket);
    if (generation % 2 == 0 && generation != generation_of(seen)) {
      // Loaded before the claim: if the claim succeeds, they belong to its call.
      ParallelTask task = task_.load(std::memory_order_relaxed);
      void* context = context_.load(std::memory_order_relaxed);
      take_parts(generation, task, context);
      seen = ticket;
    }
    wait_for_call(seen);
  }
}

// Returns when the generation is no longer that of `seen`: spins first, then sleeps.
void ThreadPool::wait_for_call(uint64_t seen) {
  auto is_new = [&] { return stopping_ || generation_of(ticket_.load()) != generation_of(seen); };
  if (spin_until(is_new)) return;
  std::unique_lock<std::mutex> lock(sleep_mutex_);
  sleepers_++;
  wake_.wait(lock, is_new);
  sleepers_--;
}

void run_on_pool(int parts, ParallelTask task, void* context) {
  // Never destroyed: its threads may not outlive it, and the process may end while they sleep.
  static ThreadPool* pool = new ThreadPool();
  pool->run(parts, task, context);
}

}  // namespace torchts
