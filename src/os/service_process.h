// Starting a program that stays: a role under the lab's supervisor, or the supervisor itself. What
// answers one question and goes away is os/child_process.h.
#pragma once

#include <string>
#include <vector>

#include "os/files.h"
#include "util/expected.h"

namespace mig::os {

struct ServiceOptions {
  std::string program;            // absolute path; no search in PATH
  std::vector<std::string> argv;  // with argv[0]
  int stdout_fd = -1;             // ours, kept open here; -1: /dev/null
  int stderr_fd = -1;
  // Handed over as descriptors 3, 4, … with LISTEN_FDS and LISTEN_PID set (sd_listen_fds(3)).
  std::vector<int> listen_fds;
  // SIGKILL when the thread that started it ends: it is not to outlive its supervisor, whose place
  // another one will take.
  bool dies_with_us = true;
};

// A started program: not killed when this value goes away, but reaped by whoever polls it.
class ServiceProcess {
 public:
  // The environment is ours, without LISTEN_FDS and LISTEN_PID of our own. stdin is /dev/null, the
  // working folder is /, and it leads a session of its own. Call it from a process without other
  // threads. Error: kNotFound, kDenied, kIo; also when the program cannot be executed.
  static Expected<ServiceProcess> Start(const ServiceOptions& options);

  int pid() const { return pid_; }
  // Readable once it has ended (pidfd_open(2)).
  const FileDescriptor& pidfd() const { return pidfd_; }

  // SIGTERM or SIGKILL to the whole group; harmless when it has ended.
  void Terminate();
  void Kill();

  // True once it has ended; then `how` says "exit status 2" or "killed by signal 9 (Killed)".
  // Reaps. Does not block.
  bool Ended(std::string* how);

 private:
  ServiceProcess(int pid, FileDescriptor pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  int pid_;  // -1 once it was reaped
  FileDescriptor pidfd_;
};

}  // namespace mig::os
