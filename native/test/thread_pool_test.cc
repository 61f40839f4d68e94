#include "thread_pool.h"

#include <atomic>
#include <chrono>
#include <numeric>
#include <thread>
#include <vector>

#include "check.h"

using namespace torchts;
using namespace torchts::testing;

namespace {

// How often each part of a call ran.
std::vector<int> counts_of(ThreadPool& pool, int parts) {
  std::vector<std::atomic<int>> counts(parts);
  pool.run(
      parts,
      [](void* context, int part) {
        (*static_cast<std::vector<std::atomic<int>>*>(context))[part]++;
      },
      &counts);
  return std::vector<int>(counts.begin(), counts.end());
}

}  // namespace

TEST("every part runs exactly once, whatever the number of parts") {
  ThreadPool pool;
  for (int round = 0; round < 3000; round++) {
    const int parts = round % 9;
    CHECK(counts_of(pool, parts) == std::vector<int>(parts, 1), std::to_string(parts));
  }
}

TEST("workers that fell asleep wake for the next call") {
  ThreadPool pool;
  for (int round = 0; round < 20; round++) {
    CHECK(counts_of(pool, 4) == std::vector<int>(4, 1));
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

TEST("the caller does the parts that no worker claims") {
  ThreadPool pool;
  std::vector<std::thread::id> ran(64);
  pool.run(
      64,
      [](void* context, int part) {
        (*static_cast<std::vector<std::thread::id>*>(context))[part] = std::this_thread::get_id();
      },
      &ran);
  for (std::thread::id id : ran) CHECK(id != std::thread::id());
}

TEST("two callers take turns") {
  ThreadPool pool;
  std::atomic<int> wrong{0};
  auto call = [&] {
    for (int round = 0; round < 500; round++) {
      if (counts_of(pool, 3) != std::vector<int>(3, 1)) wrong++;
    }
  };
  std::thread other(call);
  call();
  other.join();
  CHECK(wrong == 0);
}

TEST("ranges cover everything once and do not depend on who computes them") {
  parallel_runner = run_on_pool;
  for (int64_t count : {0, 1, 2, 7, 1000}) {
    for (int threads : {1, 2, 3, 8}) {
      std::vector<int> covered(count, 0);
      parallel_ranges(threads, count, [&](int64_t begin, int64_t end, int part) {
        CHECK(part >= 0 && part < threads);
        for (int64_t i = begin; i < end; i++) covered[i]++;
      });
      CHECK(std::accumulate(covered.begin(), covered.end(), int64_t{0}) == count);
      CHECK(covered == std::vector<int>(count, 1));
    }
  }
}
