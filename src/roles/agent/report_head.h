// The head of `mig agent report`: the policy by which the agent decides, until when it holds, and
// what the owner of the machine should hear about it (trust/policy_warnings.h).
#pragma once

#include <optional>
#include <string>

#include "proto/ids.h"
#include "store/agent_db.h"
#include "util/clock.h"
#include "util/json.h"

namespace mig::agent {

struct ReportHead {
  std::string text;   // lines, each with its newline
  json::value facts;  // the same for programs; null: no policy that verifies
};

// What `state` says to somebody who trusts `org`. Nothing for org: the agent has not enrolled yet.
// The agent's time is the clock `now`, or its time floor where that is higher.
ReportHead HeadOf(const std::optional<OrgId>& org, const store::AgentDb::TrustState& state,
                  UtcTime now);

}  // namespace mig::agent
