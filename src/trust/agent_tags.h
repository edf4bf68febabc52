// Which tags an agent has: what the policy says of it, then what the grant of its enrolment token
// says, when the people whom the policy lets have signed that. Neither endpoint nor server can make
// one up. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crypto/envelope.h"
#include "proto/grant.h"
#include "trust/policy_chain.h"
#include "util/expected.h"

namespace mig {

// What the signatures on a grant are worth, also before enough people have signed it.
struct GrantStanding {
  Grant grant;
  std::vector<std::string> people;  // ids of those who signed
  std::uint64_t weight = 0, needed = 0;

  bool reached() const { return weight >= needed; }
};
// Every signature must be good. Errors: as VerifyGrant, but for weight and token.
Expected<GrantStanding> StandingOfGrant(const Envelope& envelope, const TrustedPolicy& policy);

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
