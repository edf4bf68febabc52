// What the store takes over from a policy that came into force.
#pragma once

#include "store/server_tx.h"
#include "trust/policy_chain.h"
#include "util/clock.h"
#include "util/expected.h"

namespace mig::api {

// People for display, and the tags that count by it.
Expected<void> TakePolicy(store::ServerTx& tx, const TrustedPolicy& policy, UtcTime now);

}  // namespace mig::api
