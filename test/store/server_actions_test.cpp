#include <catch2/catch.hpp>

#include "test/store/server_fixture.h"

namespace mig::store {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE("server actions: the same payload again changes nothing, another one is refused",
          "[store]") {
  ServerFixture server;
  NewAction action = ServerFixture::MakeAction(1);
  action.signatures = {{"ann", KeyId()}};
  CHECK(server.Write([&](ServerTx& tx) { return tx.AddAction(action, "ann", kNow); }));
  CHECK_FALSE(server.Write([&](ServerTx& tx) { return tx.AddAction(action, "ann", kNow); }));
  action.digest = Sha256("other");
  auto refused = server.db->WriteNow([&](ServerTx& tx) -> Expected<void> {
    auto added = tx.AddAction(action, "ann", kNow);
    if (!added) return added.error();
    return {};
  });
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::kExists);

  CHECK(server.Action(action.id).status == ActionStatus::kScheduled);
  CHECK(server.Read([&](ServerReader& r) { return r.ListSignatures(action.id); }).size() == 1);
  const auto audit = server.Read([](ServerReader& r) { return r.ListAudit(0, 10); });
  REQUIRE(audit.size() == 1);
  CHECK(audit[0].event == "action.accepted");
  CHECK(audit[0].object == action.id.Text());
}

TEST_CASE("server actions: signatures are added while pending, and then no more", "[store]") {
  ServerFixture server;
  NewAction action = ServerFixture::MakeAction(1);
  action.weight_reached = false;
  action.signatures = {{"ann", KeyId()}};
  server.Write([&](ServerTx& tx) { return tx.AddAction(action, "ann", kNow); });
  CHECK(server.Action(action.id).status == ActionStatus::kPending);
  const std::vector<SignatureRow> both = {{"ann", KeyId()},
                                          {"bob", *KeyId::FromBytes(Sha256("bob"))}};
  const auto sign = [&](bool reached) {
    return server.Write([&](ServerTx& tx) {
      return tx.AddSignatures(action.id, "{\"both\":1}", both, reached, "bob", kNow);
    });
  };
  CHECK(sign(true));
  CHECK(server.Action(action.id).status == ActionStatus::kScheduled);
  CHECK_FALSE(sign(true));
  CHECK(server.Read([&](ServerReader& r) { return r.ListSignatures(action.id); }).size() == 2);
  CHECK(*server.Read([&](ServerReader& r) { return r.FindActionEnvelope(action.id); }) ==
        "{\"both\":1}");
}

TEST_CASE("server actions: statuses move along their lines, and a final one never moves",
          "[store]") {
  using enum ActionStatus;
  const std::vector<ActionStatus> all = {kPending, kScheduled, kPreparing, kInflight, kCompleted,
                                         kExpired, kStopped,   kRefused,   kInvalid};
  const std::map<ActionStatus, std::vector<ActionStatus>> ways = {
      {kPending, {}},
      {kScheduled, {kScheduled}},
      {kPreparing, {kScheduled, kPreparing}},
      {kInflight, {kScheduled, kPreparing, kInflight}},
      {kCompleted, {kScheduled, kPreparing, kInflight, kCompleted}},
      {kExpired, {kExpired}},
      {kStopped, {kStopped}},
      {kRefused, {kRefused}},
      {kInvalid, {kInvalid}}};
  ServerFixture server;
  int number = 0;
  for (const auto& [from, way] : ways) {
    for (const ActionStatus to : all) {
      NewAction action = ServerFixture::MakeAction(++number);
      action.weight_reached = false;
      server.Write([&](ServerTx& tx) { return tx.AddAction(action, "ann", kNow); });
      for (const ActionStatus step : way) {
        CHECK(server.Write(
            [&](ServerTx& tx) { return tx.SetActionStatus(action.id, step, "", kNow); }));
      }
      REQUIRE(server.Action(action.id).status == from);
      const bool moved =
          server.Write([&](ServerTx& tx) { return tx.SetActionStatus(action.id, to, "", kNow); });
      INFO(ActionStatusName(from) << " to " << ActionStatusName(to));
      CHECK(server.Action(action.id).status == (moved ? to : from));
      if (IsFinal(from) || to == from) CHECK_FALSE(moved);
      if (moved && to < from) FAIL("went back");
      CHECK(server.Action(action.id).finished.has_value() ==
            IsFinal(server.Action(action.id).status));
    }
  }
}

