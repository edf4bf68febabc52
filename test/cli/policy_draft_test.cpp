#include "cli/policy_draft.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>

#include "cli/key_line.h"
#include "cli/policy_words.h"
#include "cli/signing_bundle.h"
#include "crypto/digest.h"
#include "test/deployment.h"

using namespace mig;
using namespace mig::cli;

namespace {

const DraftFacts kFacts{OrgId(), 3, TimeAt("2026-11-23T12:00:00Z")};

Policy Draft(const std::string& text) {
  auto policy = ReadPolicyDraft(text, "policy.yaml", kFacts);
  INFO(text);
  if (!policy) FAIL(policy.error().message());
  return std::move(*policy);
}

std::string Why(const std::string& text) {
  auto policy = ReadPolicyDraft(text, "policy.yaml", kFacts);
  REQUIRE_FALSE(policy);
  return policy.error().message();
}

// `name` is the owner's, the key any.
std::string Line(const std::string& name) {
  return WriteKeyLine(Deployment::KeyOf(SecretKey::Generate()), name);
}

std::string Two() {
  return "people:\n  ann: {name: Ann, keys: [\"" + Line("Ann") +
         "\"]}\n  bob: {name: Bob, keys: [\"" + Line("Bob") + "\"]}\n";
}

bool Says(const std::vector<std::string>& words, const std::string& sentence) {
  return std::find(words.begin(), words.end(), sentence) != words.end();
}

SecretKeySigner SignerOf(const SecretKey& key) {
  return SecretKeySigner({"Keeper", UtcTime(), SecretKey::FromSeed(key.Seed()).value()}, "a key");
}

}  // namespace

TEST_CASE("policy draft: every example is a policy, also after it was written anew", "[cli]") {
  int count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(MIG_SOURCE_DIR) + "/examples/policies")) {
    INFO(entry.path());
    std::ifstream in(entry.path());
    const Policy policy = Draft({std::istreambuf_iterator<char>(in), {}});
    CHECK(EncodePolicy(Draft(WritePolicyDraft(policy))) == EncodePolicy(policy));
    ++count;
  }
  CHECK(count >= 2);
}

TEST_CASE("policy draft: what is absent has the defaults of a first draft", "[cli]") {
  const Policy policy = Draft(Two());
  CHECK(policy.version == 3);
  CHECK(policy.expires == kFacts.issued + std::chrono::hours(90 * 24));
  CHECK(policy.validity.at(Kind::kRespond) == std::chrono::hours(1));
  CHECK_FALSE(policy.freshness);
  CHECK(Draft(Two() + "expires: 2027-01-01T00:00:00Z\n").expires == TimeAt("2027-01-01T00:00:00Z"));
}

TEST_CASE("policy draft: errors name the field", "[cli]") {
  CHECK(Why("people: {ann: {name: Ann, keys: [x]}}\n").find("people.ann.keys[0]") !=
        std::string::npos);
  CHECK(Why(Two() + "kinds: {respond: {minimumweight: 1, weights: {carol: 1}}}\n").find("carol") !=
        std::string::npos);
  CHECK(Why(Two() + "expires: soon\n").find("expires") != std::string::npos);
  CHECK(Why(Two() + "version: 7\n").find("added when the draft is signed") != std::string::npos);
  CHECK(Why(Two() + "nonsense: 1\n").find("nonsense") != std::string::npos);
}

TEST_CASE("policy changes: what a person gains and loses is said, and what follows", "[cli]") {
  const Policy before =
      Draft(Two() + "kinds:\n  respond: {minimumweight: 2, weights: {ann: 1, bob: 1}}\n");
  CHECK(PolicyChanges(before, before).empty());
  Policy after = before;
  after.kinds[Kind::kRespond].weights["ann"] = 2;
  CHECK(Says(PolicyChanges(before, after), "ann weighs 2 instead of 1 for `respond`"));
  CHECK(Says(PolicyChanges(before, after), "ann alone is now enough for `respond`"));
  after = before;
  after.people[1].active = false;
  CHECK(Says(PolicyChanges(before, after),
             "nobody can reach what `respond` needs: all who can sign weigh 1 together, of 2"));
  after = before;
  after.revoked.insert(KeyId::FromBytes(Sha256(MaterialOf(before.people[1].keys[0]))).value());
  CHECK(Says(PolicyChanges(before, after),
             "nobody can reach what `respond` needs: all who can sign weigh 1 together, of 2"));
}

