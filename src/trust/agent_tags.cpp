#include "trust/agent_tags.h"

#include <algorithm>

#include "trust/signers.h"

namespace mig {

Expected<GrantStanding> StandingOfGrant(const Envelope& envelope, const TrustedPolicy& policy) {
  if (envelope.payload_type != kGrantType) {
    return Error(Errc::kUnsupported, "grant: payload type `" +
                                         envelope.payload_type.substr(0, 128) + "` is not " +
                                         std::string(kGrantType));
  }
  const auto& rule = policy.policy().enrolment;
  if (!rule) {
    return Error(Errc::kDenied, "grant: policy version " + std::to_string(policy.policy().version) +
                                    " lets nobody grant tags (it has no `enrolment`)");
  }
  const Signers signers = CheckSigners(envelope, policy);
  if (signers.refused) return Error(Errc::kDenied, "grant: " + signers.refused->detail);
  auto grant = DecodeGrant(envelope.payload);
  if (!grant) return std::move(grant).error();
  if (grant->org != policy.policy().org) {
    return Error(Errc::kDenied, "grant: is of deployment " + grant->org.Text());
  }
  GrantStanding standing;
  standing.grant = std::move(*grant);
  standing.people.assign(signers.people.begin(), signers.people.end());
  standing.weight = WeightOf(signers.people, rule->weights);
  standing.needed = std::max<std::uint64_t>(rule->minimumweight, 1);
  return standing;
}

Expected<Grant> VerifyGrant(const Envelope& envelope, BytesView token_hash,
                            const TrustedPolicy& policy) {
  auto standing = StandingOfGrant(envelope, policy);
  if (!standing) return std::move(standing).error();
  if (!standing->reached()) {
    return Error(Errc::kDenied, "grant: its signers weigh " + std::to_string(standing->weight) +
                                    " to enrol, needed is " + std::to_string(standing->needed));
  }
  if (standing->grant.token != token_hash) {
    return Error(Errc::kDenied, "grant: is that of another token");
  }
  return std::move(standing->grant);
}

AgentTags TagsOf(const AgentId& agent, const Envelope* grant, BytesView token_hash,
                 const TrustedPolicy& policy) {
  AgentTags tags;
  const auto given = policy.policy().tags.find(agent);
  if (given != policy.policy().tags.end()) tags.known = given->second;
  if (grant == nullptr) return tags;
  if (auto granted = VerifyGrant(*grant, token_hash, policy)) {
    tags.known.merge(granted->tags);  // keeps what is there
  } else {
    tags.complete = false;
  }
  return tags;
}

}  // namespace mig
