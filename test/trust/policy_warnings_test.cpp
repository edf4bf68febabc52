#include "trust/policy_warnings.h"

#include "test/deployment.h"
#include "trust/freshness.h"

using namespace mig;
using std::chrono::hours;
using std::chrono::minutes;

namespace {

struct Warned {
  Deployment deployment;
  SecretKey fresh = SecretKey::Generate();
  UtcTime expires = deployment.policy.expires;

  Warned() { deployment.policy.freshness = FreshnessRule{{Deployment::KeyOf(fresh)}, hours(24)}; }
  std::vector<PolicyWarning> At(UtcTime now, std::optional<UtcTime> stated) const {
    const TrustedPolicy trusted = deployment.Trusted();
    if (!stated) return WarningsAbout(trusted, nullptr, now);
    const Freshness freshness{deployment.org, deployment.policy.version, trusted.policy_digest(),
                              *stated};
    return WarningsAbout(trusted, &freshness, now);
  }
};

}  // namespace

TEST_CASE("policy warnings: none while there is time and a fresh word", "[trust]") {
  const Warned scene;
  CHECK(scene.At(scene.expires - hours(15 * 24), scene.expires - hours(15 * 24)).empty());
}

TEST_CASE("policy warnings: expiry is said two weeks ahead, and urgently from three days on",
          "[trust]") {
  const Warned scene;
  const auto at = [&](hours before) {
    return scene.At(scene.expires - before, scene.expires - before);
  };
  REQUIRE(at(hours(14 * 24)).size() == 1);
  CHECK_FALSE(at(hours(14 * 24))[0].urgent);
  CHECK(at(hours(14 * 24))[0].text.find("expires in 14 days") != std::string::npos);
  CHECK_FALSE(at(hours(3 * 24 + 1))[0].urgent);
  CHECK(at(hours(3 * 24))[0].urgent);
  CHECK(at(hours(0))[0].text.find("expired 0 seconds ago") != std::string::npos);
}

TEST_CASE("policy warnings: a statement is missed at half its age", "[trust]") {
  const Warned scene;
  const UtcTime now = scene.deployment.now;
  CHECK(scene.At(now, now - hours(12)).empty());
  const auto half = scene.At(now, now - hours(12) - minutes(1));
  REQUIRE(half.size() == 1);
  CHECK_FALSE(half[0].urgent);
  const auto old = scene.At(now, now - hours(25));
  REQUIRE(old.size() == 1);
  CHECK(old[0].urgent);
  CHECK(old[0].text.find("is 25 hours old") != std::string::npos);
  REQUIRE(scene.At(now, std::nullopt).size() == 1);
  CHECK(scene.At(now, std::nullopt)[0].urgent);
  CHECK(scene.At(now, now + hours(1))[0].text.find("from the future") != std::string::npos);
}

TEST_CASE("policy warnings: a policy without freshness keys is not nagged about them", "[trust]") {
  Warned scene;
  scene.deployment.policy.freshness.reset();
  CHECK(scene.At(scene.deployment.now, std::nullopt).empty());
}

TEST_CASE("policy warnings: the urgent one comes first", "[trust]") {
  const Warned scene;
  const auto both = scene.At(scene.expires - hours(100), std::nullopt);
  REQUIRE(both.size() == 2);
  CHECK(both[0].urgent);
  CHECK(both[0].text.find("freshness") != std::string::npos);
  CHECK_FALSE(both[1].urgent);
}