TEST_CASE("policy changes: no field changes without a sentence", "[cli]") {
  const Policy before = Draft(
      Two() + "kinds: {investigate: {minimumweight: 1, weights: {ann: 1}}}\nfreshness: {keys: [\"" +
      Line("f") + "\"]}\n");
  const std::vector<std::function<void(Policy&)>> changes = {
      [](Policy& p) { p.people[0].name = "Anna"; },
      [](Policy& p) { p.people[0].active = false; },
      [](Policy& p) { p.people[0].keys.clear(); },
      [](Policy& p) { p.people.pop_back(); },
      [](Policy& p) { p.expires += std::chrono::hours(1); },
      [](Policy& p) { p.ceilings.seconds += 1; },
      [](Policy& p) { p.ceilings.rss += 1; },
      [](Policy& p) { p.ceilings.cpu += 1; },
      [](Policy& p) { p.ceilings.rows += 1; },
      [](Policy& p) { p.ceilings.bytes += 1; },
      [](Policy& p) { p.validity.erase(Kind::kAdmin); },
      [](Policy& p) { p.require_full_sandbox = true; },
      [](Policy& p) { p.freshness->age = std::chrono::hours(1); },
      [](Policy& p) { p.freshness.reset(); },
      [](Policy& p) {
        p.enrolment = EnrolmentRule{1, {{"ann", 1}}};
      },
      [](Policy& p) {
        p.modules["ping"] = ModuleRule{1, {}, {}};
      },
      [](Policy& p) { p.kinds[Kind::kInvestigate].constraints.paths = {"/etc"}; },
      [](Policy& p) { p.kinds[Kind::kInvestigate].constraints.parameters["a"] = {"b"}; },
      [](Policy& p) { p.kinds[Kind::kInvestigate].minimumweight = 2; },
      [](Policy& p) { p.tags[AgentId()]["a"] = "b"; },
      [](Policy& p) { p.revoked.insert(KeyId()); },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    Policy after = before;
    changes[i](after);
    INFO(i);
    CHECK_FALSE(PolicyChanges(before, after).empty());
    CHECK_FALSE(PolicyChanges(after, before).empty());
  }
}

TEST_CASE("signing: twelve root versions, each signed by old and new keepers, lead to a policy",
          "[cli]") {
  Deployment deployment;
  std::vector<SecretKey> keepers;
  SigningBundle bundle;
  Root root;
  root.issued = deployment.now;
  root.threshold = 1;
  keepers.push_back(SecretKey::Generate());
  root.keys = {Deployment::KeyOf(keepers.back())};
  bundle.roots.push_back(Unsigned(kRootType, EncodeRoot(root)));
  Policy policy = deployment.policy;
  policy.org = bundle.org();
  bundle.policy = Unsigned(kPolicyType, EncodePolicy(policy));
  auto first = SignerOf(keepers[0]);
  REQUIRE(SignBundle(bundle, first)->size() == 2);
  const SigningBundle version_1 = bundle;
  for (int version = 2; version <= 12; ++version) {
    keepers.push_back(SecretKey::Generate());
    root.version = static_cast<std::uint64_t>(version);
    root.keys = {Deployment::KeyOf(keepers.back())};
    bundle.roots.push_back(Unsigned(kRootType, EncodeRoot(root)));
    auto incoming = SignerOf(keepers.back());
    REQUIRE(SignBundle(bundle, incoming)->size() == 2);  // the root and the policy
    // The new keeper alone is not enough.
    CHECK_FALSE(MissingIn(bundle)->empty());
    CHECK_FALSE(VerifyPolicyChain(bundle.org(), bundle.roots, *bundle.policy));
    auto outgoing = SignerOf(keepers[keepers.size() - 2]);
    REQUIRE(SignBundle(bundle, outgoing));
    CHECK(MissingIn(bundle)->empty());
  }
  auto held = VerifyPolicyChain(bundle.org(), version_1.roots, *version_1.policy);
  auto offered = VerifyPolicyChain(bundle.org(), bundle.roots, *bundle.policy);
  REQUIRE(held);
  REQUIRE(offered);
  CHECK(offered->root_version() == 12);
  CHECK(*CompareForUpdate(*held, *offered) == PolicyStep::kNewer);
  CHECK_FALSE(CompareForUpdate(*offered, *held));
  auto stranger = SignerOf(deployment.eve);
  CHECK(SignBundle(bundle, stranger).error().code() == Errc::kDenied);
}

TEST_CASE("signing: documents without signatures yet survive their file", "[cli]") {
  SigningBundle bundle;
  bundle.roots.push_back(Unsigned(kRootType, Deployment().root_envelope.payload));
  const auto back = ReadSigningBundle(WriteSigningBundle(bundle));
  REQUIRE(back);
  CHECK(back->roots[0].payload == bundle.roots[0].payload);
  CHECK(back->roots[0].signatures.empty());
  CHECK_FALSE(ReadSigningBundle("{\"roots\": []}"));
}
