#include "trust/policy_chain.h"

#include <catch2/catch.hpp>

#include "test/deployment.h"

namespace mig {
namespace {

bool Says(const Error& error, std::string_view words) {
  return error.message().find(words) != std::string::npos;
}

// Root version 2 with its own keys and threshold, signed by `signers`.
Envelope NextRoot(const Deployment& deployment, std::vector<DocumentKey> keys,
                  std::initializer_list<const SecretKey*> signers, std::uint64_t version = 2,
                  std::uint32_t threshold = 1) {
  Root root;
  root.version = version;
  root.threshold = threshold;
  root.keys = std::move(keys);
  root.issued = deployment.now;
  Envelope envelope{std::string(kRootType), EncodeRoot(root), {}};
  for (const SecretKey* key : signers) AddSignature(envelope, *key);
  return envelope;
}

TEST_CASE("policy chain: one root and a policy signed by it are believed", "[trust]") {
  const Deployment deployment;
  const TrustedPolicy trusted = deployment.Trusted();
  CHECK(trusted.root_version() == 1);
  CHECK(trusted.policy().version == 3);
  const auto* signer = trusted.FindSigner(Deployment::IdOf(deployment.ann_other));
  REQUIRE(signer != nullptr);
  CHECK(signer->person->id == "ann");
  CHECK_FALSE(signer->revoked);
  CHECK(trusted.FindSigner(Deployment::IdOf(deployment.eve)) == nullptr);
  CHECK(trusted.FindSigner(Deployment::IdOf(deployment.root_key)) == nullptr);
}

TEST_CASE("policy chain: the index survives a move", "[trust]") {
  const Deployment deployment;
  TrustedPolicy first = deployment.Trusted();
  const TrustedPolicy second = std::move(first);
  CHECK(second.FindSigner(Deployment::IdOf(deployment.bob))->person == &second.policy().people[1]);
}

TEST_CASE("policy chain: another deployment's root is refused", "[trust]") {
  const Deployment ours;
  const Deployment theirs;
  const auto trusted = VerifyPolicyChain(ours.org, {theirs.root_envelope}, theirs.PolicyEnvelope());
  REQUIRE_FALSE(trusted);
  CHECK(trusted.error().code() == Errc::kDenied);
  CHECK(Says(trusted.error(), "root version 1"));
}

TEST_CASE("policy chain: no root, a policy in its place, or a root in the policy's", "[trust]") {
  const Deployment deployment;
  CHECK_FALSE(VerifyPolicyChain(deployment.org, {}, deployment.PolicyEnvelope()));
  CHECK_FALSE(VerifyPolicyChain(deployment.org, {deployment.PolicyEnvelope()},
                                deployment.PolicyEnvelope()));
  CHECK_FALSE(
      VerifyPolicyChain(deployment.org, {deployment.root_envelope}, deployment.root_envelope));
}

TEST_CASE("policy chain: root version 1 must carry its own signature", "[trust]") {
  const Deployment deployment;
  Envelope bare = deployment.root_envelope;
  bare.signatures.clear();
  CHECK_FALSE(VerifyPolicyChain(deployment.org, {bare}, deployment.PolicyEnvelope()));
  AddSignature(bare, deployment.eve);
  CHECK_FALSE(VerifyPolicyChain(deployment.org, {bare}, deployment.PolicyEnvelope()));
}

TEST_CASE("policy chain: a policy that the root keys did not sign is refused", "[trust]") {
  const Deployment deployment;
  Envelope policy{std::string(kPolicyType), EncodePolicy(deployment.policy), {}};
  AddSignature(policy, deployment.ann);
  const auto trusted = VerifyPolicyChain(deployment.org, {deployment.root_envelope}, policy);
  REQUIRE_FALSE(trusted);
  CHECK(trusted.error().code() == Errc::kDenied);
  CHECK(Says(trusted.error(), "policy: signed by 0 keys of root version 1, which demands 1"));

  Envelope altered = deployment.PolicyEnvelope();
  altered.payload[altered.payload.find("\"version\":3") + 10] = '4';
  CHECK_FALSE(VerifyPolicyChain(deployment.org, {deployment.root_envelope}, altered));
}

TEST_CASE("policy chain: the policy of another deployment under the same key is refused",
          "[trust]") {
  Deployment deployment;
  deployment.policy.org = OrgId();
  const auto trusted =
      VerifyPolicyChain(deployment.org, {deployment.root_envelope}, deployment.PolicyEnvelope());
  REQUIRE_FALSE(trusted);
}

TEST_CASE("policy chain: a threshold counts distinct keys, not signatures", "[trust]") {
  Deployment deployment;
  const SecretKey second = SecretKey::Generate();
  deployment.root.keys.push_back(Deployment::KeyOf(second));
  deployment.root.threshold = 2;
  deployment.root_envelope = Seal(kRootType, EncodeRoot(deployment.root), deployment.root_key);
  deployment.org = deployment.policy.org = OrgOf(deployment.root_envelope);
  AddSignature(deployment.root_envelope, deployment.root_key);
  Envelope policy = deployment.PolicyEnvelope();
  AddSignature(policy, deployment.root_key);
  CHECK_FALSE(VerifyPolicyChain(deployment.org, {deployment.root_envelope}, policy));

  AddSignature(deployment.root_envelope, second);
  CHECK_FALSE(VerifyPolicyChain(deployment.org, {deployment.root_envelope}, policy));
  AddSignature(policy, second);
  CHECK(VerifyPolicyChain(deployment.org, {deployment.root_envelope}, policy));
}

TEST_CASE("policy chain: the next root is signed by its own keys and the previous ones",
          "[trust]") {
  const Deployment deployment;
  const SecretKey fresh = SecretKey::Generate();
  const auto both =
      NextRoot(deployment, {Deployment::KeyOf(fresh)}, {&deployment.root_key, &fresh});
  const auto old_only = NextRoot(deployment, {Deployment::KeyOf(fresh)}, {&deployment.root_key});
  const auto new_only = NextRoot(deployment, {Deployment::KeyOf(fresh)}, {&fresh});
  Envelope policy{std::string(kPolicyType), EncodePolicy(deployment.policy), {}};
  AddSignature(policy, fresh);

  const auto trusted = VerifyPolicyChain(deployment.org, {deployment.root_envelope, both}, policy);
  REQUIRE(trusted);
  CHECK(trusted->root_version() == 2);
  CHECK(trusted->newest_time() == deployment.now);
  CHECK_FALSE(VerifyPolicyChain(deployment.org, {deployment.root_envelope, old_only}, policy));
  CHECK_FALSE(VerifyPolicyChain(deployment.org, {deployment.root_envelope, new_only}, policy));
  // The old root key is out: what it alone signs counts no more.
  CHECK_FALSE(VerifyPolicyChain(deployment.org, {deployment.root_envelope, both},
                                deployment.PolicyEnvelope()));
  // The chain starts with version 1.
  CHECK_FALSE(VerifyPolicyChain(deployment.org, {both}, policy));
}

TEST_CASE("policy chain: root versions count without a gap", "[trust]") {
  const Deployment deployment;
  const std::vector<DocumentKey> keys = {Deployment::KeyOf(deployment.root_key)};
  const Envelope second = NextRoot(deployment, keys, {&deployment.root_key});
  const Envelope third = NextRoot(deployment, keys, {&deployment.root_key}, 3);
  const Envelope policy = deployment.PolicyEnvelope();
  CHECK(VerifyPolicyChain(deployment.org, {deployment.root_envelope, second, third}, policy));
  const auto gap = VerifyPolicyChain(deployment.org, {deployment.root_envelope, third}, policy);
  REQUIRE_FALSE(gap);
  CHECK(Says(gap.error(), "root version 2: has version 3"));
  CHECK_FALSE(
      VerifyPolicyChain(deployment.org, {deployment.root_envelope, second, second}, policy));
  CHECK_FALSE(VerifyPolicyChain(
      deployment.org, std::vector<Envelope>(kMaxRoots + 1, deployment.root_envelope), policy));
}

TEST_CASE("policy chain: a revoked key and a disabled person's keys are marked", "[trust]") {
  Deployment deployment;
  deployment.policy.revoked.insert(Deployment::IdOf(deployment.ann));
  deployment.policy.people[1].active = false;
  const TrustedPolicy trusted = deployment.Trusted();
  CHECK(trusted.FindSigner(Deployment::IdOf(deployment.ann))->revoked);
  CHECK_FALSE(trusted.FindSigner(Deployment::IdOf(deployment.ann_other))->revoked);
  CHECK(trusted.FindSigner(Deployment::IdOf(deployment.bob))->revoked);
}

TEST_CASE("policy chain: one key with two people makes the policy invalid", "[trust]") {
  Deployment deployment;
  deployment.policy.people[1].keys.push_back(Deployment::KeyOf(deployment.ann));
  CHECK_FALSE(
      VerifyPolicyChain(deployment.org, {deployment.root_envelope}, deployment.PolicyEnvelope()));
}

TEST_CASE("policy chain: a module's rule is its own, its kind's or the default, never a mix",
          "[trust]") {
  Deployment deployment;
  deployment.policy.modules["file"] = ModuleRule{2, {{"bob", 2}}, {}};
  const TrustedPolicy trusted = deployment.Trusted();
  CHECK(trusted.RuleFor("file", Kind::kInvestigate)->weights.count("ann") == 0);
  CHECK(trusted.RuleFor("other", Kind::kInvestigate)->weights.count("ann") == 1);
  CHECK(trusted.RuleFor("other", Kind::kRespond)->minimumweight == 1);
  deployment.policy.kinds[Kind::kRespond] = ModuleRule{3, {{"bob", 2}}, {}};
  const TrustedPolicy with_kind = deployment.Trusted();
  CHECK(with_kind.RuleFor("other", Kind::kRespond)->minimumweight == 3);
  CHECK(with_kind.RuleFor("file", Kind::kRespond)->minimumweight == 2);
  CHECK(with_kind.RuleFor("other", Kind::kAdmin)->minimumweight == 1);
  deployment.policy.modules.erase("default");
  CHECK(deployment.Trusted().RuleFor("other", Kind::kInvestigate) == nullptr);
  CHECK(deployment.Trusted().RuleFor("other", Kind::kRespond) != nullptr);
}

TEST_CASE("policy update: a newer version replaces, an older never", "[trust]") {
  Deployment deployment;
  const TrustedPolicy held = deployment.Trusted();
  CHECK(CompareForUpdate(held, held).value() == PolicyStep::kSame);
  deployment.policy.version = 4;
  CHECK(CompareForUpdate(held, deployment.Trusted()).value() == PolicyStep::kNewer);
  deployment.policy.version = 2;
  const auto back = CompareForUpdate(held, deployment.Trusted());
  REQUIRE_FALSE(back);
  CHECK(Says(back.error(), "policy version 2 is older than version 3"));
}

TEST_CASE("policy update: one version has one content", "[trust]") {
  Deployment deployment;
  const TrustedPolicy held = deployment.Trusted();
  deployment.policy.people[0].name = "Somebody else";
  CHECK_FALSE(CompareForUpdate(held, deployment.Trusted()));
}

TEST_CASE("policy update: roots grow, and neither shrink nor differ", "[trust]") {
  Deployment deployment;
  const std::vector<DocumentKey> keys = {Deployment::KeyOf(deployment.root_key)};
  const auto chain = [&](const std::vector<Envelope>& roots) {
    return std::move(*VerifyPolicyChain(deployment.org, roots, deployment.PolicyEnvelope()));
  };
  const Envelope second = NextRoot(deployment, keys, {&deployment.root_key});
  deployment.now += std::chrono::hours(1);
  const Envelope other_second = NextRoot(deployment, keys, {&deployment.root_key});
  const TrustedPolicy one = deployment.Trusted();
  const TrustedPolicy two = chain({deployment.root_envelope, second});
  CHECK(CompareForUpdate(one, two).value() == PolicyStep::kNewer);
  CHECK_FALSE(CompareForUpdate(two, one));
  const auto fork = CompareForUpdate(two, chain({deployment.root_envelope, other_second}));
  REQUIRE_FALSE(fork);
  CHECK(Says(fork.error(), "root version 2 differs"));
  // A newer policy does not make an older root chain good.
  deployment.policy.version = 9;
  CHECK_FALSE(CompareForUpdate(two, deployment.Trusted()));
}

}  // namespace
}  // namespace mig
