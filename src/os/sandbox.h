// The cage a module's child puts itself into before it reads its parameters: no new privileges,
// an unprivileged user, capabilities, seccomp, Landlock, resource limits. What a right leaves open
// is one table (sandbox_table_linux.h). Nothing here can be undone by the process.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "os/rights.h"
#include "util/expected.h"

namespace mig::os {

struct SandboxLimits {
  // What it may allocate beyond the program itself: address space past that of the moment of entry
  // (so that a build with sanitizers, which reserve terabytes, is bounded all the same).
  std::uint64_t memory_bytes = std::uint64_t{512} << 20;
  std::uint64_t cpu_seconds = 0;  // processor time, then SIGXCPU; 0: no limit
  std::uint64_t open_files = 1024;
};

struct SandboxRequest {
  Rights rights;
  // With kReadFiles: only what lies beneath these absolute paths can be opened; empty: everything.
  // One that does not exist opens nothing.
  std::vector<std::string> read_roots;
  SandboxLimits limits;
};

// full: all that is promised is enforced. partial: seccomp or Landlock or the drop of privileges is
// missing. none: neither seccomp nor Landlock.
enum class SandboxLevel { kFull, kPartial, kNone };
std::string_view SandboxLevelName(SandboxLevel level);  // "full", "partial", "none"

struct SandboxReport {
  SandboxLevel level = SandboxLevel::kNone;
  bool can_limit_folders = false;    // read_roots can be enforced here
  std::vector<std::string> missing;  // "landlock: …": what and why, for heartbeat and result
};

// Enters for good; call once, single-threaded, before reading anything that came from outside.
// Descriptors that are open already stay usable.
// Error: kUnsupported when read_roots cannot be enforced here (an order that depends on them must
// not run), kIo when the kernel refuses a step that it supports. After an error the process must
// exit: it may be half inside.
Expected<SandboxReport> EnterSandbox(const SandboxRequest& request);

// What EnterSandbox would report here for an ordinary module, without entering: for the heartbeat.
SandboxReport ProbeSandbox();

}  // namespace mig::os
