// What every verb that talks to the API says of the policy, on stderr, when there is something to
// say (trust/policy_warnings.h).
#pragma once

#include "cli/terminal.h"
#include "trust/policy_documents.h"
#include "util/clock.h"

namespace mig {

void RemarkOnPolicy(const PolicyDocuments& documents, UtcTime now, cli::Terminal& terminal);

}  // namespace mig
