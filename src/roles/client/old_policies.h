// How many agents hold an older policy than the one in force: said where agents are listed.
#pragma once

#include <span>

#include "cli/terminal.h"
#include "util/json.h"

namespace mig {

void RemarkOnOldPolicies(std::span<const json::object> agents, std::uint64_t in_force,
                         cli::Terminal& terminal);

}  // namespace mig
