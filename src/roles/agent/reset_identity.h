// `mig agent reset-identity`: another key for a machine that is a copy of another one. The old key
// is kept aside, the ledger goes on and says what happened, and the agent has to be enrolled anew.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "proto/ids.h"
#include "roles/agent/agent_config.h"
#include "util/clock.h"
#include "util/expected.h"

namespace mig::agent {

struct ResetIdentity {
  AgentId before, now;
  std::filesystem::path old_key;  // where it is kept
};

// Only while no agent runs in this directory. Killed at any moment it leaves the old identity or
// the new one; then it can be called again. Errors: kExists: an agent runs; kNotFound: there is no
// identity yet.
Expected<ResetIdentity> ResetTheIdentity(const AgentConfig& config, UtcTime now);

int RunResetIdentity(std::span<const std::string> arguments);

}  // namespace mig::agent
