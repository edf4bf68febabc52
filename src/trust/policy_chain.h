// Whether a root chain and a policy may be believed: from the built-in org (the hash of root
// version 1) through each root signed by its own and the previous threshold, to a policy signed by
// the root threshold. Pure.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "crypto/ed25519.h"
#include "crypto/envelope.h"
#include "proto/policy.h"
#include "util/expected.h"

namespace mig {

// A policy that was verified, with its index from key to person.
class TrustedPolicy {
 public:
  const Policy& policy() const { return policy_; }
  std::uint64_t root_version() const { return root_version_; }

  struct Signer {
    const Person* person;  // never null; valid as long as the policy
    PublicKey key;
    bool revoked;  // key revoked or person not active
  };
  // Who owns the key with this fingerprint; null when the policy does not know it.
  const Signer* FindSigner(const KeyId& key) const;

  // The rule for a module: its own entry, else "default", else null.
  const ModuleRule* RuleFor(std::string_view module) const;

 private:
  friend Expected<TrustedPolicy> VerifyPolicyChain(const OrgId&, const std::vector<Envelope>&,
                                                   const Envelope&);
  Policy policy_;
  std::uint64_t root_version_ = 0;
  std::map<KeyId, Signer> signers_;
};

// Errors name the document and the reason. Expiry is not looked at here: it needs the time and is
// part of the check of an action. Root documents: versions 1, 2, 3, … without a gap.
Expected<TrustedPolicy> VerifyPolicyChain(const OrgId& org, const std::vector<Envelope>& roots,
                                          const Envelope& policy);

// The org of a deployment whose first root this is.
OrgId OrgOf(const Envelope& root_version_1);

}  // namespace mig
