// `mig relay`: the MQTT broker between scheduler, API and agents, as a process.
#pragma once

#include <span>
#include <string>

namespace mig {

// Runs until SIGTERM or SIGINT; returns the exit status. SIGHUP reads certificate, key, CAs,
// revocation lists and log level again.
int RunRelay(std::span<const std::string> arguments);

}  // namespace mig
