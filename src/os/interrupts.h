// Ctrl-C and the like as something that a running verb is told, instead of its end.
#pragma once

#include <chrono>

namespace mig::os {

// While it lives, SIGINT, SIGTERM and SIGHUP do not end the process: each is counted, and `wake` is
// called inside the signal handler, so it may only do what is async-signal-safe (signal-safety(7)).
// At most one at a time. Restores what was before.
class Interrupts {
 public:
  Interrupts(void (*wake)(void* context), void* context);
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  ~Interrupts();

  int count() const;        // how many came so far
  bool terminated() const;  // one of them was SIGTERM or SIGHUP: nobody is there to press again

  // Waits until another one comes than the `seen` that the caller knows of; false after `limit`.
  bool WaitForMore(int seen, std::chrono::milliseconds limit) const;
};

}  // namespace mig::os
