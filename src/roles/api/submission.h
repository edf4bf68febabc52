// A posted action: what can be refused before it is stored. The agents decide for themselves; what
// is refused here is refused early, with the same reason code and a better place to read it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proto/action.h"
#include "roles/api/answer.h"
#include "store/server_tx.h"
#include "trust/policy_chain.h"
#include "util/clock.h"

namespace mig::api {

// Ids of 100,000 machines in base64, and an envelope.
inline constexpr std::size_t kMostAudience = 100'000;
inline constexpr std::size_t kMaxPostedBytes = 4608 * 1024;

struct Submission {
  store::NewAction row;
  std::vector<std::string> people;  // ids of those who signed
  // It was signed for an audience whose ids were not posted with it: well where they are stored
  // already, because somebody else signed it before.
  bool audience_missing = false;
  std::vector<Attachment> attachments;

  std::optional<Answer> refused;  // then nothing else counts
};

// `body` as posted: the envelope, or {"action": envelope, "audience": base64 of the ids}. Checks
// its form, signatures, whether the ids are those of the signed audience, time, kinds, parameters
// of the modules that this executable knows, and ceilings.
Submission CheckSubmission(BytesView body, const TrustedPolicy& policy, UtcTime now);

// The same when the action waits in the store for more signatures: `body` with those of `stored`,
// an envelope of the same payload, as far as the policy still knows their keys.
Submission JoinSubmission(BytesView stored, BytesView body, const TrustedPolicy& policy,
                          UtcTime now);

// 202 {"id", "status", "weight_reached", "people"}.
Answer SubmittedAnswer(const Submission& submission, ActionStatus status);

}  // namespace mig::api
