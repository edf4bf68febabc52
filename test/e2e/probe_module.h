// The probe: a module without rights that tries what a module must not be able to do, and some
// that just misbehave. It exists only in test executables.
#pragma once

#include "modules/module.h"

namespace mig {

// For RegisterTestModule. Its parameter `attempt` names what to try:
//   connect write exec ptrace mount shadow signal memory forkbomb   tried once, outcome reported
//   ignoreterm hang crash throw garbage                             never a proper answer
//   rows      `count` elements
//   nothing   an ordinary empty answer
// and `target` what to try it on: "127.0.0.1:PORT" for connect, a path for write and mount
// (default: /mnt), a process id for signal and ptrace (default: the parent). For memory `count`
// says how many MiB. The outcome is one element {"attempt": …, "outcome": "done" | "denied",
// "reason": …} under the label "probe"; foundanything is whether it was done.
const Module& ProbeModule();

// Of kind `respond`, as far as the declaration goes: it answers, and does nothing.
const Module& ProbeActModule();

}  // namespace mig
