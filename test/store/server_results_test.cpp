#include <catch2/catch.hpp>

#include "test/store/server_fixture.h"

namespace mig::store {
namespace {

struct Results : ServerFixture {
  AgentId agent = Enrol(1);
  ActionId action = Fly(1);

  AddedPart Add(std::uint64_t seq, bool last = false, std::string text = {}, bool found = false,
                std::size_t size = 100) {
    IncomingPart part;
    part.action = action;
    part.agent = agent;
    part.seq = seq;
    part.last = last;
    if (last) part.status = CommandStatus::kSuccess;
    part.found = found;
    part.digest = Sha256(text + std::to_string(seq));
    part.envelope = std::string(size, 'e');
    return Write([&](ServerTx& tx) { return tx.AddPart(part, kNow); });
  }
  std::optional<bool> Found() { return Command(action, agent).found; }
};

TEST_CASE("server results: a command is done when its last part and all before are there",
          "[store]") {
  Results results;
  CHECK_FALSE(results.Add(0, false, "", true).finished);
  CHECK_FALSE(results.Add(2, true).finished);  // a gap
  CHECK(results.Command(results.action, results.agent).status == CommandStatus::kRunning);
  CHECK(results.Found() == true);
  CHECK(results.Add(1).finished);
  CHECK(results.Command(results.action, results.agent).status == CommandStatus::kSuccess);
  CHECK(results.Read([&](ServerReader& r) { return r.CountCommands(results.action); }).found == 1);
}

TEST_CASE("server results: nothing found is known only at the end", "[store]") {
  Results results;
  results.Add(0);
  CHECK_FALSE(results.Found().has_value());
  results.Add(1, true);
  CHECK(results.Found() == false);
}

TEST_CASE("server results: the same part again is known; another one in its place is a conflict",
          "[store]") {
  Results results;
  CHECK(results.Add(0).outcome == PartOutcome::kStored);
  CHECK(results.Add(0).outcome == PartOutcome::kRepeated);
  CHECK(results.Add(0, false, "altered").outcome == PartOutcome::kConflict);
  CHECK(results.Add(1, true).outcome == PartOutcome::kStored);
  CHECK(results.Add(1, true).outcome == PartOutcome::kRepeated);
  CHECK(results.Add(2).outcome == PartOutcome::kConflict);
  CHECK(results.Read([&](ServerReader& r) { return r.ListParts(results.action, 0, 100, 1 << 20); })
            .size() == 2);
}

TEST_CASE("server results: a last part before parts that are there is a conflict", "[store]") {
  Results results;
  results.Add(3);
  CHECK(results.Add(2, true).outcome == PartOutcome::kConflict);
  CHECK(results.Add(4, true).outcome == PartOutcome::kStored);
}

TEST_CASE("server results: parts of an action that the agent was not asked are not stored",
          "[store]") {
  Results results;
  const AgentId other = results.Enrol(2);
  IncomingPart part{results.action,          other, 0,           true,
                    CommandStatus::kSuccess, true,  Sha256("x"), "{}"};
  const auto add = [&] {
    return results.Write([&](ServerTx& tx) { return tx.AddPart(part, kNow); });
  };
  CHECK(add().outcome == PartOutcome::kNoCommand);
  part.agent = results.agent;
  part.action = ActionNumber(7);
  CHECK(add().outcome == PartOutcome::kNoCommand);
}

TEST_CASE("server results: a refusal is not followed by results", "[store]") {
  Results results;
  results.Receive(results.action, results.agent, "refused", "expired");
  CHECK(results.Add(0).outcome == PartOutcome::kConflict);
}

TEST_CASE("server results: what comes after expiry is stored and marked late, the status stays",
          "[store]") {
  Results results;
  results.Add(0);
  const UtcTime after = kNow + std::chrono::minutes(6);
  results.Write([&](ServerTx& tx) { return tx.ExpireOverdue(after, 100, after); });
  const std::int64_t finish = results.Command(results.action, results.agent).finish;
  const AddedPart stored = results.Add(1, true, "", true);
  CHECK(stored.outcome == PartOutcome::kStored);
  CHECK(stored.late);
  CHECK_FALSE(stored.finished);
  const CommandRow command = results.Command(results.action, results.agent);
  CHECK(command.status == CommandStatus::kExpired);
  CHECK(command.late);
  CHECK(command.found == true);
  CHECK(command.finish > finish);  // who follows the finished commands sees it again
  CHECK(results.Read([&](ServerReader& r) { return r.CountCommands(results.action); }).late == 1);
  const auto parts =
      results.Read([&](ServerReader& r) { return r.ListParts(results.action, 0, 10, 1 << 20); });
  REQUIRE(parts.size() == 2);
  CHECK_FALSE(parts[0].late);
  CHECK(parts[1].late);
}

TEST_CASE("server results: an agent cannot store more than its action's limits allow", "[store]") {
  Results results;  // limits.bytes is 1 MiB: twice that and 4 MiB fit
  int stored = 0;
  std::uint64_t seq = 0;
  while (results.Add(seq, false, "", false, 256 * 1024).outcome == PartOutcome::kStored) {
    ++stored;
    ++seq;
  }
  CHECK(stored == 24);
  CHECK(results.Add(seq, false, "", false, 256 * 1024).outcome == PartOutcome::kTooMuch);
  CHECK(results.Add(std::uint64_t{1} << 63).outcome == PartOutcome::kTooMuch);
}

TEST_CASE("server results: pages end by rows or bytes and always go on", "[store]") {
  Results results;
  for (std::uint64_t seq = 0; seq < 10; ++seq) results.Add(seq, false, "", false, 1000);
  std::vector<std::uint64_t> seqs;
  int pages = 0;
  for (std::int64_t after = 0;;) {
    const auto page =
        results.Read([&](ServerReader& r) { return r.ListParts(results.action, after, 4, 2500); });
    if (page.empty()) break;
    ++pages;
    CHECK(page.size() <= 3);
    for (const PartRow& part : page) seqs.push_back(part.seq);
    after = page.back().row;
  }
  CHECK(pages == 4);
  CHECK(seqs == std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  CHECK(
      results.Read([&](ServerReader& r) { return r.ListParts(results.action, 0, 4, 1); }).size() ==
      1);
}

TEST_CASE("server results: found and notfound choose among those who answered", "[store]") {
  ServerFixture server;
  const AgentId finds = server.Enrol(1), finds_nothing = server.Enrol(2);
  server.Enrol(3);  // does not answer
  const ActionId action = server.Fly(1);
  for (const AgentId& agent : {finds, finds_nothing}) {
    IncomingPart part{action,         agent,          0,   true, CommandStatus::kSuccess,
                      agent == finds, Sha256("part"), "{}"};
    server.Write([&](ServerTx& tx) { return tx.AddPart(part, kNow); });
  }
  for (const std::int64_t want : {1, 0}) {
    const Target::Sql where{"mig_found(id, ?, ?)", {action.Text(), want}};
    const auto rows =
        server.Read([&](ServerReader& r) { return r.ListAgents(where, AgentId(), 10); });
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].id == (want == 1 ? finds : finds_nothing));
  }
}

}  // namespace
}  // namespace mig::store
