#include "store/agent_db.h"

#include <catch2/catch.hpp>

#include "crypto/digest.h"
#include "store/sqlite.h"
#include "test/deployment.h"
#include "test/skip.h"
#include "test/small_disk.h"
#include "test/temp_folder.h"

namespace mig::store {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

// An agent's database that can be closed and opened again, as by a restart.
struct Disk {
  TempFolder folder;
  AgentDbOptions options;
  Deployment deployment;
  std::unique_ptr<AgentDb> db;

  explicit Disk(std::uint64_t outbox_bytes = 1 << 20) {
    options.outbox_bytes = outbox_bytes;
    options.reserve_bytes = 64 << 10;
    Restart();
  }

  void Restart() {
    db.reset();
    auto opened = AgentDb::Open(folder / "agent.db", options);
    if (!opened) FAIL(opened.error().message());
    db = std::move(*opened);
  }

  LedgerNote Note(std::string event) const {
    return LedgerNote{deployment.now, std::move(event), json::object{{"x", 1}}};
  }

  Accepted AcceptedFor(const Action& action) const {
    Accepted accepted;
    accepted.action = action;
    accepted.digest = Sha256(EncodeAction(action));
    accepted.people = {"ann"};
    return accepted;
  }

  Action AcceptOne() {
    const Action action = deployment.ActionFor();
    REQUIRE(db->Accept(AcceptedFor(action), "envelope", action.validfrom, Note("accepted")));
    return action;
  }
  Action StartOne() {
    const Action action = AcceptOne();
    REQUIRE(db->MarkStarted(action.id, Note("started")));
    return action;
  }

  NewPart Part(const Action& action, std::uint64_t seq, std::size_t bytes = 100,
               bool ends = false) const {
    NewPart part;
    part.action = action.id;
    part.seq = seq;
    part.ends_operation = ends;
    part.digest = Sha256(std::to_string(seq));
    part.envelope = Bytes(bytes, static_cast<char>('0' + seq % 10));
    return part;
  }

  std::vector<std::uint64_t> WaitingSeqs() const {
    std::vector<std::uint64_t> seqs;
    auto waiting = db->Waiting(0, 1 << 30);
    REQUIRE(waiting);
    for (const StoredPart& part : *waiting) seqs.push_back(part.seq);
    return seqs;
  }

