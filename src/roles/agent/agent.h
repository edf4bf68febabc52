// `mig agent`: the part of mig on every machine. It takes signed actions from a relay, checks each
// itself, runs what it accepts in sandboxed children, and answers with signed parts.
//
//   mig agent --config FILE                  runs until SIGTERM; SIGHUP reads the log level again
//   mig agent --config FILE --check-config   says whether the file is right, and ends
//   mig agent report --config FILE [--json]  prints the ledger for the owner of the machine
//
// Exit status: 0; 2 for a wrong command line or configuration; 1 when it could not start or, of a
// report, when the ledger does not verify.
#pragma once

#include <span>
#include <string>

namespace mig {

int RunAgent(std::span<const std::string> arguments);

}  // namespace mig
