// Another process of this machine: what it runs, when it began, and ending it. The handle is the
// kernel's (pidfd), so that a number that was given to another process meanwhile hits nobody.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "os/files.h"
#include "util/clock.h"
#include "util/expected.h"

namespace mig::os {

// Ticks after the machine's start at which the process of this /proc/PID/stat began (proc(5), field
// 22). The name in it may hold anything, brackets too. Error: kMalformed.
Expected<std::uint64_t> StartTicks(std::string_view stat);
// The machine's start, from /proc/stat (the line `btime`). Error: kMalformed.
Expected<UtcTime> MachineStart(std::string_view stat);

class Process {
 public:
  // Error: kNotFound; kDenied; kUnsupported on kernels before 5.3.
  static Expected<Process> Open(int pid);

  // The path of its executable, as the kernel gives it: " (deleted)" after one that was replaced.
  Expected<std::string> Executable() const;
  Expected<std::vector<std::string>> Words() const;  // its command line
  Expected<UtcTime> Started() const;                 // to about a second

  bool Ended() const;
  // SIGTERM, and SIGKILL when it has not ended after `patience`. True: SIGKILL was needed. Errors:
  // kDenied; kTimeout when it lives even then.
  Expected<bool> End(std::chrono::milliseconds patience);

 private:
  Process(int pid, FileDescriptor handle) : pid_(pid), handle_(std::move(handle)) {}
  bool WaitForEnd(std::chrono::milliseconds patience) const;
  Expected<Bytes> Read(std::string_view file) const;

  int pid_;
  FileDescriptor handle_;
};

}  // namespace mig::os
