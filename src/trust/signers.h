// Who signed an envelope, and what they weigh: the rules on signatures that the agent's check and
// the API's share (trust/authorisation.h). Pure.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "crypto/envelope.h"
#include "proto/action.h"
#include "trust/policy_chain.h"
#include "trust/refusal.h"

namespace mig {

struct Signers {
  std::optional<Refused> refused;
  std::set<std::string> people;  // ids; each counts once, however many of their keys signed
};

// Every signature must verify, at least one, by known, unrevoked keys of active people: one bad or
// unknown signature refuses the whole envelope. Looks at the bytes of the payload only as a whole.
//
// `keyid` chooses the key that a signature is tried with, nothing else: a wrong one can only make a
// good signature fail. `form` is not looked at, the key's type in the policy is the algorithm.
Signers CheckSigners(const Envelope& envelope, const TrustedPolicy& policy);

// For every operation the weights of the people must reach the minimum of its module.
std::optional<Refused> CheckWeights(const std::vector<Operation>& operations,
                                    const std::set<std::string>& people,
                                    const TrustedPolicy& policy);

}  // namespace mig