TEST_CASE("server actions: expansion in pages reaches everybody once, and can begin again",
          "[store]") {
  ServerFixture server;
  for (int i = 0; i < 25; ++i) server.Enrol(i);
  const NewAction action = ServerFixture::MakeAction(1);
  server.Write([&](ServerTx& tx) { return tx.AddAction(action, "ann", kNow); });
  server.Write([&](ServerTx& tx) {
    return tx.SetActionStatus(action.id, ActionStatus::kPreparing, "", kNow);
  });
  for (int round = 0; round < 2; ++round) {
    int pages = 0;
    for (std::int64_t cursor = 0;;) {
      const auto page = server.Write([&](ServerTx& tx) {
        return tx.PrepareCommands(action.id, kEverybody, cursor, 10, kNow);
      });
      ++pages;
      if (page.done) break;
      cursor = page.next;
    }
    CHECK(pages == 3);
    const Counters counters =
        server.Read([&](ServerReader& r) { return r.CountCommands(action.id); });
    CHECK(counters.targeted == 25);
    CHECK(counters.prepared == 25);
  }
  CHECK(server.Read([&](ServerReader& r) { return r.ListDueCommands(kNow, 100); }).size() == 25);
}

TEST_CASE("server actions: nobody to ask completes the action at once", "[store]") {
  ServerFixture server;
  const ActionId id = server.Fly(1);
  CHECK(server.Write([&](ServerTx& tx) { return tx.CompleteAction(id, kNow); }));
  CHECK(server.Action(id).status == ActionStatus::kCompleted);
}

TEST_CASE("server actions: commands' receipts move them forward only", "[store]") {
  ServerFixture server;
  const AgentId agent = server.Enrol(1);
  const ActionId id = server.Fly(1);
  server.Write([&](ServerTx& tx) { return tx.MarkSent(id, agent, kNow + seconds(30), kNow); });
  CHECK(server.Command(id, agent).status == CommandStatus::kSent);
  CHECK(server.Receive(id, agent, "started"));
  CHECK_FALSE(server.Receive(id, agent, "received"));
  CHECK_FALSE(server.Receive(id, agent, "busy"));
  CHECK(server.Command(id, agent).status == CommandStatus::kRunning);
  CHECK(server.Receive(id, agent, "refused", "not_targeted"));
  const CommandRow command = server.Command(id, agent);
  CHECK(command.status == CommandStatus::kRefused);
  CHECK(command.code == "not_targeted");
  CHECK_FALSE(server.Receive(id, agent, "started"));
  CHECK(server.Command(id, agent).status == CommandStatus::kRefused);
}

TEST_CASE("server actions: busy takes a command back and makes it due later", "[store]") {
  ServerFixture server;
  const AgentId agent = server.Enrol(1);
  const ActionId id = server.Fly(1);
  server.Write([&](ServerTx& tx) { return tx.MarkSent(id, agent, std::nullopt, kNow); });
  CHECK(server.Receive(id, agent, "busy"));
  CHECK(server.Command(id, agent).status == CommandStatus::kPrepared);
  CHECK(server.Read([&](ServerReader& r) { return r.ListDueCommands(kNow, 10); }).empty());
  CHECK(server.Read([&](ServerReader& r) { return r.ListDueCommands(kNow + seconds(10), 10); })
            .size() == 1);
}

TEST_CASE("server actions: a receipt for what was never asked is kNotFound", "[store]") {
  ServerFixture server;
  const AgentId agent = server.Enrol(1);
  Receipt receipt;
  receipt.agent = agent;
  receipt.action = ActionNumber(1);
  receipt.state = "received";
  auto refused = server.db->WriteNow([&](ServerTx& tx) -> Expected<void> {
    auto recorded = tx.RecordReceipt(receipt, kNow, kNow);
    if (!recorded) return recorded.error();
    return {};
  });
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::kNotFound);
}

TEST_CASE("server actions: an agent that comes back is due again, without its status going back",
          "[store]") {
  ServerFixture server;
  const AgentId agent = server.Enrol(1);
  const ActionId id = server.Fly(1);
  server.Write([&](ServerTx& tx) { return tx.MarkSent(id, agent, std::nullopt, kNow); });
  server.Receive(id, agent, "started");
  CHECK(server.Read([&](ServerReader& r) { return r.ListDueCommands(kNow, 10); }).empty());
  CHECK(server.Write([&](ServerTx& tx) { return tx.MakeDue(agent, kNow); }) == 1);
  CHECK(server.Read([&](ServerReader& r) { return r.ListDueCommands(kNow, 10); }).size() == 1);
  server.Write([&](ServerTx& tx) { return tx.MarkSent(id, agent, std::nullopt, kNow); });
  CHECK(server.Command(id, agent).status == CommandStatus::kRunning);
  CHECK(server.Command(id, agent).attempts == 2);
}

