// How many agents hold an older policy than the one in force: said where people look at what goes
// on. An agent that was away when a colleague was dismissed obeys that colleague still.
#pragma once

#include <span>

#include "cli/terminal.h"
#include "roles/client/connection.h"
#include "util/json.h"

namespace mig {

// Of agents that were listed.
void RemarkOnOldPolicies(std::span<const json::object> agents, std::uint64_t in_force,
                         cli::Terminal& terminal);
// Of all, asking the server.
void RemarkOnOldPolicies(Connection& connection, cli::Terminal& terminal);

}  // namespace mig
