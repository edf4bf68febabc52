// Which deployment the agent belongs to and where its API is: from the configuration, from the
// enrolment token, and, once enrolled, from what was recorded then, so that the token can go away.
// Pure.
#pragma once

#include <optional>
#include <string>

#include "proto/access.h"
#include "roles/agent/agent_config.h"

namespace mig::agent {

struct DeploymentFacts {
  OrgId org;
  std::string api;  // https://host:port
};

// All that say something about org must say the same: an agent never changes its deployment. The
// configuration's API goes before the token's, that before the recorded one.
// Error: kInvalid, and what to write into the configuration.
Expected<DeploymentFacts> ResolveDeployment(const AgentConfig& config,
                                            const std::optional<EnrolToken>& token,
                                            const std::optional<DeploymentFacts>& recorded);

// The file enrolment.json.
Bytes WriteDeploymentFacts(const DeploymentFacts& facts);
Expected<DeploymentFacts> ReadDeploymentFacts(BytesView text);

}  // namespace mig::agent
