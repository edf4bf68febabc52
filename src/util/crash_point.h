// Named places where a test kills the process: before and after every write and every send.
// In the shipped executable no hook exists and a crash point is one load and a branch; the test
// executable installs a hook (test/e2e/test_hooks.cpp). Names are "role.what.when", for example
// "agent.outbox.stored".
#pragma once

namespace mig {

using CrashHook = void (*)(const char* name);

// Null unless a test executable set it before main.
extern CrashHook crash_hook;

inline void CrashPoint(const char* name) {
  if (crash_hook != nullptr) crash_hook(name);
}

}  // namespace mig
