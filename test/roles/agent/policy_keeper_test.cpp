#include "roles/agent/policy_keeper.h"

#include "crypto/digest.h"
#include "test/deployment.h"
#include "test/temp_folder.h"

using namespace mig;
using namespace mig::agent;
using std::chrono::hours;
using std::chrono::minutes;

namespace {

struct Held {
  Deployment deployment;
  SecretKey fresh = SecretKey::Generate();
  TempFolder folder;
  std::unique_ptr<store::AgentDb> db = store::AgentDb::Open(folder / "agent.db").value();
  UtcTime now = deployment.now;

  Held() { deployment.policy.freshness = FreshnessRule{{Deployment::KeyOf(fresh)}, hours(24)}; }

  PolicyUpdate Update(std::optional<UtcTime> stated = {}, const SecretKey* by = nullptr) const {
    PolicyUpdate update;
    update.roots = {EnvelopeToJson(deployment.root_envelope)};
    update.policy = EnvelopeToJson(deployment.PolicyEnvelope());
    if (stated) {
      const Freshness statement{deployment.org, deployment.policy.version,
                                Sha256(EncodePolicy(deployment.policy)), *stated};
      update.freshness = EnvelopeToJson(
          Seal(kFreshnessType, EncodeFreshness(statement), by == nullptr ? fresh : *by));
    }
    return update;
  }
  PolicyKeeper Load() { return PolicyKeeper::Load(deployment.org, *db).value(); }
};

}  // namespace

TEST_CASE("policy keeper: the newest statement about the held policy counts", "[agent]") {
  Held held;
  PolicyKeeper keeper = held.Load();
  REQUIRE(keeper.Offer(held.Update(), held.now));
  CHECK(keeper.freshness() == nullptr);
  CHECK(*keeper.Offer(held.Update(held.now), held.now) == PolicyStep::kSame);
  REQUIRE(keeper.freshness() != nullptr);
  CHECK(keeper.freshness()->time == held.now);
  // A courier that repeats an older one takes nothing away.
  REQUIRE(keeper.Offer(held.Update(held.now - hours(1)), held.now));
  CHECK(keeper.freshness()->time == held.now);
  // Also after a restart.
  const PolicyKeeper again = held.Load();
  REQUIRE(again.freshness() != nullptr);
  CHECK(again.freshness()->time == held.now);
}

TEST_CASE("policy keeper: a statement by another key, or from the future, changes nothing",
          "[agent]") {
  Held held;
  PolicyKeeper keeper = held.Load();
  REQUIRE(keeper.Offer(held.Update(held.now, &held.deployment.ann), held.now));
  CHECK(keeper.freshness() == nullptr);
  REQUIRE(keeper.Offer(held.Update(held.now + hours(1)), held.now));
  CHECK(keeper.freshness() == nullptr);
  REQUIRE(keeper.Offer(held.Update(held.now + minutes(1)), held.now));
  CHECK(keeper.freshness() != nullptr);
}

TEST_CASE("policy keeper: a newer policy needs a statement of its own", "[agent]") {
  Held held;
  PolicyKeeper keeper = held.Load();
  REQUIRE(keeper.Offer(held.Update(held.now), held.now));
  ++held.deployment.policy.version;
  REQUIRE(*keeper.Offer(held.Update(), held.now) == PolicyStep::kNewer);
  CHECK(keeper.freshness() == nullptr);
  CHECK(held.Load().freshness() == nullptr);
}
