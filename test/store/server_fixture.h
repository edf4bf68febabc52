// A server's database in a folder of its own, and short ways to fill it.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "crypto/digest.h"
#include "store/server_db.h"
#include "store/sqlite.h"
#include "test/temp_folder.h"

namespace mig::store {

inline constexpr UtcTime kNow{std::chrono::milliseconds{1'790'000'000'000}};
inline const Target::Sql kEverybody{"1", {}};

inline Bytes FakeKey(int number) {
  Bytes key(32, '\0');
  key[0] = static_cast<char>(number);
  key[1] = static_cast<char>(number >> 8);
  return key;
}
inline AgentId AgentNumber(int number) { return *AgentId::FromBytes(Sha256(FakeKey(number))); }
inline ActionId ActionNumber(int number) {
  return *ActionId::FromBytes(FakeKey(number).substr(0, 16));
}

struct ServerFixture {
  TempFolder folder;
  std::filesystem::path file = folder / "server.db";
  std::unique_ptr<ServerDb> db;

  explicit ServerFixture(ServerDb::Options options = {}) {
    auto opened = ServerDb::Open(file, options);
    REQUIRE(opened);
    db = std::move(*opened);
  }
  void Reopen() {
    db.reset();
    auto opened = ServerDb::Open(file);
    REQUIRE(opened);
    db = std::move(*opened);
  }

  // One work that must succeed; returns its value.
  template <typename F>
  auto Write(F work) {
    using Outcome = std::invoke_result_t<F, ServerTx&>;
    std::optional<Outcome> outcome;
    auto done = db->WriteNow([&](ServerTx& tx) -> Expected<void> {
      outcome = work(tx);
      if (!*outcome) return outcome->error();
      return {};
    });
    if (!done) FAIL(done.error().message());
    if constexpr (!std::is_same_v<Outcome, Expected<void>>) return std::move(**outcome);
  }
  template <typename F>
  auto Read(F work) {
    auto outcome = db->Read(work);
    if (!outcome) FAIL(outcome.error().message());
    return std::move(*outcome);
  }

  AgentId Enrol(int number, std::string name = {}) {
    if (name.empty()) name = "agent-" + std::to_string(number);
    Write([&](ServerTx& tx) {
      return tx.EnrolAgent({AgentNumber(number), FakeKey(number), name}, kNow);
    });
    return AgentNumber(number);
  }

  static NewAction MakeAction(int number) {
    NewAction action;
    action.id = ActionNumber(number);
    action.digest = Sha256("payload of " + std::to_string(number));
    action.envelope = "{}";
    action.weight_reached = true;
    action.name = "action " + std::to_string(number);
    action.target = "all";
    action.validfrom = kNow - std::chrono::minutes(1);
    action.expireafter = kNow + std::chrono::minutes(5);
    action.limit_bytes = 1 << 20;
    return action;
  }
  // Stored, expanded to everybody, and in flight.
  ActionId Fly(int number) {
    const NewAction action = MakeAction(number);
    Write([&](ServerTx& tx) -> Expected<void> {
      if (auto added = tx.AddAction(action, "ann", kNow); !added) return added.error();
      return Expand(tx, action.id);
    });
    return action.id;
  }
  static Expected<void> Expand(ServerTx& tx, const ActionId& id) {
    auto preparing = tx.SetActionStatus(id, ActionStatus::kPreparing, "", kNow);
    if (!preparing) return preparing.error();
    auto page = tx.PrepareCommands(id, kEverybody, 0, 100'000, kNow);
    if (!page) return page.error();
    auto flying = tx.SetActionStatus(id, ActionStatus::kInflight, "", kNow);
    if (!flying) return flying.error();
    return {};
  }

  ActionRow Action(const ActionId& id) {
    auto action = Read([&](ServerReader& reader) { return reader.FindAction(id); });
    REQUIRE(action);
    return *action;
  }
  CommandRow Command(const ActionId& action, const AgentId& agent) {
    auto command = Read([&](ServerReader& reader) { return reader.FindCommand(action, agent); });
    REQUIRE(command);
    return *command;
  }
  bool Receive(const ActionId& action, const AgentId& agent, std::string state,
               std::string code = {}) {
    Receipt receipt;
    receipt.agent = agent;
    receipt.action = action;
    receipt.state = std::move(state);
    receipt.code = std::move(code);
    return Write([&](ServerTx& tx) {
      return tx.RecordReceipt(receipt, kNow + std::chrono::seconds(10), kNow);
    });
  }
};

}  // namespace mig::store
