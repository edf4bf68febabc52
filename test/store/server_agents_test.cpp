#include <catch2/catch.hpp>

#include "test/store/server_fixture.h"

namespace mig::store {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

Heartbeat Beat(const AgentId& agent, std::string boot, UtcTime time) {
  Heartbeat beat;
  beat.agent = agent;
  beat.name = "web1.example";
  beat.version = "1.0";
  beat.time = time;
  beat.started = time - minutes(1);
  beat.environment.os = "linux";
  beat.tags = {{"operator", "it"}};
  beat.boot = std::move(boot);
  beat.policy = 3;
  return beat;
}

struct Agents : ServerFixture {
  AgentId agent = Enrol(1);

  Seen Heartbeat(const std::string& boot, UtcTime time, UtcTime now) {
    return Write([&](ServerTx& tx) { return tx.RecordHeartbeat(Beat(agent, boot, time), now); });
  }
  Seen Presence(bool on, const std::string& boot, UtcTime time, UtcTime now) {
    return Write([&](ServerTx& tx) {
      return tx.RecordPresence({agent, on, time, boot}, "relay-1", now);
    });
  }
  AgentRow Row() {
    return *Read([&](ServerReader& reader) { return reader.FindAgent(agent); });
  }
};

TEST_CASE("server agents: enrolling again changes nothing; another key for an id is refused",
          "[store]") {
  ServerFixture server;
  const AgentId id = server.Enrol(1, "first");
  server.Enrol(1, "second");
  CHECK(server.Read([&](ServerReader& r) { return r.FindAgent(id); })->name == "first");
  auto refused = server.db->WriteNow([&](ServerTx& tx) {
    return tx.EnrolAgent({id, FakeKey(2), "thief"}, kNow);
  });
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::kExists);
}

TEST_CASE("server agents: a heartbeat does not make an agent", "[store]") {
  ServerFixture server;
  auto refused = server.db->WriteNow([&](ServerTx& tx) -> Expected<void> {
    auto seen = tx.RecordHeartbeat(Beat(AgentNumber(9), "a", kNow), kNow);
    if (!seen) return seen.error();
    return {};
  });
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::kNotFound);
}

TEST_CASE("server agents: a heartbeat fills the row and shows that the agent is connected",
          "[store]") {
  Agents agents;
  const Seen seen = agents.Heartbeat("a", kNow, kNow + seconds(1));
  CHECK(seen.fresh);
  CHECK(seen.came_on);
  const AgentRow row = agents.Row();
  CHECK(row.name == "web1.example");
  CHECK(row.status == AgentStatus::kOnline);
  CHECK(row.heartbeattime == kNow + seconds(1));
  CHECK(row.environment.find("\"linux\"") != std::string::npos);
  CHECK(row.tags == "{}");  // what a machine says of its tags counts nowhere
  CHECK_FALSE(agents.Heartbeat("a", kNow + seconds(5), kNow + seconds(5)).came_on);
}

TEST_CASE("server agents: an old heartbeat that is played again changes nothing", "[store]") {
  Agents agents;
  agents.Heartbeat("a", kNow, kNow);
  agents.Heartbeat("a", kNow + minutes(30), kNow + minutes(30));
  CHECK_FALSE(agents.Heartbeat("a", kNow, kNow + minutes(31)).fresh);
  CHECK(agents.Row().heartbeattime == kNow + minutes(30));
}

TEST_CASE("server agents: a clock that was put right is believed at once", "[store]") {
  Agents agents;
  agents.Heartbeat("a", kNow + minutes(300), kNow);  // five hours fast
  CHECK(agents.Heartbeat("a", kNow + minutes(5), kNow + minutes(5)).fresh);
}

TEST_CASE("server agents: the will of a connection before does not put an agent off", "[store]") {
  Agents agents;
  // First connection: will signed at 0, on at 1. Second: will signed at 60, on at 61.
  CHECK(agents.Presence(true, "a", kNow + seconds(1), kNow + seconds(1)).came_on);
  CHECK(agents.Presence(true, "a", kNow + seconds(61), kNow + seconds(61)).came_on);
  CHECK_FALSE(agents.Presence(false, "a", kNow, kNow + seconds(62)).fresh);
  CHECK(agents.Row().status == AgentStatus::kOnline);
  // Its own will does, though it is older than its `on`.
  CHECK(agents.Presence(false, "a", kNow + seconds(60), kNow + seconds(120)).went_off);
  CHECK(agents.Row().status == AgentStatus::kOffline);
  CHECK(agents.Row().relay == "relay-1");
}