  std::vector<std::string> Ledger() const {
    std::vector<std::string> events;
    LedgerChain chain;
    REQUIRE(ReadLedger(folder / "agent.db", [&](const LedgerEntry& entry) {
      CHECK(chain.Follow(entry));
      events.push_back(entry.event);
      return true;
    }));
    CHECK(chain.length() == db->ledger_mark().length);
    CHECK(chain.head() == db->ledger_mark().head);
    return events;
  }
};

using Seqs = std::vector<std::uint64_t>;
using Events = std::vector<std::string>;

TEST_CASE("agent db: an accepted action survives a restart, with its digest", "[store]") {
  Disk disk;
  const Action action = disk.AcceptOne();
  disk.Restart();
  const auto seen = disk.db->Find(action.id);
  REQUIRE(seen);
  REQUIRE(*seen);
  CHECK((*seen)->digest == Sha256(EncodeAction(action)));
  const auto open = disk.db->Unfinished();
  REQUIRE(open);
  REQUIRE(open->size() == 1);
  CHECK((*open)[0].id == action.id);
  CHECK((*open)[0].state == RunState::kReceived);
  CHECK((*open)[0].attempts == 0);
  CHECK((*open)[0].envelope == "envelope");
  CHECK((*open)[0].expireafter == action.expireafter);
}

TEST_CASE("agent db: an unknown id is unknown", "[store]") {
  const Disk disk;
  const ActionId id = disk.deployment.ActionFor().id;
  CHECK_FALSE(*disk.db->Find(id));
  CHECK_FALSE(*disk.db->IsStopped(id));
  CHECK_FALSE(*disk.db->Recall(id));
  CHECK(disk.db->ProgressOf(id).error().code() == Errc::kNotFound);
}

TEST_CASE("agent db: an id is accepted once", "[store]") {
  Disk disk;
  const Action action = disk.AcceptOne();
  const auto again =
      disk.db->Accept(disk.AcceptedFor(action), "other", action.validfrom, disk.Note("accepted"));
  REQUIRE_FALSE(again);
  CHECK(again.error().code() == Errc::kExists);
  CHECK(disk.Ledger() == Events{"accepted"});
}

TEST_CASE("agent db: attempts are counted, and a finished action does not start", "[store]") {
  Disk disk;
  const Action action = disk.StartOne();
  disk.Restart();
  REQUIRE(disk.db->MarkStarted(action.id, disk.Note("started")));
  CHECK((*disk.db->Recall(action.id))->attempts == 2);
  REQUIRE(disk.db->Finish(disk.Part(action, 0, 10, true), CommandStatus::kSuccess,
                          disk.Note("answered")));
  CHECK_FALSE(disk.db->MarkStarted(action.id, disk.Note("started")));
  const auto finished = disk.db->Recall(action.id);
  CHECK((*finished)->state == RunState::kFinished);
  CHECK((*finished)->status == CommandStatus::kSuccess);
  CHECK((*finished)->envelope.empty());
  CHECK(disk.db->Unfinished()->empty());
  CHECK(disk.Ledger() == Events{"accepted", "started", "started", "answered"});
}

TEST_CASE("agent db: unfinished actions come back in the order in which they came", "[store]") {
  Disk disk;
  const Action first = disk.AcceptOne();
  const Action second = disk.AcceptOne();
  REQUIRE(disk.db->MarkStarted(second.id, disk.Note("started")));
  const auto open = disk.db->Unfinished();
  REQUIRE(open->size() == 2);
  CHECK((*open)[0].id == first.id);
  CHECK((*open)[1].id == second.id);
  CHECK((*open)[1].state == RunState::kStarted);
}

TEST_CASE("agent db: a stop is remembered even before its action, over a restart", "[store]") {
  Disk disk;
  const Action action = disk.deployment.ActionFor();
  const Action stop = disk.deployment.StopFor(action.id);
  REQUIRE(
      disk.db->Accept(disk.AcceptedFor(stop), "envelope", stop.validfrom, disk.Note("stopped")));
  disk.Restart();
  CHECK(*disk.db->IsStopped(action.id));
  CHECK_FALSE(*disk.db->IsStopped(stop.id));
  CHECK(*disk.db->Find(stop.id));
  CHECK(disk.db->Unfinished()->empty());
}

TEST_CASE("agent db: ids and stops are forgotten a day after their expiry in signed time",
          "[store]") {
  Disk disk;
  Action action = disk.StartOne();
  REQUIRE(disk.db->Finish(disk.Part(action, 0), CommandStatus::kSuccess, disk.Note("answered")));
  const Action stop = disk.deployment.StopFor(action.id);
  REQUIRE(
      disk.db->Accept(disk.AcceptedFor(stop), "envelope", stop.validfrom, disk.Note("stopped")));
  const auto accept_later = [&](UtcTime floor) {
    Action later = disk.deployment.ActionFor();
    later.expireafter = floor + hours(1);
    REQUIRE(disk.db->Accept(disk.AcceptedFor(later), "e", floor, disk.Note("accepted")));
    REQUIRE(disk.db->Forget());
  };
  accept_later(action.expireafter + hours(24));
  CHECK(*disk.db->Find(action.id));
  CHECK(*disk.db->IsStopped(action.id));
  CHECK(disk.db->HasWaiting());
  accept_later(action.expireafter + hours(24) + std::chrono::milliseconds(1));
  CHECK_FALSE(*disk.db->Find(action.id));
  CHECK_FALSE(*disk.db->IsStopped(action.id));
  CHECK_FALSE(disk.db->HasWaiting());
  CHECK(disk.WaitingSeqs().empty());
}

TEST_CASE("agent db: parts follow one another, and the progress survives", "[store]") {
  Disk disk;
  const Action action = disk.StartOne();
  REQUIRE(disk.db->AddPart(disk.Part(action, 0)));
  REQUIRE(disk.db->AddPart(disk.Part(action, 1, 100, true)));
  REQUIRE(disk.db->AddPart(disk.Part(action, 2)));
  CHECK(disk.db->AddPart(disk.Part(action, 2)).error().code() == Errc::kInternal);
  CHECK(disk.db->AddPart(disk.Part(action, 4)).error().code() == Errc::kInternal);
  disk.Restart();
  const auto progress = disk.db->ProgressOf(action.id);
  REQUIRE(progress);
  CHECK(progress->next_seq == 3);
  CHECK(progress->last_digest == Sha256("2"));
  CHECK(progress->operations_ended == 1);
  CHECK(progress->open_parts == 1);
  CHECK(disk.WaitingSeqs() == Seqs{0, 1, 2});
}

TEST_CASE("agent db: the first failure of an operation is kept", "[store]") {
  Disk disk;
  const Action action = disk.StartOne();
  CHECK_FALSE(disk.db->ProgressOf(action.id)->first_failure);
  NewPart part = disk.Part(action, 0, 100, true);
  part.failure = CommandStatus::kFailed;
  REQUIRE(disk.db->AddPart(part));
  part = disk.Part(action, 1, 100, true);
  part.failure = CommandStatus::kTimeout;
  REQUIRE(disk.db->AddPart(part));
  disk.Restart();
  CHECK(disk.db->ProgressOf(action.id)->first_failure == CommandStatus::kFailed);
}

TEST_CASE("agent db: a part of an unknown or finished action is refused", "[store]") {
  Disk disk;
  const Action finished = disk.AcceptOne();  // one that never ran can say why
  REQUIRE(disk.db->Finish(disk.Part(finished, 0), CommandStatus::kExpired, disk.Note("answered")));
  CHECK_FALSE(disk.db->AddPart(disk.Part(finished, 1)));
  REQUIRE(disk.db->Acknowledge(finished.id, {0}));
  CHECK_FALSE(disk.db->AddPart(disk.Part(disk.deployment.ActionFor(), 0)));
  CHECK_FALSE(disk.db->HasWaiting());
}

TEST_CASE("agent db: waiting parts come in pages, oldest first", "[store]") {
  Disk disk;
  const Action action = disk.StartOne();
  for (std::uint64_t seq = 0; seq < 5; ++seq) REQUIRE(disk.db->AddPart(disk.Part(action, seq)));
  auto page = disk.db->Waiting(0, 150);
  REQUIRE(page->size() == 2);
  CHECK((*page)[0].envelope == Bytes(100, '0'));
  page = disk.db->Waiting((*page)[1].number, 1);
  REQUIRE(page->size() == 1);
  CHECK((*page)[0].seq == 2);
}

TEST_CASE("agent db: acknowledged parts wait no more, until they are repeated", "[store]") {
  Disk disk;
  const Action action = disk.StartOne();
  for (std::uint64_t seq = 0; seq < 3; ++seq) REQUIRE(disk.db->AddPart(disk.Part(action, seq)));
  REQUIRE(disk.db->Acknowledge(action.id, {0, 2, 2, 99}));
  CHECK(disk.WaitingSeqs() == Seqs{1});
  CHECK(disk.db->HasWaiting());
  REQUIRE(disk.db->Acknowledge(action.id, {1}));
  CHECK_FALSE(disk.db->HasWaiting());
  disk.Restart();
  CHECK_FALSE(disk.db->HasWaiting());
  CHECK(*disk.db->Repeat(action.id) == 3);
  CHECK(disk.WaitingSeqs() == Seqs{0, 1, 2});
  REQUIRE(disk.db->Acknowledge(disk.deployment.ActionFor().id, {0}));
  CHECK(disk.WaitingSeqs().size() == 3);
}

TEST_CASE("agent db: a full outbox drops delivered parts, never undelivered ones", "[store]") {
  Disk disk(1000);
  const Action action = disk.StartOne();
  for (std::uint64_t seq = 0; seq < 10; ++seq) REQUIRE(disk.db->AddPart(disk.Part(action, seq)));
  const auto full = disk.db->AddPart(disk.Part(action, 10));
  REQUIRE_FALSE(full);
  CHECK(full.error().code() == Errc::kFull);
  CHECK(full.error().message().find("outbox full") != std::string::npos);

  REQUIRE(disk.db->Acknowledge(action.id, {4, 3}));
  REQUIRE(disk.db->AddPart(disk.Part(action, 10, 150)));  // 3 and 4 make room for it
  CHECK(*disk.db->Repeat(action.id) == 0);
  CHECK(disk.db->AddPart(disk.Part(action, 11)).error().code() == Errc::kFull);
  CHECK(disk.WaitingSeqs() == Seqs{0, 1, 2, 5, 6, 7, 8, 9, 10});
  // The bound holds over a restart.
  disk.Restart();
  CHECK(disk.db->AddPart(disk.Part(action, 11)).error().code() == Errc::kFull);
}

TEST_CASE("agent db: the last part is stored even in a full outbox", "[store]") {
  Disk disk(1000);
  const Action action = disk.StartOne();
  REQUIRE(disk.db->AddPart(disk.Part(action, 0, 1000)));
  CHECK_FALSE(disk.db->AddPart(disk.Part(action, 1)));
  CHECK(disk.db->Finish(disk.Part(action, 1, 100, true), CommandStatus::kFailed,
                        disk.Note("answered")));
  CHECK(disk.WaitingSeqs() == Seqs{0, 1});
}

TEST_CASE("agent db: results that nobody has waited for since a day are dropped", "[store]") {
  Disk disk;
  const Action action = disk.StartOne();
  REQUIRE(disk.db->AddPart(disk.Part(action, 0)));
  REQUIRE(disk.db->Finish(disk.Part(action, 1, 100, true), CommandStatus::kSuccess,
                          disk.Note("answered")));
  CHECK(*disk.db->DropStaleParts(action.expireafter + hours(24)) == 0);
  CHECK(*disk.db->DropStaleParts(action.expireafter + hours(25)) == 2);
  CHECK_FALSE(disk.db->HasWaiting());
  CHECK(*disk.db->Find(action.id));  // the id itself stays until signed time has passed
}

TEST_CASE("agent db: the time floor rises with what is accepted, and never falls", "[store]") {
  Disk disk;
  const UtcTime now = disk.deployment.now;
  REQUIRE(disk.db->KeepPolicy(1, 3, "{}", now, disk.Note("policy")));
  disk.AcceptOne();  // valid since a minute before
  CHECK(disk.db->Trust()->time_floor == now);
  disk.deployment.now += hours(1);
  disk.AcceptOne();
  disk.Restart();
  CHECK(disk.db->Trust()->time_floor == now + minutes(59));
}

TEST_CASE("agent db: policy versions do not go back, in neither number", "[store]") {
  Disk disk;
  CHECK(disk.db->Trust()->documents.empty());
  REQUIRE(disk.db->KeepPolicy(2, 5, "five", disk.deployment.now, disk.Note("policy")));
  disk.Restart();
  for (const auto& [root, policy] : {std::pair{2, 4}, {1, 5}, {1, 6}, {3, 4}}) {
    const auto back =
        disk.db->KeepPolicy(static_cast<std::uint64_t>(root), static_cast<std::uint64_t>(policy),
                            "back", disk.deployment.now + hours(9), disk.Note("policy"));
    REQUIRE_FALSE(back);
    CHECK(back.error().code() == Errc::kDenied);
  }
  const auto trust = disk.db->Trust();
  CHECK(trust->documents == "five");
  CHECK(trust->time_floor == disk.deployment.now);
  CHECK(disk.Ledger() == Events{"policy"});
  CHECK(disk.db->KeepPolicy(3, 5, "roots", disk.deployment.now, disk.Note("policy")));
}

TEST_CASE("agent db: the ledger goes on where it stood, and cannot be rewritten", "[store]") {
  Disk disk;
  REQUIRE(disk.db->AppendToLedger(disk.Note("startup")));
  const LedgerMark before = disk.db->ledger_mark();
  disk.Restart();
  CHECK(disk.db->ledger_mark().length == before.length);
  CHECK(disk.db->ledger_mark().head == before.head);
  REQUIRE(disk.db->AppendToLedger(disk.Note("refused")));
  CHECK(disk.Ledger() == Events{"startup", "refused"});
  auto raw = Database::Open(disk.folder / "agent.db");
  REQUIRE(raw);
  CHECK_FALSE(raw->Execute("UPDATE ledger SET text = 'x'"));
  CHECK_FALSE(raw->Execute("DELETE FROM ledger"));
}

TEST_CASE("agent db: a ledger changed behind its back shows when it is read", "[store]") {
  Disk disk;
  for (int i = 0; i < 3; ++i) REQUIRE(disk.db->AppendToLedger(disk.Note("startup")));
  auto raw = Database::Open(disk.folder / "agent.db");
  REQUIRE(
      raw->Execute("DROP TRIGGER ledger_unchanged;"
                   "UPDATE ledger SET text = replace(text, '\"x\":1', '\"x\":2')"
                   " WHERE number = 2"));
  LedgerChain chain;
  std::string finding;
  REQUIRE(ReadLedger(disk.folder / "agent.db", [&](const LedgerEntry& entry) {
    auto follows = chain.Follow(entry);
    if (!follows) finding = follows.error().message();
    return follows.has_value();
  }));
  CHECK(finding == "ledger entry 2: was changed after it was written");
}

TEST_CASE("agent db: nothing is accepted when the reserve cannot be taken", "[store]") {
  Disk disk;
  disk.options.reserve_bytes = std::uint64_t{1} << 60;
  disk.Restart();
  const Action action = disk.deployment.ActionFor();
  const auto refused = disk.db->Accept(disk.AcceptedFor(action), "envelope", action.validfrom,
                                       disk.Note("accepted"));
  REQUIRE_FALSE(refused);
  CHECK_FALSE(*disk.db->Find(action.id));
  CHECK(disk.Ledger().empty());
  // A stop runs nothing: it is taken.
  const Action stop = disk.deployment.StopFor(action.id);
  CHECK(disk.db->Accept(disk.AcceptedFor(stop), "envelope", stop.validfrom, disk.Note("stopped")));
}

// The scene of a full disk: somebody else fills it while an action runs.
TEST_CASE("agent db: on a full disk what was begun is written to its end, nothing new begins",
          "[store]") {
  const SmallDisk disk(std::uint64_t{2} << 20);
  if (!disk.available()) MIG_SKIP("this machine lets nobody mount a small file system");
  const std::string finding = disk.Run([](const std::filesystem::path& folder) -> std::string {
    const Deployment deployment;
    AgentDbOptions options;
    options.reserve_bytes = 512 << 10;
    auto db = AgentDb::Open(folder / "agent.db", options);
    if (!db) return db.error().message();
    const LedgerNote note{deployment.now, "event", {}};
    Accepted accepted;
    accepted.action = deployment.ActionFor();
    const ActionId id = accepted.action.id;
    if (!(*db)->Accept(accepted, "envelope", deployment.now, note)) return "no room at first";
    if (!(*db)->MarkStarted(id, note)) return "not started";

    FillDisk(folder / "filler");
    NewPart part;
    part.action = id;
    part.digest = Bytes(32, 'd');
    part.envelope = Bytes(100'000, 'e');
    Errc code = Errc::kInternal;
    for (; part.seq < 40; ++part.seq) {
      auto added = (*db)->AddPart(part);
      if (!added) {
        code = added.error().code();
        break;
      }
    }
    if (code != Errc::kFull) return "parts went on";
    part.envelope.resize(1000);
    if (auto ok = (*db)->Finish(part, CommandStatus::kFailed, note); !ok) {
      return "not finished: " + ok.error().message();
    }
    accepted.action = deployment.ActionFor();
    auto next = (*db)->Accept(accepted, "envelope", deployment.now, note);
    if (next || next.error().code() != Errc::kFull) return "a new action was accepted";
    if (*(*db)->Find(accepted.action.id)) return "a refused action is remembered";

    std::filesystem::remove(folder / "filler");
    if (!(*db)->Accept(accepted, "envelope", deployment.now, note)) return "no room afterwards";
    return "as it should be";
  });
  CHECK(finding == "as it should be");
}

}  // namespace

TEST_CASE("agent db: a freshness statement survives a restart, and goes with its policy",
          "[store][agent]") {
  TempFolder folder;
  const auto file = folder / "agent.db";
  const UtcTime floor{std::chrono::milliseconds{1'790'000'000'000}};
  {
    auto db = AgentDb::Open(file);
    REQUIRE(db);
    REQUIRE((*db)->KeepPolicy(1, 1, "documents", floor, {floor, "policy", {}}));
    REQUIRE((*db)->KeepFreshness("statement"));
  }
  auto db = AgentDb::Open(file);
  REQUIRE(db);
  CHECK((*db)->Trust()->freshness == "statement");
  REQUIRE((*db)->KeepPolicy(1, 2, "documents", floor, {floor, "policy", {}}));
  CHECK((*db)->Trust()->freshness.empty());
}

}  // namespace mig::store
