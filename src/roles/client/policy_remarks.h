// What every verb that talks to the API says of the policy, on stderr, when there is something to
// say (trust/policy_warnings.h).
#pragma once

#include "cli/api_client.h"
#include "cli/terminal.h"
#include "proto/kind.h"
#include "trust/policy_documents.h"
#include "util/clock.h"

namespace mig {

// Before a person signs an action of that kind: whether every agent would refuse it now, for want
// of a fresh word about the policy; in red, with what to do first. Nothing for what only looks.
void RemarkOnFreshness(Kind kind, const PolicyDocuments& documents, UtcTime now,
                       cli::Terminal& terminal);
// The same, asking the server.
void RemarkOnFreshness(Kind kind, cli::ApiClient& api, cli::Terminal& terminal);

void RemarkOnPolicy(const PolicyDocuments& documents, UtcTime now, cli::Terminal& terminal);

}  // namespace mig