TEST_CASE("server agents: status follows presence and the age of the last word", "[store]") {
  Agents agents;
  agents.Presence(true, "a", kNow, kNow);
  const auto refresh = [&](UtcTime now) {
    return agents
        .Write([&](ServerTx& tx) {
          return tx.RefreshAgentStatus(now - minutes(10), now - minutes(30), 100);
        })
        .size();
  };
  CHECK(refresh(kNow + minutes(5)) == 0);
  CHECK(agents.Row().status == AgentStatus::kOnline);
  CHECK(refresh(kNow + minutes(11)) == 1);
  CHECK(agents.Row().status == AgentStatus::kIdle);
  CHECK(refresh(kNow + minutes(31)) == 1);
  CHECK(agents.Row().status == AgentStatus::kOffline);
  agents.Heartbeat("a", kNow + minutes(32), kNow + minutes(32));
  CHECK(agents.Row().status == AgentStatus::kOnline);
}

TEST_CASE("server agents: restarts are no clones, however many", "[store]") {
  Agents agents;
  for (int i = 0; i < 40; ++i) {
    const UtcTime time = kNow + seconds(10 * i);
    CHECK_FALSE(agents.Heartbeat("boot" + std::to_string(i), time, time).new_clone);
  }
  CHECK_FALSE(agents.Row().cloned);
  CHECK(agents.Read([&](ServerReader& r) { return r.ListCopies(agents.agent); }).size() == 16);
}

TEST_CASE("server agents: what a process said before its successor began is no clone", "[store]") {
  Agents agents;
  agents.Heartbeat("a", kNow, kNow);
  agents.Heartbeat("b", kNow + seconds(30), kNow + seconds(30));
  // Delayed on another relay, and played again: signed before "b" began.
  for (int i = 0; i < 5; ++i) {
    CHECK_FALSE(agents.Heartbeat("a", kNow + seconds(20), kNow + seconds(40 + i)).new_clone);
    agents.Heartbeat("b", kNow + seconds(41 + i), kNow + seconds(41 + i));
  }
  CHECK_FALSE(agents.Row().cloned);
}

TEST_CASE("server agents: two processes that speak by turns are reported once, and told apart",
          "[store]") {
  Agents agents;
  int reports = 0;
  for (int i = 0; i < 6; ++i) {
    const UtcTime time = kNow + seconds(10 * i);
    if (agents.Heartbeat(i % 2 == 0 ? "a" : "b", time, time).new_clone) ++reports;
  }
  CHECK(reports == 1);
  CHECK(agents.Row().cloned);
  CHECK(agents.Read([&](ServerReader& r) { return r.ListCopies(agents.agent); }).size() == 2);
}

TEST_CASE("server agents: three copies are found as well as two", "[store]") {
  Agents agents;
  int reports = 0;
  for (int i = 0; i < 12; ++i) {
    const UtcTime time = kNow + seconds(10 * i);
    if (agents.Heartbeat(std::to_string(i % 3), time, time).new_clone) ++reports;
  }
  CHECK(reports == 1);
}

TEST_CASE("server agents: lists come in pages ordered by the id's text", "[store]") {
  ServerFixture server;
  for (int i = 0; i < 25; ++i) server.Enrol(i);
  std::vector<AgentId> ids;
  for (AgentId after;;) {
    const auto page =
        server.Read([&](ServerReader& reader) { return reader.ListAgents(kEverybody, after, 10); });
    for (const AgentRow& row : page) ids.push_back(row.id);
    if (page.size() < 10) break;
    after = page.back().id;
  }
  CHECK(ids.size() == 25);
  CHECK(std::ranges::is_sorted(ids, {}, &AgentId::Text));
  const AgentCount count =
      server.Read([](ServerReader& reader) { return reader.CountAgents(kEverybody); });
  CHECK(count.total == 25);
  CHECK(count.offline == 25);
}

TEST_CASE("server agents: agents are counted by the policy that they hold, the newest first",
          "[store]") {
  ServerFixture server;
  for (int i = 1; i <= 3; ++i) server.Enrol(i, "web" + std::to_string(i));
  for (const auto& [agent, policy] : {std::pair{1, 7}, {2, 10}}) {
    Heartbeat heartbeat = Beat(AgentNumber(agent), "a", kNow);
    heartbeat.policy = static_cast<std::uint64_t>(policy);
    server.Write([&](ServerTx& tx) { return tx.RecordHeartbeat(heartbeat, kNow); });
  }
  const auto held = server.Read([](ServerReader& reader) { return reader.CountHeldPolicies(10); });
  REQUIRE(held.size() == 3);
  CHECK(held[0].version == 10);
  CHECK(held[1].version == 7);
  CHECK(held[2].version == 0);
  CHECK(held[2].agents == 1);
  CHECK(server.Read([](ServerReader& reader) { return reader.CountHeldPolicies(1); }).size() == 1);
}

