// The scheduler: turns signed actions into commands, sends them to agents by way of the relays, and
// stores what agents answer. `mig scheduler --config FILE` (examples/config/scheduler.yaml).
#pragma once

#include <span>
#include <string>

namespace mig {

// Returns the exit status when it was stopped by SIGTERM or could not start. SIGHUP reads log level
// and policy again.
int RunScheduler(std::span<const std::string> arguments);

}  // namespace mig
