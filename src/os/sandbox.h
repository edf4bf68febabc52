// The cage a module's child puts itself into before it reads its parameters: no new privileges,
// capabilities, seccomp, Landlock, resource limits. What may stay is one table (sandbox_table.h),
// from declared rights. Nothing here can be undone by the process, nor by what it starts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "os/rights.h"
#include "util/expected.h"
#include "util/json.h"

namespace mig::os {

struct SandboxLimits {
  std::uint64_t memory_bytes = 512u << 20;  // address space
  std::uint64_t cpu_seconds = 0;            // processor time; 0: no limit
  std::uint64_t open_files = 1024;
};

struct SandboxRequest {
  Rights rights;
  // With kReadFiles: only what lies beneath these absolute paths can be opened; empty: everything.
  // A root that does not exist is an empty one.
  std::vector<std::string> read_roots;
  // With kChangeSystem: where it may write, and which programs it may run (absolute paths).
  std::vector<std::string> write_roots;
  std::vector<std::string> programs;
  SandboxLimits limits;
};

enum class SandboxLevel { kFull, kPartial, kNone };
std::string_view SandboxLevelName(SandboxLevel level);  // "full", "partial", "none"

struct SandboxReport {
  SandboxLevel level = SandboxLevel::kNone;
  std::vector<std::string> missing;  // "landlock: this kernel has none", for heartbeat and result
};

// Enters for good; call once, single-threaded, before reading anything that came from outside.
// Error: kUnsupported when read_roots cannot be enforced here (an order that depends on them must
// not run), kIo when the kernel refuses a step it supports. After an error the process must exit:
// it may be half inside.
Expected<SandboxReport> EnterSandbox(const SandboxRequest& request);

// What EnterSandbox would report on this machine, without entering: for the heartbeat. Cheap.
SandboxReport ProbeSandbox();

}  // namespace mig::os