TEST_CASE("server actions: expiry ends what is open, in bounded steps", "[store]") {
  ServerFixture server;
  for (int i = 0; i < 5; ++i) server.Enrol(i);
  const ActionId id = server.Fly(1);
  server.Receive(id, AgentNumber(0), "refused", "expired");
  NewAction pending = ServerFixture::MakeAction(2);
  pending.weight_reached = false;
  server.Write([&](ServerTx& tx) { return tx.AddAction(pending, "ann", kNow); });

  const auto expire = [&](UtcTime before, std::size_t limit) {
    return server.Write([&](ServerTx& tx) { return tx.ExpireOverdue(before, limit, before); });
  };
  CHECK(expire(kNow + minutes(5), 100).actions.empty());
  const UtcTime after = kNow + minutes(6);
  int steps = 1;
  while (!expire(after, 3).done) ++steps;
  CHECK(steps >= 2);
  CHECK(server.Action(id).status == ActionStatus::kCompleted);
  CHECK(server.Action(pending.id).status == ActionStatus::kExpired);
  const Counters counters = server.Read([&](ServerReader& r) { return r.CountCommands(id); });
  CHECK(counters.expired == 4);
  CHECK(counters.refused == 1);
  CHECK(counters.open() == 0);
  CHECK_FALSE(server.Read([](ServerReader& r) { return r.NextDeadlines(); }).due);
}

TEST_CASE("server actions: finished commands come in the order in which they finished", "[store]") {
  ServerFixture server;
  for (int i = 0; i < 4; ++i) server.Enrol(i);
  const ActionId id = server.Fly(1);
  for (const int agent : {2, 0, 3}) server.Receive(id, AgentNumber(agent), "refused", "expired");
  const auto first = server.Read([&](ServerReader& r) { return r.ListFinishedCommands(id, 0, 2); });
  REQUIRE(first.size() == 2);
  CHECK(first[0].agent == AgentNumber(2));
  CHECK(first[1].agent == AgentNumber(0));
  const auto rest =
      server.Read([&](ServerReader& r) { return r.ListFinishedCommands(id, first[1].finish, 2); });
  REQUIRE(rest.size() == 1);
  CHECK(rest[0].agent == AgentNumber(3));
}

TEST_CASE("server actions: a stop reaches those who were asked, and ends the rest at once",
          "[store]") {
  ServerFixture server;
  const AgentId never = server.Enrol(1), sent = server.Enrol(2), running = server.Enrol(3),
                done = server.Enrol(4);
  const ActionId id = server.Fly(1);
  for (const AgentId& agent : {sent, running, done}) {
    server.Write([&](ServerTx& tx) { return tx.MarkSent(id, agent, std::nullopt, kNow); });
  }
  server.Receive(id, running, "started");
  server.Receive(id, done, "refused", "limits");

  NewAction stop = ServerFixture::MakeAction(2);
  stop.kind = Kind::kStop;
  stop.stops = id;
  server.Write([&](ServerTx& tx) -> Expected<void> {
    if (auto added = tx.AddAction(stop, "ann", kNow); !added) return added.error();
    if (auto marked = tx.MarkStopped(id, stop.id, kNow); !marked) return marked;
    return ServerFixture::Expand(tx, stop.id);
  });
  CHECK(server.Action(id).stopped_by == stop.id);
  CHECK(server.Command(id, never).status == CommandStatus::kStopped);
  CHECK(server.Read([&](ServerReader& r) { return r.CountCommands(stop.id); }).targeted == 2);
  CHECK_FALSE(server.Read([&](ServerReader& r) { return r.FindCommand(stop.id, never); }));

  // The one that had not received the action will never run it; the other one reports.
  CHECK(server.Receive(stop.id, sent, "received"));
  CHECK(server.Command(id, sent).status == CommandStatus::kStopped);
  CHECK(server.Receive(stop.id, running, "received"));
  CHECK(server.Command(id, running).status == CommandStatus::kRunning);
  CHECK(server.Write([&](ServerTx& tx) { return tx.CompleteAction(stop.id, kNow); }));
  CHECK_FALSE(server.Write([&](ServerTx& tx) { return tx.CompleteAction(id, kNow); }));
  server.Write([&](ServerTx& tx) {
    IncomingPart part{id, running, 0, true, CommandStatus::kStopped, false, Sha256("p"), "{}"};
    return tx.AddPart(part, kNow);
  });
  CHECK(server.Write([&](ServerTx& tx) { return tx.CompleteAction(id, kNow); }));
  CHECK(server.Action(id).status == ActionStatus::kStopped);
}

