#include "roles/client/review.h"

#include <algorithm>

#include "cli/client_config.h"
#include "cli/explanation.h"
#include "cli/reviewed_actions.h"
#include "trust/signers.h"
#include "trust/standing.h"
#include "util/text.h"

namespace mig {
namespace {

void ShowChange(const Review& review, cli::Terminal& terminal) {
  auto folder = cli::UserStateFolder(cli::ProcessEnvironment);
  if (!folder) {
    terminal.Remark("Whether you saw it before cannot be told: " + folder.error().message());
    return;
  }
  const cli::ReviewedActions reviewed(*folder / "reviewed");
  const auto earlier = reviewed.FindEarlier(review.action, review.envelope.payload);
  if (earlier) {
    terminal.Data("\n");
    terminal.Data(earlier->same_id ? "WARNING: under this id you saw something else at "
                                   : "changed since you saw one of this author and name at ");
    terminal.Data(FormatRfc3339(earlier->seen) + ":\n" +
                  cli::PayloadDiff(earlier->payload, review.envelope.payload));
    // The first content of an id stays what later ones are compared with.
    if (earlier->same_id) return;
  }
  auto kept = reviewed.Remember(review.action.id, review.envelope.payload, Now());
  if (!kept) {
    terminal.Remark("A changed version could not be told from this one later: " +
                    kept.error().message());
  }
}

}  // namespace

Expected<Review> ReviewShown(const cli::ActionInfo& shown, const ActionId& asked,
                             const TrustedPolicy& policy) {
  if (!shown.envelope || !shown.action || shown.action->id != asked) {
    return Error(Errc::kMalformed, "the server does not show what was asked for");
  }
  if (shown.action->org != policy.policy().org) {
    return Error(Errc::kDenied,
                 "the action is for another deployment, " + shown.action->org.Text());
  }
  Review review{{shown.envelope->payload_type, shown.envelope->payload, {}}, *shown.action, {}, {}};
  for (const Signature& signature : shown.envelope->signatures) {
    const Envelope alone{review.envelope.payload_type, review.envelope.payload, {signature}};
    Signers signers = CheckSigners(alone, policy);
    if (signers.refused) {
      review.left_out.push_back(std::string(RefusalCode(signers.refused->code)) + ": " +
                                signers.refused->detail);
      continue;
    }
    review.envelope.signatures.push_back(signature);
    review.people.merge(signers.people);
  }
  if (!review.people.empty()) return review;
  return Error(Errc::kDenied,
               "no person of the policy has signed it, whatever the server says" +
                   (review.left_out.empty() ? "" : " (" + review.left_out.front() + ")"));
}

Expected<const Person*> PersonOf(const Signer& signer, const TrustedPolicy& policy) {
  auto key = KeyId::FromBytes(signer.Fingerprint());
  if (!key) return std::move(key).error();
  const TrustedPolicy::Signer* known = policy.FindSigner(*key);
  const std::string what = "the key in " + signer.key().source + " (id " + key->Text() + ") ";
  const std::string version = std::to_string(policy.policy().version);
  if (known == nullptr) return Error(Errc::kDenied, what + "is not in policy version " + version);
  if (!known->revoked) return known->person;
  return Error(Errc::kDenied,
               what + "is revoked, or its owner disabled, in policy version " + version);
}

bool AddsWeight(const Review& review, const Person& person, const TrustedPolicy& policy) {
  const std::vector<ModuleStanding> standings = Standings(review.action, review.people, policy);
  return std::any_of(standings.begin(), standings.end(), [&](const ModuleStanding& standing) {
    return !standing.Reached() &&
           std::any_of(standing.candidates.begin(), standing.candidates.end(),
                       [&](const auto& candidate) { return candidate.person->id == person.id; });
  });
}

void ShowReview(const Review& review, const TrustedPolicy& policy,
                std::optional<std::uint64_t> machines, cli::Terminal& terminal) {
  terminal.Data(
      cli::Explain(cli::Explained{review.envelope, review.action, &policy, machines, Now()}));
  for (const std::string& reason : review.left_out) {
    terminal.Data("            left out, a signature that does not count: " +
                  EscapeForTerminal(reason) + "\n");
  }
  ShowChange(review, terminal);
}

}  // namespace mig
