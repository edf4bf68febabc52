// Which tags an agent has: what the policy says of it, then what the grant of its enrolment token
// says, when the people whom the policy lets have signed that. Neither endpoint nor server can make
// one up. Pure.
#pragma once

#include <optional>

#include "crypto/envelope.h"
#include "proto/grant.h"
#include "trust/policy_chain.h"
#include "util/expected.h"

namespace mig {

// The grant, when people of enough weight (the policy's `enrolment`) signed it for this deployment
// and for the token whose secret has this SHA-256. Its times are not looked at: they bound
// enrolling, not the tags. Error: kDenied and why; kMalformed, kInvalid, kUnsupported as decoders
// say.
Expected<Grant> VerifyGrant(const Envelope& envelope, BytesView token_hash,
                            const TrustedPolicy& policy);

struct AgentTags {
  Tags known;  // the policy's before the grant's
  // False: there is a grant that cannot be believed now, so what is not in `known` is not known to
  // be absent either.
  bool complete = true;
};

// `grant`: null for an agent that enrolled with a token without one. `token_hash` as above.
AgentTags TagsOf(const AgentId& agent, const Envelope* grant, BytesView token_hash,
                 const TrustedPolicy& policy);

}  // namespace mig
