// Whether a root chain and a policy may be believed: from the built-in org (the hash of root
// version 1) through each root signed by its own and the previous threshold, to a policy signed by
// the root threshold; and whether one believed policy may take the place of another. Pure.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "crypto/envelope.h"
#include "crypto/verifying_key.h"
#include "proto/policy.h"
#include "util/expected.h"

namespace mig {

// More root versions than any deployment will see; bounds what one message can make an agent do.
inline constexpr std::size_t kMaxRoots = 256;

// A policy that was verified, with its index from key to person. Moves, but does not copy: the
// index points into it.
class TrustedPolicy {
 public:
  TrustedPolicy(TrustedPolicy&&) = default;
  TrustedPolicy& operator=(TrustedPolicy&&) = default;

  const Policy& policy() const { return policy_; }
  std::uint64_t root_version() const { return root_digests_.size(); }
  // The latest time that a root-signed document of the chain states: what it was issued at, never
  // when it expires. Raises the agent's time floor.
  UtcTime newest_time() const { return newest_time_; }

  struct Signer {
    const Person* person;  // never null; valid as long as the policy
    VerifyingKey key;
    bool revoked;  // key revoked or person not active
  };
  // Who owns the key with this fingerprint; null when the policy does not know it.
  const Signer* FindSigner(const KeyId& key) const;

  // The rule for a module of that kind: its own entry, else the kind's, else "default", else null.
  const ModuleRule* RuleFor(std::string_view module, Kind kind) const;

  // The unrevoked keys that sign freshness statements.
  const std::vector<VerifyingKey>& freshness_keys() const { return freshness_keys_; }

  // SHA-256 of the payloads, root version 1 first.
  const std::vector<Bytes>& root_digests() const { return root_digests_; }
  const Bytes& policy_digest() const { return policy_digest_; }

 private:
  friend Expected<TrustedPolicy> VerifyPolicyChain(const OrgId&, const std::vector<Envelope>&,
                                                   const Envelope&);
  TrustedPolicy() = default;

  Policy policy_;
  UtcTime newest_time_;
  std::vector<Bytes> root_digests_;
  Bytes policy_digest_;
  std::map<KeyId, Signer> signers_;
  std::vector<VerifyingKey> freshness_keys_;
};

// Errors name the document and the reason (kDenied: not signed as it must be). Expiry is not looked
// at here: it needs the time and is part of the check of an action. Root documents: versions 1, 2,
// 3, … without a gap. No payload is parsed before it is known to be the built-in one (root version
// 1) or signed by keys that are believed already; root N's own threshold comes after that, because
// its keys stand in the payload.
Expected<TrustedPolicy> VerifyPolicyChain(const OrgId& org, const std::vector<Envelope>& roots,
                                          const Envelope& policy);

// The org of a deployment whose first root this is.
OrgId OrgOf(const Envelope& root_version_1);

enum class PolicyStep { kSame, kNewer };

// Whether `offered` may replace `held`. Versions never go back, neither the roots' nor the
// policy's; and one version has one content: two documents that both carry it show a stolen key or
// a careless hand, and the one held first stays. Error: kDenied, naming both versions.
Expected<PolicyStep> CompareForUpdate(const TrustedPolicy& held, const TrustedPolicy& offered);

}  // namespace mig