TEST_CASE("server actions: a stop before its action keeps it from being sent", "[store]") {
  ServerFixture server;
  server.Enrol(1);
  NewAction stop = ServerFixture::MakeAction(2);
  stop.kind = Kind::kStop;
  stop.stops = ActionNumber(1);
  server.Write([&](ServerTx& tx) { return tx.AddAction(stop, "ann", kNow); });
  server.Write(
      [&](ServerTx& tx) { return tx.AddAction(ServerFixture::MakeAction(1), "ann", kNow); });
  const ActionRow row = server.Action(ActionNumber(1));
  CHECK(row.status == ActionStatus::kStopped);
  CHECK(row.stopped_by == stop.id);
}

TEST_CASE("server actions: one scheduler at a time holds an action", "[store]") {
  ServerFixture server;
  const ActionId id = server.Fly(1);
  const auto lease = [&](const char* owner, UtcTime now) {
    return server.Write(
        [&](ServerTx& tx) { return tx.LeaseAction(id, owner, now + seconds(60), now); });
  };
  CHECK(lease("scheduler-1", kNow));
  CHECK_FALSE(lease("scheduler-2", kNow + seconds(30)));
  CHECK(lease("scheduler-1", kNow + seconds(30)));
  CHECK(lease("scheduler-2", kNow + seconds(91)));
}

TEST_CASE("server actions: deadlines are the nearest of each sort", "[store]") {
  ServerFixture server;
  CHECK_FALSE(server.Read([](ServerReader& r) { return r.NextDeadlines(); }).expiry);
  const AgentId agent = server.Enrol(1);
  const ActionId id = server.Fly(1);
  server.Write([&](ServerTx& tx) { return tx.SetDue(id, agent, kNow + seconds(7)); });
  NewAction later = ServerFixture::MakeAction(2);
  later.validfrom = kNow + minutes(2);
  later.expireafter = kNow + minutes(3);
  server.Write([&](ServerTx& tx) { return tx.AddAction(later, "ann", kNow); });
  const auto deadlines = server.Read([](ServerReader& r) { return r.NextDeadlines(); });
  CHECK(deadlines.due == kNow + seconds(7));
  CHECK(deadlines.valid == kNow + minutes(2));
  CHECK(deadlines.expiry == kNow + minutes(3));
}

TEST_CASE("server actions: a nonce counts once, until it is forgotten", "[store]") {
  ServerFixture server;
  const auto remember = [&](const char* nonce) {
    return server.Write(
        [&](ServerTx& tx) { return tx.RememberNonce(KeyId(), nonce, kNow + minutes(5)); });
  };
  CHECK(remember("n1"));
  CHECK_FALSE(remember("n1"));
  CHECK(remember("n2"));
  server.Write([](ServerTx& tx) { return tx.ForgetLapsed(kNow + minutes(6)); });
  CHECK(remember("n1"));
}

TEST_CASE("server actions: sessions and people come back as they were stored", "[store]") {
  ServerFixture server;
  const KeyId key = *KeyId::FromBytes(Sha256("session"));
  server.Write([&](ServerTx& tx) {
    return tx.AddSession({key, "raw key", "ann", kNow, kNow + minutes(60)});
  });
  const auto session = server.Read([&](ServerReader& r) { return r.FindSession(key); });
  REQUIRE(session);
  CHECK(session->person == "ann");
  CHECK(session->expireafter == kNow + minutes(60));
  const std::vector<PersonRow> people = {{"ann", "Ann <ann@example>", true, {key, KeyId()}}};
  server.Write([&](ServerTx& tx) { return tx.ReplacePeople(people, kNow); });
  server.Write([&](ServerTx& tx) { return tx.ReplacePeople(people, kNow); });
  const auto stored = server.Read([](ServerReader& r) { return r.ListPeople(); });
  REQUIRE(stored.size() == 1);
  CHECK(stored[0].keys == std::vector<KeyId>{key, KeyId()});
}

}  // namespace
}  // namespace mig::store