TEST_CASE("server agents: what was not taken adds up by its reason", "[store]") {
  ServerFixture server;
  const auto add = [&](const char* flaw, const char* agent, std::uint64_t count, UtcTime time) {
    server.Write([&](ServerTx& tx) { return tx.AddNotTaken({flaw, agent, count, time, time}); });
  };
  add("not_asked", "a", 2, kNow);
  add("signature", "", 1, kNow + std::chrono::seconds(1));
  add("not_asked", "b", 3, kNow + std::chrono::seconds(2));
  const auto rows = server.Read([](ServerReader& reader) { return reader.ListNotTaken(); });
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].flaw == "not_asked");
  CHECK(rows[0].count == 5);
  CHECK(rows[0].agent == "b");
  CHECK(rows[0].first == kNow);
  CHECK(rows[0].last == kNow + std::chrono::seconds(2));
  CHECK(rows[1].flaw == "signature");
}

TEST_CASE("server agents: a target's pattern and parameters choose", "[store]") {
  ServerFixture server;
  server.Enrol(1, "web1");
  server.Enrol(2, "web2");
  server.Enrol(3, "db1");
  const Target::Sql where{"mig_match(name, ?) AND name != ?",
                          {std::string("^web[0-9]"), std::string("web2")}};
  const auto rows =
      server.Read([&](ServerReader& reader) { return reader.ListAgents(where, AgentId(), 10); });
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].name == "web1");
}

TEST_CASE("server agents: targets as people write them choose", "[store]") {
  ServerFixture server;
  for (int i = 1; i <= 12; ++i) server.Enrol(i, (i % 2 == 0 ? "web" : "DB") + std::to_string(i));
  const auto chosen = [&](std::string_view text) {
    const auto target = Target::Parse(text);
    REQUIRE(target);
    const Target::Sql where = target->ToSql(kNow);
    const auto rows =
        server.Read([&](ServerReader& reader) { return reader.ListAgents(where, AgentId(), 50); });
    const AgentCount count =
        server.Read([&](ServerReader& reader) { return reader.CountAgents(where); });
    CHECK(count.total == rows.size());
    return rows.size();
  };
  CHECK(chosen("all") == 12);
  CHECK(chosen("name LIKE 'web%'") == 6);
  CHECK(chosen("name LIKE 'db%'") == 0);  // minds case, as in PostgreSQL
  CHECK(chosen("name ILIKE 'db%' OR name ~ '^web1[02]$'") == 8);
  CHECK(chosen("status = 'offline' AND NOT name LIKE 'web%'") == 6);
  CHECK(chosen("id = '" + AgentNumber(3).Text() + "'") == 1);
  CHECK(chosen("tags->>'operator' = 'it' OR NOT tags->>'operator' = 'it'") == 0);
  CHECK(chosen("environment->>'os' IS NULL AND found(aaaqeayeaudaocajbifqydiob4)") == 0);
  // More patterns than any cache of a few, each asked of each row.
  std::string many = "name LIKE 'web2'";
  for (int i = 0; i < 300; ++i) many += " OR name LIKE 'x" + std::to_string(i) + "%'";
  CHECK(chosen(many) == 1);
}

TEST_CASE("server agents: a token's uses are taken one by one and end", "[store]") {
  ServerFixture server;
  const Bytes hash = Sha256("secret");
  server.Write([&](ServerTx& tx) {
    TokenRow token;
    token.hash = hash;
    token.uses = token.uses_left = 2;
    token.created = kNow;
    token.expires = kNow + minutes(60);
    token.note = "lab";
    return tx.AddToken(token);
  });
  const auto use = [&](BytesView with, UtcTime now) {
    return server.db->WriteNow([&](ServerTx& tx) { return tx.UseToken(with, now); });
  };
  CHECK_FALSE(use(Sha256("guess"), kNow));
  CHECK_FALSE(use(hash, kNow + minutes(61)));
  CHECK(use(hash, kNow));
  CHECK(use(hash, kNow));
  auto refused = use(hash, kNow);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::kDenied);
}

TEST_CASE("server agents: statistics count what the table says", "[store]") {
  Agents agents;
  agents.Enrol(2);
  agents.Heartbeat("a", kNow, kNow);
  agents.Write([](ServerTx& tx) { return tx.RecordStatistics(kNow); });
  auto database = Database::Open(agents.file, Access::kReadOnly);
  REQUIRE(database);
  auto query = database->Prepare("SELECT online, offline, by_version FROM agents_stats");
  REQUIRE(*query->Step());
  CHECK(query->Integer(0) == 1);
  CHECK(query->Integer(1) == 1);
  CHECK(query->Text(2) == R"({"1.0":1})");
}

