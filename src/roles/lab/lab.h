// The lab: a whole deployment on this machine, for trying mig out, for learning, for tests.
// Throw-away keys, nothing outside its folder, every role a process of its own, TLS on every hop.
//
//   mig lab up [--dir DIR] [--agents N]   makes it (once), starts it, asks it a question
//   mig lab status [--json]               what runs
//   mig lab logs [ROLE] [-f]              what the processes wrote
//   mig lab stop|start ROLE               one process, to see what the others do without it
//   mig lab down [--purge]                stops it; with --purge its data is gone, too
//   mig lab supervise                     the process that keeps the others running (hidden)
#pragma once

#include <span>
#include <string>

namespace mig {

int RunLab(std::span<const std::string> arguments);

}  // namespace mig
