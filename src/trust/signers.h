// Who signed an envelope, of whatever type, and what they weigh: the rules on signatures that the
// agent's check and the API's share (trust/authorisation.h). Pure.
#pragma once

#include <cstdint>
#include <map>
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

// What the people weigh together by these weights; who is not named weighs nothing.
std::uint64_t WeightOf(const std::set<std::string>& people,
                       const std::map<std::string, std::uint32_t>& weights);

// For every operation the weights of the people must reach the minimum of its module, all of which
// are of that kind. A stop has no operations: any one active person may give it.
std::optional<Refused> CheckWeights(const std::vector<Operation>& operations, Kind kind,
                                    const std::set<std::string>& people,
                                    const TrustedPolicy& policy);

}  // namespace mig
