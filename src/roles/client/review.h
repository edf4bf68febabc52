// What a person sees before signing what somebody else wrote. The server shows it, and is not
// believed: the envelope is checked here, against the policy that verifies from the configured org,
// and exactly the bytes that were explained are signed.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "cli/api_client.h"
#include "cli/exit_status.h"
#include "cli/terminal.h"
#include "crypto/envelope.h"
#include "crypto/signer.h"
#include "proto/action.h"
#include "trust/policy_chain.h"

namespace mig {

struct Review {
  Envelope envelope;  // the payload, with the signatures that verify
  Action action;
  std::set<std::string> people;  // ids of those whose signatures these are
  // Why other signatures were left out (somebody was revoked meanwhile, or worse).
  std::vector<std::string> left_out;
};

// Errors: kDenied: no signature of a person of the policy, or for another deployment; kMalformed:
// not what was asked for.
Expected<Review> ReviewShown(const cli::ActionInfo& shown, const ActionId& asked,
                             const TrustedPolicy& policy);

// Who signs with that key. Error: kDenied: nobody whom the policy lets.
Expected<const Person*> PersonOf(const Signer& signer, const TrustedPolicy& policy);

// Whether the person's signature adds weight where some is missing.
bool AddsWeight(const Review& review, const Person& person, const TrustedPolicy& policy);

// The explanation, what was left out, and how it differs from what this person saw before; and
// remembers it as seen. `machines`: as the server counts them.
void ShowReview(const Review& review, const TrustedPolicy& policy,
                std::optional<std::uint64_t> machines, cli::Terminal& terminal);

}  // namespace mig
