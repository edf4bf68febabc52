// The attacker moves the machine's clock (a forged NTP answer), or takes the machine back to a
// snapshot. What the agent itself can stop ends where its disk ends; the rest is told.
#include "test/attack/victim.h"

namespace mig::attack {
namespace {

namespace fs = std::filesystem;

TEST_CASE("attack: the clock is set back so that an expired action is valid again", "[attack]") {
  Victim victim;
  const Envelope old = Deployment::Sign(victim.Look(), {&victim.deployment.ann});
  victim.deployment.now += hours(2);
  CHECK(victim.Deliver(Deployment::Sign(victim.Look(), {&victim.deployment.ann})) == "received");
  victim.Restart();
  victim.deployment.now -= hours(2);
  CHECK(victim.Deliver(old) == "refused expired");
}

TEST_CASE("attack: the clock is set forward so that the agent forgets what it ran", "[attack]") {
  Victim victim;
  const Envelope envelope = Deployment::Sign(victim.Look(), {&victim.deployment.ann});
  CHECK(victim.Deliver(envelope) == "received");
  const UtcTime present = victim.deployment.now;
  victim.deployment.now += hours(24 * 400);
  CHECK(victim.Deliver(Deployment::Sign(victim.Look(), {&victim.deployment.ann})) ==
        "refused no_policy");
  REQUIRE(victim.db->Forget());
  victim.Restart();
  victim.deployment.now = present;
  CHECK(victim.Deliver(envelope) == "received");  // remembered: answered, not run
  CHECK(victim.Waiting() == 0);
  // Nor does one hour in the future keep the agent from its work afterwards.
  CHECK(victim.Deliver(Deployment::Sign(victim.Look(), {&victim.deployment.ann})) == "received");
}

TEST_CASE("attack: the clock is set back so that an old statement of freshness is fresh",
          "[attack]") {
  Victim victim;
  const UtcTime signed_at = victim.deployment.now;
  victim.deployment.now += hours(30);
  CHECK(victim.Deliver(Deployment::Sign(victim.Look(), {&victim.deployment.ann})) == "received");
  // The signed time of that action is known now, whatever the clock says.
  const UtcTime present = victim.deployment.now;
  Action response = victim.Response();
  victim.deployment.now = signed_at;
  CHECK(victim.Deliver(Deployment::Sign(response, {&victim.deployment.ann, &victim.deployment.bob}),
                       victim.Proof()) == "refused not_fresh");
  victim.deployment.now = present;
}

TEST_CASE("attack: the machine is taken back to a snapshot", "[attack]") {
  Victim victim;
  const fs::path file = victim.folder / "agent.db";
  const Envelope envelope = Deployment::Sign(victim.Look(), {&victim.deployment.ann});
  victim.desk.reset();
  victim.queue.reset();
  victim.policy.reset();
  victim.db.reset();
  const fs::path snapshot = victim.folder / "snapshot.db";
  fs::copy_file(file, snapshot);
  victim.Restart();

  CHECK(victim.Deliver(envelope) == "received");
  victim.deployment.policy.revoked.insert(Deployment::IdOf(victim.deployment.bob));
  victim.Publish();
  const LedgerMark seen_outside = victim.db->ledger_mark();
  victim.desk.reset();
  victim.queue.reset();
  victim.policy.reset();
  victim.db.reset();
  for (const char* rest : {"-wal", "-shm"}) fs::remove(file.string() + rest);
  fs::copy_file(snapshot, file, fs::copy_options::overwrite_existing);
  victim.Restart();

  victim.deployment.now += minutes(1);
  // Not stopped: the replay memory went back too, so what has not expired runs again; and so did
  // the policy, so that a revoked key signs until the newer one arrives.
  CHECK(victim.Deliver(envelope) == "received");
  CHECK(victim.Waiting() == 1);
  CHECK(victim.policy->version() == victim.deployment.policy.version - 1);
  // Stopped: what has expired stays expired, and the newer policy is taken at the next contact.
  victim.Refresh();
  CHECK(victim.Deliver(Deployment::Sign(victim.Look(), {&victim.deployment.bob})) ==
        "refused revoked_signer");
  // Told: a head that was seen outside is not in this ledger.
  bool contained = false;
  for (const LedgerEntry& entry : victim.Ledger()) {
    contained |= entry.number == seen_outside.length && entry.hash == seen_outside.head;
  }
  CHECK_FALSE(contained);
}

}  // namespace
}  // namespace mig::attack
