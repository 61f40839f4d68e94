#include "engine_thread.h"

#include <pthread.h>

#include <memory>
#include <stdexcept>

#include "machine.h"
#include "spin.h"

namespace torchts {
namespace {

// Spins where another CPU can do the work meanwhile.
template <class Ready>
bool spin_if(bool may_spin, const Ready& ready) {
  return may_spin ? spin_until(ready) : ready();
}

class CallJob : public Job {
 public:
  explicit CallJob(const std::function<void()>& body) : body_(body) {}
  void execute() override { body_(); }

 private:
  const std::function<void()>& body_;
};

}  // namespace

void EngineThread::List::push(Job* job) {
  job->next = nullptr;
  (last == nullptr ? first : last->next) = job;
  last = job;
}

Job* EngineThread::List::take_all() {
  Job* taken = first;
  first = last = nullptr;
  return taken;
}

EngineThread::EngineThread(std::function<void()> notify)
    : notify_(std::move(notify)), may_spin_(available_cpus() > 1), thread_([this] { loop(); }) {
  pthread_setname_np(thread_.native_handle(), "torchts-engine");
}

EngineThread::~EngineThread() { stop(); }

void EngineThread::submit(Job* job, Job::After after) {
  job->after = after;
  std::unique_lock<std::mutex> lock(mutex_);
  const Ticket ticket = submitted_.load(std::memory_order_relaxed) + 1;
  job->ticket = ticket;
  job->error.clear();
  queue_.push(job);
  submitted_.store(ticket, std::memory_order_release);
  const bool wake = sleeping_;
  lock.unlock();
  if (wake) work_.notify_one();
}

void EngineThread::call(const std::function<void()>& body) {
  CallJob job(body);
  submit(&job, Job::After::submitter);
  wait(latest());
  if (!job.error.empty()) throw std::runtime_error(job.error);
}

void EngineThread::wait(Ticket ticket) {
  if (spin_if(may_spin_, [&] { return is_done(ticket); })) return;
  std::unique_lock<std::mutex> lock(mutex_);
  waiters_.fetch_add(1);  // sequentially consistent, as is finish(): one of the two sees the other
  finished_.wait(lock, [&] { return done_.load() >= ticket; });
  waiters_.fetch_sub(1);
}

Job* EngineThread::take_reports() {
  std::lock_guard<std::mutex> lock(mutex_);
  return reports_.take_all();
}

void EngineThread::loop() {
  while (Job* jobs = next_jobs()) {
    while (jobs != nullptr) {
      Job* job = jobs;
      jobs = job->next;
      const bool dropped = stopping_.load(std::memory_order_relaxed);
      if (!dropped || job->after == Job::After::discard) {
        try {
          job->execute();
        } catch (const std::exception& error) {
          job->error = error.what();
        }
      }
      finish(job);
    }
  }
}

// The whole queue at once, or null when the thread has to end.
Job* EngineThread::next_jobs() {
  const Ticket seen = done_.load(std::memory_order_relaxed);
  auto ready = [&] {
    return submitted_.load(std::memory_order_acquire) != seen ||
           stopping_.load(std::memory_order_relaxed);
  };
  const bool hot = spin_if(may_spin_, ready);
  std::unique_lock<std::mutex> lock(mutex_);
  if (!hot) {
    sleeping_ = true;
    work_.wait(lock, ready);
    sleeping_ = false;
  }
  return queue_.take_all();
}

void EngineThread::finish(Job* job) {
  const Ticket ticket = job->ticket;
  bool first_report = false;
  switch (job->after) {
    case Job::After::submitter:
      break;
    case Job::After::report: {
      std::lock_guard<std::mutex> lock(mutex_);
      first_report = reports_.first == nullptr;
      reports_.push(job);
      break;
    }
    case Job::After::discard:
      delete job;
      break;
  }
  done_.store(ticket);  // from here on a waiting submitter may destroy its job
  if (waiters_.load() > 0) {
    std::lock_guard<std::mutex> lock(mutex_);
    finished_.notify_all();
  }
  if (first_report && !stopping_.load()) notify_();
}

void EngineThread::stop() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_.store(true);
  }
  work_.notify_one();
  thread_.join();
  for (Job* job = take_reports(); job != nullptr;) {
    std::unique_ptr<Job> done(job);
    job = job->next;
  }
}

}  // namespace torchts
