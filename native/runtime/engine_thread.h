// The one thread that loads and runs Programs, and its queue of jobs.
//
// Libraries that keep state for each thread that calls them, such as OpenMP with its pool of
// workers, see this thread only. Jobs run in the order of submission; each has a ticket, and a
// buffer that remembers the ticket of its latest job can be waited for without stopping the rest.
// One other thread, the owner (JavaScript's), submits and waits.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace torchts {

using Ticket = uint64_t;  // 0 is always done

class Job {
 public:
  virtual ~Job() = default;
  virtual void execute() = 0;

  // Who takes the job once it is done: the submitter, who waits for the ticket and reads `error`;
  // the owner's `take_reports`; or nobody, and the thread deletes it.
  enum class After { submitter, report, discard };

  std::string error;  // what execute threw; empty when it did not
  Job* next = nullptr;
  After after = After::submitter;
  Ticket ticket = 0;
};

class EngineThread {
 public:
  // `notify` is called on the engine thread when reports wait to be taken and none did before.
  explicit EngineThread(std::function<void()> notify);
  ~EngineThread();
  EngineThread(const EngineThread&) = delete;
  EngineThread& operator=(const EngineThread&) = delete;

  void submit(Job* job, Job::After after);
  // Runs a callable as a job and waits for it. Throws std::runtime_error with its message.
  void call(const std::function<void()>& body);
  // The ticket of the job submitted last.
  Ticket latest() const { return submitted_.load(std::memory_order_relaxed); }
  bool is_done(Ticket ticket) const { return done_.load(std::memory_order_acquire) >= ticket; }
  void wait(Ticket ticket);
  // Finished jobs of kind `report`, oldest first, linked by `next`; the caller owns them.
  Job* take_reports();
  // Finishes the running job and ends the thread. Jobs still queued are deleted without running,
  // save for the discarded ones, which free memory. Called once, before destruction at the latest.
  void stop();

 private:
  struct List {
    Job* first = nullptr;
    Job* last = nullptr;

    void push(Job* job);
    Job* take_all();
  };

  void loop();
  Job* next_jobs();
  void finish(Job* job);

  const std::function<void()> notify_;
  const bool may_spin_;  // not on a machine with a single CPU

  std::mutex mutex_;  // guards queue_, reports_, sleeping_, stopping_
  std::condition_variable work_;
  std::condition_variable finished_;
  List queue_;
  List reports_;
  bool sleeping_ = false;
  std::atomic<bool> stopping_{false};
  std::atomic<Ticket> submitted_{0};
  std::atomic<Ticket> done_{0};
  std::atomic<int> waiters_{0};
  std::thread thread_;
};

}  // namespace torchts
