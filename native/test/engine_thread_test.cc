// The queue: order, tickets, errors, reports, and what becomes of jobs when the thread stops.
#include "engine_thread.h"

#include <chrono>
#include <memory>
#include <stdexcept>
#include <vector>

#include "check.h"

using namespace torchts;
using namespace torchts::testing;

namespace {

class FunctionJob : public Job {
 public:
  explicit FunctionJob(std::function<void()> body) : body_(std::move(body)) {}
  void execute() override { body_(); }

 private:
  std::function<void()> body_;
};

// Holds the engine thread until released.
class Gate {
 public:
  void open() { open_.store(true); }
  void pass() const {
    while (!open_.load()) std::this_thread::yield();
  }

 private:
  std::atomic<bool> open_{false};
};

}  // namespace

TEST("jobs run in order, one at a time, while the owner goes on") {
  EngineThread engine([] {});
  std::vector<int> order;
  constexpr int kJobs = 10000;
  for (int i = 0; i < kJobs; i++) {
    engine.submit(new FunctionJob([&order, i] { order.push_back(i); }), Job::After::discard);
  }
  engine.wait(engine.latest());
  CHECK(order.size() == kJobs);
  for (int i = 0; i < static_cast<int>(order.size()); i++) CHECK(order[i] == i);
}

TEST("a ticket is done when its job is, whatever is queued behind it") {
  EngineThread engine([] {});
  Gate gate;
  int value = 0;
  engine.submit(new FunctionJob([&] { value = 1; }), Job::After::discard);
  Ticket first = engine.latest();
  engine.submit(new FunctionJob([&] { gate.pass(); }), Job::After::discard);
  engine.wait(first);
  CHECK(value == 1);
  CHECK(!engine.is_done(engine.latest()));
  gate.open();
  engine.wait(engine.latest());
  CHECK(engine.is_done(engine.latest()));
}

TEST("waiting and idling longer than the spin") {
  EngineThread engine([] {});
  for (int i = 0; i < 5; i++) {
    int value = 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    engine.call([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      value = 1;
    });
    CHECK(value == 1);
  }
}

TEST("a call rethrows what its body throws, and the thread goes on") {
  EngineThread engine([] {});
  CHECK(message_of([&] { engine.call([] { throw std::runtime_error("broken"); }); }) == "broken");
  CHECK(message_of([&] { engine.call([] {}); }).empty());
}

TEST("reports come back in order, with their errors, announced once until taken") {
  std::atomic<int> announced{0};
  EngineThread engine([&] { announced++; });
  Gate gate;
  engine.submit(new FunctionJob([&] { gate.pass(); }), Job::After::discard);
  engine.submit(new FunctionJob([] {}), Job::After::report);
  engine.submit(new FunctionJob([] { throw std::runtime_error("bad"); }), Job::After::report);
  gate.open();
  engine.wait(engine.latest());
  std::unique_ptr<Job> first(engine.take_reports());
  CHECK(first != nullptr && first->error.empty());
  std::unique_ptr<Job> second(first->next);
  CHECK(second != nullptr && second->error == "bad" && second->next == nullptr);
  CHECK(engine.take_reports() == nullptr);
  engine.stop();
  CHECK(announced == 1);
}

TEST("stop drops queued jobs, but runs those that free memory") {
  EngineThread engine([] {});
  Gate started;
  Gate gate;
  bool ran = false;
  bool freed = false;
  engine.submit(new FunctionJob([&] {
                  started.open();
                  gate.pass();
                }),
                Job::After::discard);
  engine.submit(new FunctionJob([&] { ran = true; }), Job::After::report);
  engine.submit(new FunctionJob([&] { freed = true; }), Job::After::discard);
  started.pass();
  std::thread opener([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    gate.open();
  });
  engine.stop();
  opener.join();
  CHECK(!ran && freed);
}
