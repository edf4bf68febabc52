// What each right leaves open to a sandboxed process on Linux: the one table that os/sandbox.h
// enforces. To add a right, add its row; to add a system call, say in a comment who needs it.
#pragma once

#include <span>

#include "os/rights.h"

namespace mig::os {

struct SandboxRow {
  Right right;
  std::span<const int> capabilities;        // CAP_…; all others leave the bounding set
  std::span<const int> system_calls;        // allowed whatever their arguments
  std::span<const char* const> read_paths;  // what Landlock leaves readable, links followed
};

std::span<const SandboxRow> SandboxTable();

// Allowed to every module whatever the arguments: computing, memory, time, its own descriptors.
std::span<const int> SystemCallsOfEveryModule();

// Calls that no right opens and no honest module makes: they end the process, so that an exploit
// does not get a second try. (All other calls that are not allowed fail with EPERM.)
std::span<const int> DeadlySystemCalls();

}  // namespace mig::os
