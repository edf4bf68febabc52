#include "trust/refusal.h"

#include <array>
#include <cassert>

namespace mig {
namespace {

struct Row {
  Refusal refusal;
  std::string_view code;
  std::string_view text;
};

// In the order of the enumeration, which is the order of the check. To add one: put it at its step
// in the enumeration and here; its code stands on the wire and in ledgers for ever.
constexpr std::array kRows = {
    Row{Refusal::kMalformed, "malformed", "The action is not well-formed."},
    Row{Refusal::kWrongOrg, "wrong_org", "The action belongs to another deployment."},
    Row{Refusal::kNoPolicy, "no_policy", "This agent holds no valid, unexpired policy."},
    Row{Refusal::kPolicyTooOld, "policy_too_old",
        "The action wants a newer policy than this agent holds."},
    Row{Refusal::kNotFresh, "not_fresh",
        "Nobody has lately vouched that this agent's policy is still the newest."},
    Row{Refusal::kBadSignature, "bad_signature", "A signature is missing or does not verify."},
    Row{Refusal::kUnknownSigner, "unknown_signer", "A signing key is not in the policy."},
    Row{Refusal::kRevokedSigner, "revoked_signer",
        "A signing key is revoked, or its owner is disabled."},
    Row{Refusal::kUnsupported, "unsupported",
        "The action asks for something unknown to this agent."},
    Row{Refusal::kWrongKind, "wrong_kind", "A module is of another kind than the action."},
    Row{Refusal::kTooLittleWeight, "too_little_weight",
        "The people who signed do not have the weight that a module needs."},
    Row{Refusal::kConstraint, "constraint", "The policy does not allow a parameter."},
    Row{Refusal::kBadParameters, "bad_parameters", "A module does not accept its parameters."},
    Row{Refusal::kNotYetValid, "not_yet_valid", "The action is not valid yet."},
    Row{Refusal::kExpired, "expired", "The action has expired."},
    Row{Refusal::kValidityTooLong, "validity_too_long",
        "The action is valid for longer than the policy allows for its kind."},
    Row{Refusal::kIdReused, "id_reused", "Another action with the same id was seen before."},
    Row{Refusal::kStopped, "stopped", "The action was stopped."},
    Row{Refusal::kNotTargeted, "not_targeted", "The target does not name this agent."},
    Row{Refusal::kNotInAudience, "not_in_audience",
        "The list of machines that its signers saw does not name this agent."},
    Row{Refusal::kLimits, "limits", "The action asks for more than the policy's ceilings."},
    Row{Refusal::kSandbox, "sandbox", "This kernel cannot confine the run as the policy demands."},
    Row{Refusal::kLedger, "ledger", "The ledger cannot be written, so nothing runs."},
};

constexpr bool InOrder() {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (static_cast<std::size_t>(kRows[i].refusal) != i) return false;
  }
  return true;
}
static_assert(InOrder());

const Row& RowOf(Refusal refusal) {
  const auto index = static_cast<std::size_t>(refusal);
  assert(index < kRows.size() && "a Refusal outside the enumeration");
  return kRows[index];
}

}  // namespace

std::string_view RefusalCode(Refusal refusal) { return RowOf(refusal).code; }
std::string_view RefusalText(Refusal refusal) { return RowOf(refusal).text; }

}  // namespace mig
