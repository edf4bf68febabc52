// Whether the policy that an agent holds is known to be the newest still (proto/freshness.h). Pure.
#pragma once

#include <optional>
#include <string>

#include "crypto/envelope.h"
#include "proto/freshness.h"
#include "trust/policy_chain.h"
#include "util/clock.h"
#include "util/expected.h"

namespace mig {

// How far ahead of the agent's time a statement may be: clocks differ a little. One from further
// ahead would be fresh for as long.
inline constexpr std::chrono::minutes kFreshnessSkew{5};

// The statement, when a freshness key of the policy signed it and it speaks of this very policy:
// deployment, version and digest. Error: kDenied and why not; kMalformed, kInvalid, kUnsupported as
// decoders say.
Expected<Freshness> VerifyFreshness(const Envelope& envelope, const TrustedPolicy& policy);

// Nothing when `held`, which VerifyFreshness believed for this policy, is fresh at `now` (the
// agent's time); else why not, in words. Null: there is none.
std::optional<std::string> CheckFreshness(const Freshness* held, const TrustedPolicy& policy,
                                          UtcTime now);

}  // namespace mig
