#include "trust/policy_watch.h"

#include "test/deployment.h"

using namespace mig;
using std::chrono::hours;
using std::chrono::minutes;

namespace {

struct Watched {
  Deployment deployment;
  SecretKey fresh = SecretKey::Generate();
  UtcTime expires = deployment.policy.expires;
  PolicyWatch watch;

  Watched() { deployment.policy.freshness = FreshnessRule{{Deployment::KeyOf(fresh)}, hours(24)}; }
  std::vector<PolicyWarning> Due(UtcTime now, std::optional<UtcTime> stated) {
    const TrustedPolicy trusted = deployment.Trusted();
    if (!stated) return watch.Due(trusted, nullptr, now);
    const Freshness freshness{deployment.org, deployment.policy.version, trusted.policy_digest(),
                              *stated};
    return watch.Due(trusted, &freshness, now);
  }
  std::vector<PolicyWarning> Fresh(UtcTime now) { return Due(now, now); }
};

}  // namespace

TEST_CASE("policy watch: what was said is said again a day later, not each time", "[trust]") {
  Watched scene;
  const UtcTime now = scene.expires - hours(10 * 24);
  CHECK(scene.Fresh(now).size() == 1);
  CHECK(scene.Fresh(now + hours(1)).empty());
  CHECK(scene.Fresh(now + hours(24) - minutes(1)).empty());
  CHECK(scene.Fresh(now + hours(24)).size() == 1);
  CHECK(scene.Fresh(now + hours(25)).empty());
}

TEST_CASE("policy watch: what becomes urgent is said at once", "[trust]") {
  Watched scene;
  const UtcTime alarm = scene.expires - kExpiryAlarm;
  CHECK(scene.Fresh(alarm - hours(1)).size() == 1);
  REQUIRE(scene.Fresh(alarm).size() == 1);
  CHECK(scene.Fresh(alarm + hours(1)).empty());
}

TEST_CASE("policy watch: another policy is another matter", "[trust]") {
  Watched scene;
  const UtcTime now = scene.expires - hours(24);
  CHECK(scene.Fresh(now).size() == 1);
  ++scene.deployment.policy.version;
  CHECK(scene.Fresh(now).size() == 1);
}

TEST_CASE("policy watch: a statement that comes back and is missed again is told again",
          "[trust]") {
  Watched scene;
  const UtcTime now = scene.deployment.now;
  CHECK(scene.Due(now, std::nullopt).size() == 1);
  CHECK(scene.Due(now + minutes(1), std::nullopt).empty());
  CHECK(scene.Fresh(now + minutes(2)).empty());
  CHECK(scene.Due(now + minutes(3), std::nullopt).size() == 1);
}

TEST_CASE("policy watch: a clock that was set back does not silence it", "[trust]") {
  Watched scene;
  const UtcTime now = scene.expires - hours(24);
  CHECK(scene.Fresh(now).size() == 1);
  CHECK(scene.Fresh(now - hours(1)).size() == 1);
}
