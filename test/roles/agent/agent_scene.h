// An agent without network: its disk, its identity, a deployment that it believes, and the parts
// that decide. Restart() is what a kill and a new start are for them.
#pragma once

#include <catch2/catch.hpp>
#include <memory>

#include "proto/command.h"
#include "roles/agent/answer_writer.h"
#include "roles/agent/command_desk.h"
#include "roles/agent/ledger_notes.h"
#include "roles/agent/policy_keeper.h"
#include "store/agent_db.h"
#include "test/deployment.h"
#include "test/roles/agent/test_modules.h"
#include "test/temp_folder.h"

namespace mig::agent {

struct AgentScene {
  TempFolder folder;
  Deployment deployment;
  Identity identity{SecretKey::Generate()};
  Self self;
  SandboxFacts sandbox{"full", true};
  std::uint64_t outbox_bytes = 1 << 20;

  std::unique_ptr<store::AgentDb> db;
  std::unique_ptr<PolicyKeeper> policy;
  std::unique_ptr<RunQueue> queue;
  std::unique_ptr<CommandDesk> desk;

  AgentScene() {
    RegisterTestModules();
    self.id = identity.id();
    self.name = "web1";
    self.version = "1.2.3";
    self.environment.os = "linux";
    Restart();
    auto taken = policy->Offer(Update(), deployment.now);
    if (!taken) FAIL(taken.error().message());
  }

  void Restart() {
    desk.reset();
    queue.reset();
    policy.reset();
    db.reset();
    store::AgentDbOptions options;
    options.outbox_bytes = outbox_bytes;
    options.reserve_bytes = 64 << 10;
    auto opened = store::AgentDb::Open(folder / "agent.db", options);
    if (!opened) FAIL(opened.error().message());
    db = std::move(*opened);
    auto loaded = PolicyKeeper::Load(deployment.org, *db);
    if (!loaded) FAIL(loaded.error().message());
    policy = std::make_unique<PolicyKeeper>(std::move(*loaded));
    queue = std::make_unique<RunQueue>();
    desk = std::make_unique<CommandDesk>(CommandDesk::Parts{*db, *policy, *queue, self, sandbox});
  }

  PolicyUpdate Update() const {
    return {{EnvelopeToJson(deployment.root_envelope)},
            EnvelopeToJson(deployment.PolicyEnvelope())};
  }

  Action Look() const { return deployment.ActionFor("look"); }

  Bytes CommandFor(const Action& action) const { return CommandFor(action, {&deployment.ann}); }
  Bytes CommandFor(const Action& action, std::initializer_list<const SecretKey*> keys) const {
    return EncodeCommand(Command{EnvelopeToJson(Deployment::Sign(action, keys))});
  }

  CommandDesk::Answer Give(const Action& action) {
    return desk->Take(CommandFor(action), deployment.now);
  }
  // "received", "refused expired", …
  static std::string Said(const CommandDesk::Answer& answer) {
    if (!answer.receipt) return "nothing";
    return answer.receipt->state + (answer.receipt->code.empty() ? "" : " ") + answer.receipt->code;
  }

  std::vector<LedgerEntry> Ledger() const {
    std::vector<LedgerEntry> entries;
    REQUIRE(store::ReadLedger(folder / "agent.db", [&](const LedgerEntry& entry) {
      entries.push_back(entry);
      return true;
    }));
    CHECK(VerifyLedger(entries));
    return entries;
  }
  std::vector<std::string> Events() const {
    std::vector<std::string> events;
    for (const LedgerEntry& entry : Ledger()) events.push_back(entry.event);
    return events;
  }

  // The parts that wait, decoded, their signatures and chain checked.
  std::vector<ResultPart> Parts() const {
    std::vector<ResultPart> parts;
    auto waiting = db->Waiting(0, std::uint64_t{1} << 40);
    REQUIRE(waiting);
    for (const store::StoredPart& stored : *waiting) {
      CHECK(stored.envelope.size() <= kMaxEnvelopeBytes);
      auto envelope = DecodeEnvelope(stored.envelope);
      REQUIRE(envelope);
      CHECK(SignedBy(*envelope, identity.key().public_key()));
      auto part = DecodeResultPart(envelope->payload);
      REQUIRE(part);
      CHECK(part->agent == identity.id());
      parts.push_back(std::move(*part));
    }
    return parts;
  }
};

}  // namespace mig::agent
