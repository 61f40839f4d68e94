// Waiting without sleeping.
#pragma once

#include <sched.h>

#include <chrono>

namespace torchts {

// How long an idle thread looks for work before it sleeps: waking it costs far more than a short
// Program, and this covers the gap between two kernels or two runs.
constexpr std::chrono::microseconds kSpin{60};

// Tells the CPU that this thread only waits.
inline void pause_cpu() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Looks for `ready` for about kSpin before giving up; returns whether it came. It yields now and
// then, because on a busy machine the thread it waits for may be queued behind it on the same CPU.
template <class Ready>
bool spin_until(const Ready& ready) {
  if (ready()) return true;
  const auto end = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 16; i++) {
      if (ready()) return true;
      pause_cpu();
    }
    sched_yield();
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

}  // namespace torchts
