// What the agent says of itself when nobody asks: heartbeats with its environment, and its presence
// when it comes and goes. Pure over values that others found out.
#pragma once

#include <cstdint>
#include <string>

#include "proto/result.h"
#include "roles/agent/command_desk.h"
#include "roles/agent/self_facts.h"

namespace mig::agent {

// One run of the process: two copies of one key, on a cloned machine, differ in this.
struct Boot {
  std::string id;  // random
  UtcTime started;
  std::string host;  // empty: not told (several agents run here on purpose)
  std::uint64_t pid = 0;
};
Boot MakeBoot(UtcTime now);
// As MakeBoot, of an agent that wants to be the only one of its deployment on this machine.
Boot MakeLoneBoot(UtcTime now, const OrgId& org);

Heartbeat MakeHeartbeat(const Self& self, const Boot& boot, const SandboxFacts& sandbox,
                        std::uint64_t policy, const LedgerMark& ledger, UtcTime now);

Presence MakePresence(const AgentId& agent, const Boot& boot, bool on, UtcTime now);

// What the machine says of itself now.
Environment EnvironmentNow();

}  // namespace mig::agent
