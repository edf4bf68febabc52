// An older state of agent.db is put back (a backup, a virtual machine's snapshot, somebody with the
// disk): what the agent then takes for new, and what not. docs/agents.md says the same in words.
#include <catch2/catch.hpp>

#include "test/roles/agent/agent_scene.h"

namespace mig::agent {
namespace {

struct Machine {
  AgentScene scene;
  UtcTime clock = scene.deployment.now;

  void Close() { scene.desk.reset(), scene.queue.reset(), scene.policy.reset(), scene.db.reset(); }
  std::filesystem::path Database() const { return scene.folder / "agent.db"; }
  void TakeSnapshot() {
    Close();
    std::filesystem::copy_file(Database(), scene.folder / "snapshot",
                               std::filesystem::copy_options::overwrite_existing);
    scene.Restart();
  }
  void PutBack() {
    Close();
    for (const char* ending : {"-wal", "-shm"}) {
      std::filesystem::remove(Database().string() + ending);
    }
    std::filesystem::copy_file(scene.folder / "snapshot", Database(),
                               std::filesystem::copy_options::overwrite_existing);
    scene.Restart();
  }
  std::string Give(const Action& action) {
    return AgentScene::Said(scene.desk->Take(scene.CommandFor(action), clock));
  }
  Action At(UtcTime validfrom) const {
    Action action = scene.Look();
    action.validfrom = validfrom;
    action.expireafter = validfrom + std::chrono::minutes(5);
    return action;
  }
};

TEST_CASE("snapshot: an action of the forgotten time that is over stays refused", "[agent]") {
  Machine machine;
  machine.TakeSnapshot();
  const Action action = machine.scene.Look();
  REQUIRE(machine.Give(action) == "received");
  machine.PutBack();
  machine.clock += std::chrono::minutes(6);
  CHECK(machine.Give(action) == "refused expired");
}

TEST_CASE("snapshot: with the clock set back as well, a newer action or policy shuts the door",
          "[agent]") {
  Machine machine;
  machine.TakeSnapshot();
  const Action action = machine.scene.Look();
  REQUIRE(machine.Give(action) == "received");
  machine.PutBack();
  SECTION("a newer action") {
    machine.clock += std::chrono::minutes(10);
    REQUIRE(machine.Give(machine.At(machine.clock)) == "received");
  }
  SECTION("a newer policy") {
    machine.scene.deployment.policy.version += 1;
    machine.scene.deployment.policy.issued = machine.clock + std::chrono::minutes(10);
    REQUIRE(machine.scene.policy->Offer(machine.scene.Update(),
                                        machine.clock + std::chrono::minutes(11)));
  }
  machine.clock = machine.scene.deployment.now;
  CHECK(machine.Give(action) == "refused expired");
}

// The part that is not prevented: nothing on a disk can know what the disk has forgotten. Whoever
// wants to use it must have the disk and the relay, and it shows.
TEST_CASE("snapshot: one that is still valid is taken for new, and the ledger shows it",
          "[agent]") {
  Machine machine;
  machine.TakeSnapshot();
  const Action action = machine.scene.Look();
  REQUIRE(machine.Give(action) == "received");
  REQUIRE(machine.Give(machine.scene.Look()) == "received");
  const LedgerMark before = machine.scene.db->ledger_mark();
  machine.PutBack();
  CHECK(machine.scene.db->ledger_mark().length < before.length);
  CHECK(machine.Give(action) == "received");
  CHECK(machine.scene.db->ledger_mark().length < before.length);
  CHECK(machine.Give(action) == "received");  // and from here on it is known again
  CHECK(machine.scene.db->Unfinished()->size() == 1);
}

TEST_CASE("snapshot: a crash and a clock that jumps ahead and back forget nothing", "[agent]") {
  Machine machine;
  const Action action = machine.scene.Look();
  REQUIRE(machine.Give(action) == "received");
  machine.scene.Restart();
  machine.clock += std::chrono::hours(24 * 30);
  CHECK(machine.Give(machine.scene.Look()) == "refused expired");
  REQUIRE(machine.scene.db->Forget());  // by signed time, which has not moved
  machine.clock = machine.scene.deployment.now;
  CHECK(machine.Give(action) == "received");
  CHECK(machine.scene.db->Unfinished()->size() == 1);
  const auto events = machine.scene.Events();
  CHECK(std::count(events.begin(), events.end(), "accepted") == 1);
}

}  // namespace
}  // namespace mig::agent
