#include "trust/policy_chain.h"

#include <algorithm>

#include "crypto/digest.h"

namespace mig {
namespace {

std::string Plural(std::size_t number, std::string_view noun) {
  return std::to_string(number) + " " + std::string(noun) + (number == 1 ? "" : "s");
}

// How many of the root's keys signed: keys, not signatures, so that one key that signs twice
// counts once.
std::size_t CountSigningKeys(const Root& root, const Envelope& envelope) {
  std::size_t counted = 0;
  for (const DocumentKey& document_key : root.keys) {
    const auto key = VerifyingKey::From(document_key.type, document_key.key);
    // A key that cannot verify cannot have signed; the decoder has seen to it that each is another.
    if (key && SignedBy(envelope, *key)) ++counted;
  }
  return counted;
}

Expected<void> CheckThreshold(const Root& root, const Envelope& envelope) {
  const std::size_t signing = CountSigningKeys(root, envelope);
  // A threshold of 0 would accept anything; the decoder refuses it, this does not rely on that.
  const std::size_t needed = std::max<std::size_t>(root.threshold, 1);
  if (signing >= needed) return {};
  return Error(Errc::kDenied, "signed by " + Plural(signing, "key") + " of root version " +
                                  std::to_string(root.version) + ", which demands " +
                                  std::to_string(needed));
}

Expected<void> CheckType(const Envelope& envelope, std::string_view type) {
  if (envelope.payload_type == type) return {};
  return Error(Errc::kUnsupported, "payload type `" + envelope.payload_type.substr(0, 128) +
                                       "` is not " + std::string(type));
}

// The document of version `number`; `previous` is null for version 1, whose payload the org pins.
Expected<Root> VerifyRoot(const OrgId& org, std::uint64_t number, const Root* previous,
                          const Envelope& envelope) {
  if (auto ok = CheckType(envelope, kRootType); !ok) return std::move(ok).error();
  if (previous == nullptr) {
    if (OrgOf(envelope) != org) {
      return Error(Errc::kDenied, "is the root of deployment " + OrgOf(envelope).Text() +
                                      ", not of " + org.Text());
    }
  } else if (auto ok = CheckThreshold(*previous, envelope); !ok) {
    return std::move(ok).error();
  }
  auto root = DecodeRoot(envelope.payload);
  if (!root) return std::move(root).error();
  if (root->version != number) {
    return Error(Errc::kInvalid, "has version " + std::to_string(root->version) +
                                     "; versions count 1, 2, 3, … without a gap");
  }
  if (auto ok = CheckThreshold(*root, envelope); !ok) return std::move(ok).error();
  return root;
}

}  // namespace

OrgId OrgOf(const Envelope& root_version_1) {
  auto org = OrgId::FromBytes(Sha256(root_version_1.payload));
  return org.value();  // SHA-256 has the length of an org
}

const TrustedPolicy::Signer* TrustedPolicy::FindSigner(const KeyId& key) const {
  const auto found = signers_.find(key);
  return found == signers_.end() ? nullptr : &found->second;
}

const ModuleRule* TrustedPolicy::RuleFor(std::string_view module, Kind kind) const {
  const auto& modules = policy_.modules;
  if (const auto own = modules.find(std::string(module)); own != modules.end()) return &own->second;
  const auto of_kind = policy_.kinds.find(kind);
  if (of_kind != policy_.kinds.end()) return &of_kind->second;
  const auto any = modules.find("default");
  return any == modules.end() ? nullptr : &any->second;
}

Expected<TrustedPolicy> VerifyPolicyChain(const OrgId& org, const std::vector<Envelope>& roots,
                                          const Envelope& policy) {
  if (roots.empty()) return Error(Errc::kInvalid, "the root chain is empty");
  if (roots.size() > kMaxRoots) {
    return Error(Errc::kInvalid, "the root chain has " + Plural(roots.size(), "document") +
                                     ", at most " + std::to_string(kMaxRoots) + " are read");
  }
  TrustedPolicy trusted;
  std::optional<Root> last;
  for (std::size_t i = 0; i < roots.size(); ++i) {
    auto root = VerifyRoot(org, i + 1, last ? &*last : nullptr, roots[i]);
    if (!root) return std::move(root).error().During("root version " + std::to_string(i + 1));
    trusted.root_digests_.push_back(Sha256(roots[i].payload));
    trusted.newest_time_ = std::max(trusted.newest_time_, root->issued);
    last = std::move(*root);
  }

  if (auto ok = CheckType(policy, kPolicyType); !ok) {
    return std::move(ok).error().During("policy");
  }
  if (auto ok = CheckThreshold(*last, policy); !ok) return std::move(ok).error().During("policy");
  auto decoded = DecodePolicy(policy.payload);
  if (!decoded) return std::move(decoded).error().During("policy");
  if (decoded->org != org) {
    return Error(Errc::kDenied,
                 "policy: is for deployment " + decoded->org.Text() + ", not for " + org.Text());
  }
  trusted.policy_ = std::move(*decoded);
  trusted.policy_digest_ = Sha256(policy.payload);
  trusted.newest_time_ = std::max(trusted.newest_time_, trusted.policy_.issued);

  for (const Person& person : trusted.policy_.people) {
    for (const DocumentKey& key : person.keys) {
      auto verifying = VerifyingKey::From(key.type, key.key);
      if (!verifying && verifying.error().code() == Errc::kUnsupported) continue;  // kept, unused
      if (!verifying) return std::move(verifying).error().During("policy: a key of " + person.id);
      const KeyId id = *KeyId::FromBytes(verifying->Fingerprint());
      const bool revoked = !person.active || trusted.policy_.revoked.contains(id);
      const bool added =
          trusted.signers_.emplace(id, TrustedPolicy::Signer{&person, *verifying, revoked}).second;
      // Whoever holds such a key would count as two people.
      if (!added) {
        return Error(Errc::kInvalid,
                     "policy: the key " + id.Text() + " of " + person.id + " stands there twice");
      }
    }
  }
  if (trusted.policy_.freshness) {
    for (const DocumentKey& key : trusted.policy_.freshness->keys) {
      auto verifying = VerifyingKey::From(key.type, key.key);
      if (verifying) {
        if (!trusted.policy_.revoked.contains(*KeyId::FromBytes(verifying->Fingerprint()))) {
          trusted.freshness_keys_.push_back(std::move(*verifying));
        }
      } else if (verifying.error().code() != Errc::kUnsupported) {
        return std::move(verifying).error().During("policy: freshness");
      }
    }
  }
  return trusted;
}

Expected<PolicyStep> CompareForUpdate(const TrustedPolicy& held, const TrustedPolicy& offered) {
  const std::uint64_t held_version = held.policy().version;
  const std::uint64_t offered_version = offered.policy().version;
  if (offered.root_version() < held.root_version()) {
    return Error(Errc::kDenied, "root version " + std::to_string(offered.root_version()) +
                                    " is older than version " +
                                    std::to_string(held.root_version()) + ", which is held");
  }
  for (std::size_t i = 0; i < held.root_digests().size(); ++i) {
    if (held.root_digests()[i] != offered.root_digests()[i]) {
      return Error(Errc::kDenied, "root version " + std::to_string(i + 1) +
                                      " differs from the one of that version which is held");
    }
  }
  if (offered_version < held_version) {
    return Error(Errc::kDenied, "policy version " + std::to_string(offered_version) +
                                    " is older than version " + std::to_string(held_version) +
                                    ", which is held");
  }
  if (offered_version == held_version && offered.policy_digest() != held.policy_digest()) {
    return Error(Errc::kDenied, "policy version " + std::to_string(offered_version) +
                                    " differs from the one of that version which is held");
  }
  const bool same =
      offered_version == held_version && offered.root_version() == held.root_version();
  return same ? PolicyStep::kSame : PolicyStep::kNewer;
}

}  // namespace mig
