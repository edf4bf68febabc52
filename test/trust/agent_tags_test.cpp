#include "trust/agent_tags.h"

#include <catch2/catch.hpp>

#include "test/deployment.h"

namespace mig {
namespace {

const Bytes kToken(32, 't');

AgentId Agent() { return AgentId::FromBytes(Bytes(AgentId::kBytes, 'm')).value(); }

Grant GrantOf(const Deployment& deployment) {
  Grant grant;
  grant.org = deployment.org;
  grant.token = kToken;
  grant.tags = {{"operator", "it"}, {"rack", "r1"}};
  grant.uses = 5;
  grant.issued = deployment.now;
  grant.expires = deployment.now + std::chrono::hours(1);
  return grant;
}

Envelope Signed(const Grant& grant, std::initializer_list<const SecretKey*> keys) {
  Envelope envelope{std::string(kGrantType), EncodeGrant(grant), {}};
  for (const SecretKey* key : keys) AddSignature(envelope, *key);
  return envelope;
}

TEST_CASE("agent tags: a grant signed by who may enrol gives its tags", "[trust]") {
  const Deployment deployment;
  const Envelope grant = Signed(GrantOf(deployment), {&deployment.ann});
  const AgentTags tags = TagsOf(Agent(), &grant, kToken, deployment.Trusted());
  CHECK(tags.complete);
  CHECK(tags.known == Tags{{"operator", "it"}, {"rack", "r1"}});
}

TEST_CASE("agent tags: the policy's own go before those of a grant", "[trust]") {
  Deployment deployment;
  deployment.policy.tags[Agent()] = {{"rack", "r9"}, {"site", "north"}};
  const Envelope grant = Signed(GrantOf(deployment), {&deployment.ann});
  const AgentTags tags = TagsOf(Agent(), &grant, kToken, deployment.Trusted());
  CHECK(tags.known == Tags{{"operator", "it"}, {"rack", "r9"}, {"site", "north"}});
  CHECK(TagsOf(Agent(), nullptr, "", deployment.Trusted()).known ==
        Tags{{"rack", "r9"}, {"site", "north"}});
}

TEST_CASE("agent tags: who has no weight to enrol grants nothing", "[trust]") {
  Deployment deployment;
  const Envelope by_eve = Signed(GrantOf(deployment), {&deployment.eve});
  CHECK_FALSE(VerifyGrant(by_eve, kToken, deployment.Trusted()));
  const Envelope by_nobody = Signed(GrantOf(deployment), {});
  CHECK_FALSE(VerifyGrant(by_nobody, kToken, deployment.Trusted()));
  const Envelope by_ann = Signed(GrantOf(deployment), {&deployment.ann});
  deployment.policy.enrolment->weights.erase("ann");
  CHECK_FALSE(VerifyGrant(by_ann, kToken, deployment.Trusted()));
  deployment.policy.enrolment.reset();
  CHECK_FALSE(VerifyGrant(by_ann, kToken, deployment.Trusted()));
}

TEST_CASE("agent tags: two keys of one person do not enrol as two people", "[trust]") {
  Deployment deployment;
  deployment.policy.enrolment->minimumweight = 2;
  const Grant grant = GrantOf(deployment);
  CHECK_FALSE(VerifyGrant(Signed(grant, {&deployment.ann, &deployment.ann_other}), kToken,
                          deployment.Trusted()));
  CHECK(
      VerifyGrant(Signed(grant, {&deployment.ann, &deployment.bob}), kToken, deployment.Trusted()));
}

TEST_CASE("agent tags: a server cannot hand out the grant of another token", "[trust]") {
  const Deployment deployment;
  const Envelope grant = Signed(GrantOf(deployment), {&deployment.ann});
  CHECK(VerifyGrant(grant, Bytes(32, 'u'), deployment.Trusted()).error().message() ==
        "grant: is that of another token");
}

TEST_CASE("agent tags: when the granting key is revoked they are unknown, not absent", "[trust]") {
  Deployment deployment;
  deployment.policy.revoked.insert(Deployment::IdOf(deployment.ann));
  const Envelope grant = Signed(GrantOf(deployment), {&deployment.ann});
  const AgentTags tags = TagsOf(Agent(), &grant, kToken, deployment.Trusted());
  CHECK_FALSE(tags.complete);
  CHECK(tags.known.empty());
}

TEST_CASE("agent tags: a grant of another deployment, or altered, gives nothing", "[trust]") {
  const Deployment deployment;
  Grant foreign = GrantOf(deployment);
  foreign.org = OrgId::FromBytes(Bytes(32, 'x')).value();
  CHECK_FALSE(VerifyGrant(Signed(foreign, {&deployment.ann}), kToken, deployment.Trusted()));
  Envelope altered = Signed(GrantOf(deployment), {&deployment.ann});
  Grant richer = GrantOf(deployment);
  richer.tags["operator"] = "security";
  altered.payload = EncodeGrant(richer);
  CHECK_FALSE(VerifyGrant(altered, kToken, deployment.Trusted()));
}

}  // namespace
}  // namespace mig
