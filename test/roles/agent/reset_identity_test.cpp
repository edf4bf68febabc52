#include "roles/agent/reset_identity.h"

#include <catch2/catch.hpp>

#include "crypto/key_file.h"
#include "roles/agent/agent_locks.h"
#include "roles/agent/identity.h"
#include "test/roles/agent/agent_scene.h"

namespace mig::agent {
namespace {

struct Machine {
  AgentScene scene;
  AgentConfig config;

  Machine() {
    config.directory = scene.folder.path();
    const KeyFile key{"web1", scene.deployment.now,
                      SecretKey::FromSeed(scene.identity.key().Seed()).value()};
    scene.folder.Write("agent.key", WriteKeyFile(key, "").value());
    scene.folder.Write("agent.crt", "a certificate");
  }
  AgentId Id() const { return Identity::LoadOrMake(config, "web1").value().id(); }
};

TEST_CASE("reset identity: another key, the old one aside, and the ledger says so", "[agent]") {
  Machine machine;
  const AgentId before = machine.Id();
  const Action done = machine.scene.Look();
  REQUIRE(AgentScene::Said(machine.scene.Give(done)) == "received");
  const auto reset = ResetTheIdentity(machine.config, machine.scene.deployment.now);
  REQUIRE(reset);
  CHECK(reset->before == before);
  CHECK(reset->now == machine.Id());
  CHECK_FALSE(reset->now == before);
  CHECK_FALSE(std::filesystem::exists(machine.config.CertificateFile()));
  auto kept = ReadKeyFile(os::ReadFile(reset->old_key).value(), "");
  REQUIRE(kept);
  CHECK(AgentId::FromBytes(kept->secret.public_key().Fingerprint()).value() == before);

  machine.scene.Restart();
  const auto ledger = machine.scene.Ledger();
  CHECK(ledger.back().event == "identity");
  CHECK(ledger.back().facts.at("before").as_string() == before.Text());
  // The id of an action that was under way is remembered: it cannot be sent once more to the copy.
  CHECK(machine.scene.db->Unfinished()->empty());
  CHECK(machine.scene.db->Find(done.id)->has_value());
  CHECK_FALSE(machine.scene.db->HasWaiting());
}

TEST_CASE("reset identity: not while the agent runs, and not before it ever ran", "[agent]") {
  Machine machine;
  {
    const auto running = LockDirectory(machine.config);
    REQUIRE(running);
    const auto refused = ResetTheIdentity(machine.config, machine.scene.deployment.now);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == Errc::kExists);
  }
  std::filesystem::remove(machine.config.KeyFile());
  const auto refused = ResetTheIdentity(machine.config, machine.scene.deployment.now);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::kNotFound);
}

}  // namespace
}  // namespace mig::agent
