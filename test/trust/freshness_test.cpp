#include "trust/freshness.h"

#include <catch2/catch.hpp>

#include "test/deployment.h"

namespace mig {
namespace {

TEST_CASE("freshness: a statement by a freshness key about this very policy is believed",
          "[trust]") {
  const Deployment deployment;
  const auto fresh =
      VerifyFreshness(deployment.SignedFreshness(deployment.now), deployment.Trusted());
  REQUIRE(fresh);
  CHECK(fresh->time == deployment.now);
  CHECK(fresh->policy == deployment.policy.version);
}

TEST_CASE("freshness: people and root keys do not sign it", "[trust]") {
  const Deployment deployment;
  const Bytes payload = EncodeFreshness(deployment.FreshnessAt(deployment.now));
  const TrustedPolicy trusted = deployment.Trusted();
  for (const SecretKey* key :
       {&deployment.ann, &deployment.bob, &deployment.eve, &deployment.root_key}) {
    const auto fresh = VerifyFreshness(Seal(kFreshnessType, payload, *key), trusted);
    REQUIRE_FALSE(fresh);
    CHECK(fresh.error().code() == Errc::kDenied);
  }
}

TEST_CASE("freshness: a revoked freshness key vouches for nothing", "[trust]") {
  Deployment deployment;
  deployment.policy.revoked.insert(Deployment::IdOf(deployment.clock_key));
  CHECK_FALSE(VerifyFreshness(deployment.SignedFreshness(deployment.now), deployment.Trusted()));
}

TEST_CASE("freshness: a statement about an older or another policy is not believed", "[trust]") {
  Deployment deployment;
  const Envelope before = deployment.SignedFreshness(deployment.now);
  ++deployment.policy.version;
  CHECK(VerifyFreshness(before, deployment.Trusted()).error().message() ==
        "freshness: speaks of policy version 3, held is version 4");
  --deployment.policy.version;
  deployment.policy.people[1].active = false;
  CHECK(VerifyFreshness(before, deployment.Trusted()).error().message() ==
        "freshness: speaks of another policy that is also version 3, held is version 3");
}

TEST_CASE("freshness: the signature binds type, deployment and time", "[trust]") {
  const Deployment deployment;
  const TrustedPolicy trusted = deployment.Trusted();
  Freshness foreign = deployment.FreshnessAt(deployment.now);
  foreign.org = OrgId::FromBytes(Bytes(32, 'x')).value();
  CHECK_FALSE(VerifyFreshness(Seal(kFreshnessType, EncodeFreshness(foreign), deployment.clock_key),
                              trusted));
  Envelope other_type = Seal(kActionType, EncodeFreshness(deployment.FreshnessAt(deployment.now)),
                             deployment.clock_key);
  CHECK_FALSE(VerifyFreshness(other_type, trusted));
  other_type.payload_type = kFreshnessType;
  CHECK_FALSE(VerifyFreshness(other_type, trusted));
  Envelope later = deployment.SignedFreshness(deployment.now);
  later.payload = EncodeFreshness(deployment.FreshnessAt(deployment.now + std::chrono::hours(1)));
  CHECK_FALSE(VerifyFreshness(later, trusted));
}

}  // namespace
}  // namespace mig