LedgerMark MarkOf(std::uint64_t length, char head) { return {length, Bytes(32, head)}; }

TEST_CASE("server agents: a later word with a shorter ledger, or another one, shows", "[store]") {
  Agents agents;
  const auto word = [&](LedgerMark mark, UtcTime time) {
    return agents.Write(
        [&](ServerTx& tx) { return tx.RecordLedger(agents.agent, mark, time, kNow); });
  };
  CHECK_FALSE(word(MarkOf(5, 'e'), kNow));
  CHECK_FALSE(word(MarkOf(9, 'i'), kNow + seconds(9)));
  // Late, or said twice: that is how messages come.
  CHECK_FALSE(word(MarkOf(5, 'e'), kNow));
  CHECK_FALSE(word(MarkOf(9, 'i'), kNow + seconds(10)));
  CHECK_FALSE(agents.Row().ledger_back);
  SECTION("shorter") { CHECK(word(MarkOf(8, 'h'), kNow + seconds(20))); }
  SECTION("another of the same length") { CHECK(word(MarkOf(9, 'x'), kNow)); }
  CHECK(agents.Row().ledger_back == kNow);
  CHECK(agents.Row().ledger_before == 9);
  CHECK(agents.Row().ledger_length == 9);
  CHECK_FALSE(word(MarkOf(7, 'g'), kNow + seconds(30)));  // said once

  agents.Write([&](ServerTx& tx) { return tx.ReleaseAgent(agents.agent, kNow, kNow); });
  CHECK_FALSE(agents.Row().ledger_back);
  CHECK_FALSE(word(MarkOf(8, 'y'), kNow + seconds(40)));
  CHECK(agents.Row().ledger_length == 8);
}

TEST_CASE("server agents: a heartbeat says how long the ledger is", "[store]") {
  Agents agents;
  const auto beat = [&](std::uint64_t length, UtcTime time) {
    return agents.Write([&](ServerTx& tx) {
      mig::Heartbeat heartbeat = Beat(agents.agent, "a", time);
      heartbeat.ledger = MarkOf(length, 'h');
      return tx.RecordHeartbeat(heartbeat, time);
    });
  };
  CHECK_FALSE(beat(12, kNow).ledger_back);
  CHECK(agents.Row().ledger_length == 12);
  CHECK(beat(3, kNow + seconds(60)).ledger_back);
}

TEST_CASE("server agents: a clone is released once only one of its machines speaks", "[store]") {
  Agents agents;
  UtcTime now = kNow;
  for (const char* boot : {"a", "b", "a", "b", "a"}) {
    now += seconds(30);
    agents.Heartbeat(boot, now, now);
  }
  REQUIRE(agents.Row().cloned);
  const ActionId action = agents.Fly(1);
  const auto release = [&] {
    return agents.db->WriteNow(
        [&](ServerTx& tx) { return tx.ReleaseAgent(agents.agent, now - minutes(3), now); });
  };
  CHECK_FALSE(release());
  now += minutes(2);
  agents.Heartbeat("a", now, now);
  CHECK_FALSE(release());
  now += minutes(2);
  agents.Heartbeat("a", now, now);
  auto due = agents.Read([&](ServerReader& r) { return r.ListDueCommands(now, 10); });
  REQUIRE(due.size() == 1);
  CHECK(due[0].held);
  agents.Write([&](ServerTx& tx) { return tx.SetDue(action, agents.agent, std::nullopt); });
  REQUIRE(release());
  CHECK_FALSE(agents.Row().cloned);
  due = agents.Read([&](ServerReader& r) { return r.ListDueCommands(now, 10); });
  REQUIRE(due.size() == 1);
  CHECK_FALSE(due[0].held);
  CHECK_FALSE(release());  // there is nothing to release
  // The other one comes back: it is found again.
  for (const char* boot : {"b", "a", "b", "a", "b"}) {
    now += seconds(30);
    agents.Heartbeat(boot, now, now);
  }
  CHECK(agents.Row().cloned);
}

TEST_CASE("server agents: why a command is not sent stands there until it is sent", "[store]") {
  Agents agents;
  const ActionId action = agents.Fly(1);
  agents.Write([&](ServerTx& tx) { return tx.NoteHeld(action, agents.agent, "cloned"); });
  CHECK(agents.Command(action, agents.agent).code == "held");
  CHECK(agents.Command(action, agents.agent).status == CommandStatus::kPrepared);
  agents.Write([&](ServerTx& tx) { return tx.MarkSent(action, agents.agent, {}, kNow); });
  CHECK(agents.Command(action, agents.agent).code.empty());
  CHECK(agents.Command(action, agents.agent).detail.empty());
}

}  // namespace
}  // namespace mig::store
