// A whole chain of roots with its policy, in: as a courier brings it, and, one payload a line,
// signed here with known keys, so that what only a keeper of a root key could write is tried too.
// What is accepted is signed at every link, and cannot be shortened, cut at its head, or taken
// back.
#include <cstdint>

#include "crypto/envelope.h"
#include "proto/command.h"
#include "test/fuzz/require.h"
#include "trust/policy_chain.h"
#include "util/text.h"

namespace mig {
namespace {

using fuzz::Require;

// Root version 1 of the golden files is signed by the first. Always the same, so that a find can be
// tried again.
const std::vector<SecretKey>& Keys() {
  static const std::vector<SecretKey> keys = [] {
    std::vector<SecretKey> made;
    for (const char seed : {'\x01', '\x07', '\x08'}) {
      made.push_back(SecretKey::FromSeed(Bytes(32, seed)).value());
    }
    return made;
  }();
  return keys;
}

// Each costs three signatures here, and as many to verify.
constexpr std::size_t kMostRoots = 16;

struct Chain {
  std::vector<Envelope> roots;
  Envelope policy;
};

void CheckSigners(const TrustedPolicy& trusted) {
  for (const Person& person : trusted.policy().people) {
    for (const DocumentKey& key : person.keys) {
      const auto verifying = VerifyingKey::From(key.type, key.key);
      if (!verifying) continue;
      const auto* signer = trusted.FindSigner(*KeyId::FromBytes(verifying->Fingerprint()));
      Require(signer != nullptr && signer->person == &person, "a key belongs to its person");
      Require(person.active || signer->revoked, "who is not active signs nothing");
    }
  }
}

void Check(const Chain& chain) {
  if (chain.roots.empty()) return;
  const OrgId org = OrgOf(chain.roots.front());
  const auto trusted = VerifyPolicyChain(org, chain.roots, chain.policy);
  if (!trusted) return;
  Require(trusted->root_version() == chain.roots.size(), "roots are numbered from 1 without a gap");
  Require(trusted->policy().org == org, "a policy is for the deployment of its first root");
  CheckSigners(*trusted);
  const auto same = CompareForUpdate(*trusted, *VerifyPolicyChain(org, chain.roots, chain.policy));
  Require(same && *same == PolicyStep::kSame, "the same documents change nothing");

  Chain less = chain;
  less.policy.signatures.clear();
  Require(!VerifyPolicyChain(org, less.roots, less.policy), "a policy that nobody signed");
  for (std::size_t i = 0; i < chain.roots.size(); ++i) {
    less = chain;
    less.roots[i].signatures.clear();
    Require(!VerifyPolicyChain(org, less.roots, less.policy), "a root that nobody signed");
    less = chain;
    less.roots[i].payload += ' ';
    Require(!VerifyPolicyChain(org, less.roots, less.policy), "a root that nobody signed so");
  }
  less = chain;
  less.roots.erase(less.roots.begin());
  Require(!VerifyPolicyChain(org, less.roots, less.policy), "a chain without its head");
  less = chain;
  less.roots.pop_back();
  if (const auto shorter = VerifyPolicyChain(org, less.roots, less.policy)) {
    Require(!CompareForUpdate(*trusted, *shorter), "an agent goes back to an older root");
  }
}

void CheckAsBrought(BytesView text) {
  const auto control = DecodeControl(text);
  const auto* update = control ? std::get_if<PolicyUpdate>(&*control) : nullptr;
  if (update == nullptr || update->roots.size() > kMostRoots) return;
  Chain chain;
  for (const json::object& root : update->roots) {
    auto envelope = EnvelopeFromJson(root, "root");
    if (!envelope) return;
    chain.roots.push_back(std::move(*envelope));
  }
  auto policy = EnvelopeFromJson(update->policy, "policy");
  if (!policy) return;
  chain.policy = std::move(*policy);
  Check(chain);
}

void CheckAsSigned(BytesView text) {
  std::vector<std::string_view> payloads = Split(text, '\n');
  if (!payloads.empty() && payloads.back().empty()) payloads.pop_back();
  if (payloads.size() < 2 || payloads.size() > kMostRoots + 1) return;
  const auto sign = [](std::string_view type, std::string_view payload) {
    Envelope envelope{std::string(type), Bytes(payload), {}};
    for (const SecretKey& key : Keys()) AddSignature(envelope, key);
    return envelope;
  };
  Chain chain;
  chain.policy = sign(kPolicyType, payloads.back());
  payloads.pop_back();
  for (const std::string_view payload : payloads) chain.roots.push_back(sign(kRootType, payload));
  Check(chain);
}

}  // namespace
}  // namespace mig

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const mig::BytesView text(reinterpret_cast<const char*>(data), size);
  mig::CheckAsBrought(text);
  mig::CheckAsSigned(text);
  return 0;
}
