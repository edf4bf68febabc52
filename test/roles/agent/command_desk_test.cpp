#include "roles/agent/command_desk.h"

#include <catch2/catch.hpp>

#include "test/roles/agent/agent_scene.h"

namespace mig::agent {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using Events = std::vector<std::string>;

TEST_CASE("desk: an action is accepted, remembered, noted and put in line", "[agent]") {
  AgentScene scene;
  const Action action = scene.Look();
  const auto answer = scene.Give(action);
  CHECK(AgentScene::Said(answer) == "received");
  CHECK(answer.queued);
  CHECK(scene.queue->queued() == 1);
  CHECK(answer.receipt->policy == 3);
  CHECK(answer.receipt->ledger.length == 2);
  CHECK(answer.receipt->time == scene.deployment.now);
  CHECK(scene.Events() == Events{"policy", "accepted"});
  const LedgerEntry entry = scene.Ledger()[1];
  CHECK(entry.facts.at("action").as_string() == action.id.Text());
  CHECK(entry.facts.at("people") == json::value{"ann"});
  CHECK(entry.facts.at("modules") == json::value{"look"});
}

TEST_CASE("desk: a command that comes again is answered again, and runs once", "[agent]") {
  AgentScene scene;
  const Action action = scene.Look();
  scene.Give(action);
  CHECK(AgentScene::Said(scene.Give(action)) == "received");
  CHECK(scene.queue->queued() == 1);
  REQUIRE(scene.db->MarkStarted(action.id, StartedNote(scene.deployment.now, action.id, 1)));
  CHECK(AgentScene::Said(scene.Give(action)) == "started");
  scene.Restart();
  const auto again = scene.Give(action);
  CHECK(AgentScene::Said(again) == "started");
  CHECK_FALSE(again.queued);
  CHECK(scene.Events() == Events{"policy", "accepted", "started"});
}

TEST_CASE("desk: a command that comes after its answer has the answer sent again", "[agent]") {
  AgentScene scene;
  const Action action = scene.Look();
  scene.Give(action);
  REQUIRE(FinishWithoutRun(
      scene.identity, *scene.db, [&] { return scene.deployment.now; }, action.id,
      CommandStatus::kExpired, "why"));
  REQUIRE(scene.db->Acknowledge(action.id, {0}));
  CHECK(scene.Parts().empty());
  const auto answer = scene.Give(action);
  CHECK(AgentScene::Said(answer) == "received");
  CHECK(answer.repeated);
  CHECK_FALSE(answer.queued);
  CHECK(scene.Parts().size() == 1);
}

TEST_CASE("desk: a refusal is answered with its code, noted, and forgotten", "[agent]") {
  AgentScene scene;
  Action action = scene.Look();
  action.target = "name = 'db1'";
  const auto answer = scene.Give(action);
  CHECK(AgentScene::Said(answer) == "refused not_targeted");
  CHECK(answer.receipt->detail.find("db1") != std::string::npos);
  CHECK_FALSE(*scene.db->Find(action.id));
  CHECK(scene.Events() == Events{"policy", "refused"});
  CHECK(scene.Ledger()[1].facts.at("signed").as_bool());
  // Again: answered, but not noted a second time.
  CHECK(AgentScene::Said(scene.Give(action)) == "refused not_targeted");
  CHECK(scene.Events().size() == 2);
}

TEST_CASE("desk: what is refused as forged is marked as such in the ledger", "[agent]") {
  AgentScene scene;
  Action action = scene.Look();
  action.name = std::string(1000, 'n');
  const auto answer =
      scene.desk->Take(scene.CommandFor(action, {&scene.deployment.ann, &scene.deployment.eve}),
                       scene.deployment.now);
  CHECK(AgentScene::Said(answer) == "refused unknown_signer");
  const LedgerEntry entry = scene.Ledger()[1];
  CHECK_FALSE(entry.facts.at("signed").as_bool());
  CHECK(entry.facts.at("name").as_string().size() < 300);
}

TEST_CASE("desk: bytes that are no command are noted and answered by nothing", "[agent]") {
  AgentScene scene;
  for (const char* message : {"", "{", "[]", "{}", R"({"action":{}})", R"({"action":1})"}) {
    INFO(message);
    const auto answer = scene.desk->Take(message, scene.deployment.now);
    CHECK_FALSE(answer.receipt);
    CHECK_FALSE(answer.queued);
  }
  CHECK(scene.Events().size() == 7);
  CHECK(scene.Ledger()[1].facts.at("code").as_string() == "malformed");
}

TEST_CASE("desk: refusals for time carry the agent's clock", "[agent]") {
  AgentScene scene;
  const Action action = scene.Look();
  scene.deployment.now = action.expireafter + minutes(1);
  const auto answer = scene.Give(action);
  CHECK(AgentScene::Said(answer) == "refused expired");
  CHECK(answer.receipt->time == scene.deployment.now);
  CHECK(answer.receipt->detail.find(FormatRfc3339(scene.deployment.now)) != std::string::npos);
}

TEST_CASE("desk: a clock that is set back does not revive what has expired", "[agent]") {
  AgentScene scene;
  Action old = scene.Look();
  // Something later was accepted in its time: that time has been.
  scene.deployment.now += hours(2);
  CHECK(AgentScene::Said(scene.Give(scene.Look())) == "received");
  scene.Restart();
  CHECK(AgentScene::Said(scene.desk->Take(scene.CommandFor(old),
                                          scene.deployment.now - hours(2))) == "refused expired");
}

TEST_CASE("desk: a clock far ahead refuses, and does not poison the time", "[agent]") {
  AgentScene scene;
  const Action action = scene.Look();
  CHECK(AgentScene::Said(scene.desk->Take(
            scene.CommandFor(action), scene.deployment.now + hours(24 * 30))) == "refused expired");
  scene.Restart();
  CHECK(AgentScene::Said(scene.Give(action)) == "received");
}

TEST_CASE("desk: beyond two running and thirty-two waiting it is busy, and remembers nothing",
          "[agent]") {
  AgentScene scene;
  for (int i = 0; i < 32; ++i) CHECK(AgentScene::Said(scene.Give(scene.Look())) == "received");
  const Action one_more = scene.Look();
  CHECK(AgentScene::Said(scene.Give(one_more)) == "busy");
  CHECK_FALSE(*scene.db->Find(one_more.id));
  // A stop is taken all the same.
  const Action stop = scene.deployment.StopFor(one_more.id);
  CHECK(AgentScene::Said(scene.Give(stop)) == "received");
  scene.queue->StartNext();
  CHECK(AgentScene::Said(scene.Give(scene.Look())) == "received");
}

TEST_CASE("desk: a stop names what ends now, also again and after a restart", "[agent]") {
  AgentScene scene;
  const Action action = scene.Look();
  scene.Give(action);
  const Action stop = scene.deployment.StopFor(action.id);
  const auto answer = scene.Give(stop);
  CHECK(AgentScene::Said(answer) == "received");
  CHECK(answer.stop == action.id);
  CHECK_FALSE(answer.queued);
  CHECK(scene.Events() == Events{"policy", "accepted", "stopped"});
  scene.Restart();
  CHECK(AgentScene::Said(scene.Give(stop)) == "received");
  CHECK(scene.Events().size() == 3);
}

TEST_CASE("desk: a stop that comes before its action", "[agent]") {
  AgentScene scene;
  const Action action = scene.Look();
  scene.Give(scene.deployment.StopFor(action.id));
  scene.Restart();
  CHECK(AgentScene::Said(scene.Give(action)) == "refused stopped");
  CHECK_FALSE(*scene.db->Find(action.id));
}

TEST_CASE("desk: nothing is accepted that cannot be written down; a stop still stops", "[agent]") {
  AgentScene scene;
  const Action action = scene.Look();
  {
    // The disk becomes read-only for SQLite under the agent's feet.
    scene.db.reset();
    store::AgentDbOptions options;
    options.reserve_bytes = std::uint64_t{1} << 60;
    scene.db = std::move(*store::AgentDb::Open(scene.folder / "agent.db", options));
    scene.desk = std::make_unique<CommandDesk>(
        CommandDesk::Parts{*scene.db, *scene.policy, *scene.queue, scene.self, scene.sandbox});
  }
  const auto answer = scene.Give(action);
  CHECK(AgentScene::Said(answer) == "refused ledger");
  CHECK_FALSE(answer.queued);
  CHECK(scene.queue->queued() == 0);
  CHECK(scene.Give(scene.deployment.StopFor(action.id)).stop == action.id);
}

TEST_CASE("desk: before it begins an action is checked again", "[agent]") {
  AgentScene scene;
  const Action action = scene.Look();
  scene.Give(action);
  const auto known = *scene.db->Recall(action.id);
  auto runnable = scene.desk->Recheck(*known, scene.deployment.now);
  REQUIRE(runnable);
  CHECK(runnable->action.id == action.id);
  CHECK(runnable->roots.size() == 1);

  // Its signer is revoked while it waits in line.
  scene.deployment.policy.version = 4;
  scene.deployment.policy.revoked.insert(Deployment::IdOf(scene.deployment.ann));
  REQUIRE(scene.policy->Offer(scene.Update(), scene.deployment.now));
  runnable = scene.desk->Recheck(*known, scene.deployment.now);
  REQUIRE_FALSE(runnable);
  CHECK(runnable.error().message().starts_with("revoked_signer: "));
}

// ---- The policy that the agent keeps.

TEST_CASE("policy keeper: what is held survives a restart", "[agent]") {
  AgentScene scene;
  scene.Restart();
  REQUIRE(scene.policy->policy() != nullptr);
  CHECK(scene.policy->version() == 3);
  CHECK(scene.policy->AgentTime(UtcTime()) == scene.deployment.policy.issued);
  CHECK(*scene.policy->Offer(scene.Update(), scene.deployment.now) == PolicyStep::kSame);
  CHECK(scene.Events() == Events{"policy"});
}

TEST_CASE("policy keeper: an older policy is refused, also when the held one was lost", "[agent]") {
  AgentScene scene;
  scene.deployment.policy.version = 2;
  CHECK_FALSE(scene.policy->Offer(scene.Update(), scene.deployment.now));
  CHECK(scene.policy->version() == 3);

  // Somebody spoils the stored documents: nothing is believed, and nothing older either.
  REQUIRE(scene.db->KeepPolicy(1, 3, "spoilt", scene.deployment.now,
                               StartupNote(scene.deployment.now, "", "")));
  scene.Restart();
  CHECK(scene.policy->policy() == nullptr);
  CHECK(AgentScene::Said(scene.Give(scene.Look())) == "refused no_policy");
  CHECK_FALSE(scene.policy->Offer(scene.Update(), scene.deployment.now));
  scene.deployment.policy.version = 3;
  CHECK(scene.policy->Offer(scene.Update(), scene.deployment.now));
  CHECK(AgentScene::Said(scene.Give(scene.Look())) == "received");
}

TEST_CASE("policy keeper: a policy of another deployment or of no root is refused", "[agent]") {
  AgentScene scene;
  const Deployment other;
  CHECK_FALSE(scene.policy->Offer(
      {{EnvelopeToJson(other.root_envelope)}, EnvelopeToJson(other.PolicyEnvelope())},
      scene.deployment.now));
  CHECK_FALSE(scene.policy->Offer({{}, EnvelopeToJson(scene.deployment.PolicyEnvelope())},
                                  scene.deployment.now));
  CHECK_FALSE(scene.policy->Offer({{json::object{}}, json::object{}}, scene.deployment.now));
  CHECK(scene.policy->version() == 3);
}

}  // namespace
}  // namespace mig::agent
