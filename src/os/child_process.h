// Starting another program, usually this executable again, as a child whose whole family can be
// ended: own session, own process group, pipes for its three streams, lowest priority when asked.
// The agent waits on the descriptors with its own event loop; RunChild is the simple blocking way.
// What the child then takes from itself is os/sandbox.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "os/files.h"
#include "util/bytes.h"
#include "util/expected.h"

namespace mig::os {

// The path by which this very executable can be started again, also after its file was replaced.
std::string SelfExecutable();

struct ChildOptions {
  std::string program;                   // absolute path; no search in PATH
  std::vector<std::string> argv;         // with argv[0]
  std::vector<std::string> environment;  // "NAME=value"; nothing is inherited
  bool low_priority = true;    // nice 19, batch scheduling, idle I/O, first to go out of memory
  bool capture_stderr = true;  // else the child shares ours
};

// How a child ended.
struct ChildExit {
  std::optional<int> status;  // its exit status, or
  std::optional<int> signal;  // the signal that ended it; neither: somebody else reaped it
  std::uint64_t max_resident_bytes = 0;
  std::chrono::microseconds cpu_time{0};

  bool ok() const { return status == 0; }
  std::string Describe() const;  // "exit status 2", "killed by signal 9 (Killed)"
};

// A running child. The parent's ends of the pipes are non-blocking. Destroying it kills the whole
// process group and reaps the child, so that none is ever forgotten; should this process be killed
// itself, the kernel kills the child. Start it from a thread that lives as long as it should: that
// promise of the kernel is tied to the thread (PR_SET_PDEATHSIG, prctl(2)).
class ChildProcess {
 public:
  // Error: kNotFound, kDenied, kIo; a program that cannot be executed is reported here, not as an
  // exit status.
  static Expected<ChildProcess> Start(const ChildOptions& options);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess();

  int pid() const { return pid_; }
  // Readable once the child has ended (pidfd_open(2)); invalid on kernels before 5.3, where the
  // end of stdout is the sign.
  const FileDescriptor& pidfd() const { return pidfd_; }
  FileDescriptor& stdin_pipe() { return stdin_; }  // Reset() it to give the end of input
  FileDescriptor& stdout_pipe() { return stdout_; }
  FileDescriptor& stderr_pipe() { return stderr_; }

  // SIGKILL to the whole process group. Harmless when it has ended.
  void Kill();
  // Politely: SIGTERM to the whole process group.
  void Terminate();

  // Empty while the child runs; then how it ended, the same every time. Does not block. What is
  // left of its family is killed before it is reaped.
  std::optional<ChildExit> Poll();
  // Waits for the end, without a deadline: only after Kill() or when pidfd is readable.
  ChildExit Wait();

 private:
  ChildProcess() = default;
  void Reap();

  int pid_ = -1;
  FileDescriptor pidfd_;
  FileDescriptor stdin_;
  FileDescriptor stdout_;
  FileDescriptor stderr_;
  std::optional<ChildExit> exit_;
};

struct ChildLimits {
  std::size_t stdout_bytes = 64u << 20;  // past this the child is killed
  std::size_t stderr_bytes = 64u << 10;  // past this the rest is read and dropped
};

struct ChildOutcome {
  ChildExit exit;
  Bytes stdout_bytes;
  Bytes stderr_bytes;
  bool timed_out = false;   // killed at the deadline
  bool overflowed = false;  // killed for its output
};

// Starts, feeds `input`, collects, waits, and kills the whole family after `time_limit`.
// Error: only when it cannot be started or watched.
Expected<ChildOutcome> RunChild(const ChildOptions& options, BytesView input,
                                std::chrono::milliseconds time_limit,
                                const ChildLimits& limits = {});

}  // namespace mig::os
