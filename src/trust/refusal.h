// Why an agent refuses an action: one code for each step of the check (DESIGN section 4), in the
// order of the check. Codes are on the wire and in ledgers: never rename one.
#pragma once

#include <string>
#include <string_view>

namespace mig {

enum class Refusal {
  kMalformed,      // envelope not well-formed, or too large
  kWrongOrg,       // another deployment's action
  kNoPolicy,       // root chain or policy missing, not valid, or expired
  kPolicyTooOld,   // the action wants a newer policy than the agent holds
  kNotFresh,       // nobody has said lately that the policy is still the newest (to change things)
  kBadSignature,   // some signature does not verify, or there is none
  kUnknownSigner,  // some key is not in the policy
  kRevokedSigner,  // the key is revoked, or its person disabled
  kUnsupported,    // a signed payload that this build cannot read, or a module it lacks
  kWrongKind,      // a module of another kind than the action's
  kTooLittleWeight,  // distinct people weigh less than the module's minimum
  kConstraint,       // a parameter that the policy does not allow
  kBadParameters,    // the module refuses its parameters
  kNotYetValid,
  kExpired,
  kValidityTooLong,  // longer than the policy allows for this kind
  kIdReused,         // same id, other bytes
  kStopped,          // a stop for this id came before
  kNotTargeted,      // the target does not name this agent
  kNotInAudience,    // it changes something, and its signers did not see this agent in its list
  kLimits,           // above the policy's ceilings
  kSandbox,          // the policy wants a full sandbox, this kernel has none
  kLedger,           // the ledger cannot be written: nothing runs
};

std::string_view RefusalCode(Refusal refusal);  // "bad_signature", …
std::string_view RefusalText(Refusal refusal);  // one plain sentence

struct Refused {
  Refusal code;
  std::string detail;  // for people: names the signer, module, parameter or time
};

}  // namespace mig
