#include "batch_stream.h"

#include <pthread.h>

#include <stdexcept>
#include <string>

#include "spin.h"

namespace torchts {

BatchStream::BatchStream(uint64_t batches, uint64_t ahead, std::function<void(uint64_t batch)> fill)
    : batches_(batches), fill_(std::move(fill)), room_(ahead), thread_([this] { run(); }) {
  pthread_setname_np(thread_.native_handle(), "torchts-batches");
}

BatchStream::~BatchStream() { close(); }

void BatchStream::close() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

uint64_t BatchStream::take() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (taken_ == batches_) {
    throw std::invalid_argument("[batches] all " + std::to_string(batches_) + " were taken");
  }
  return taken_++;
}

void BatchStream::wait(uint64_t batch) {
  const auto is_filled = [&] { return filled_.load(std::memory_order_acquire) > batch; };
  if (spin_until(is_filled)) return;
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, is_filled);
}

void BatchStream::make_room() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    room_++;
  }
  changed_.notify_all();
}

void BatchStream::run() {
  for (uint64_t batch = 0; batch < batches_; batch++) {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      const auto not_wanted = [&] { return stopping_ && batch >= taken_; };
      changed_.wait(lock, [&] { return batch < room_ || not_wanted(); });
      if (not_wanted()) return;
    }
    fill_(batch);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      filled_.store(batch + 1, std::memory_order_release);
    }
    changed_.notify_all();
  }
}

}  // namespace torchts
