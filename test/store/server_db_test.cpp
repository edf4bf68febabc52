// The writer's groups, several handles on one file, and reopening. What may be written is tested in
// server_actions_test.cpp, server_agents_test.cpp and server_results_test.cpp.
#include "store/server_db.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <functional>
#include <future>
#include <latch>
#include <thread>

#include "test/store/server_fixture.h"

namespace mig::store {
namespace {

TEST_CASE("server_db: a work that fails undoes its own changes and nobody else's", "[store]") {
  ServerFixture server;
  // The first work holds the writer until the others have gathered: they become one group.
  std::promise<void> go;
  auto gone = go.get_future().share();
  REQUIRE(server.db->Write(
      [gone](ServerTx&) -> Expected<void> {
        gone.wait();
        return {};
      },
      {}));
  std::latch told(3);
  std::vector<bool> outcomes(3);
  const auto write = [&](std::size_t index, const char* event, bool fails) {
    REQUIRE(server.db->Write(
        [=](ServerTx& tx) -> Expected<void> {
          auto done = tx.Audit("test", event, "", "{}", kNow);
          if (!done || !fails) return done;
          return Error(Errc::kInvalid, "on purpose");
        },
        [&, index](Expected<void> outcome) {
          outcomes[index] = outcome.has_value();
          told.count_down();
        }));
  };
  write(0, "one", false);
  write(1, "two", true);
  write(2, "three", false);
  go.set_value();
  told.wait();
  CHECK(outcomes == std::vector<bool>{true, false, true});
  auto audit = server.db->Read([](ServerReader& reader) { return reader.ListAudit(0, 10); });
  REQUIRE(audit);
  REQUIRE(audit->size() == 2);
  CHECK(audit->at(0).event == "three");
  CHECK(audit->at(1).event == "one");
}

TEST_CASE("server_db: a full queue is refused and nothing of it runs", "[store]") {
  ServerFixture server(ServerDb::Options{.queue = 2});
  std::promise<void> begun, go;
  auto gone = go.get_future().share();
  REQUIRE(server.db->Write(
      [&begun, gone](ServerTx&) -> Expected<void> {
        begun.set_value();
        gone.wait();
        return {};
      },
      {}));
  begun.get_future().wait();
  std::atomic<int> ran = 0;
  const ServerDb::Work count = [&](ServerTx&) -> Expected<void> {
    ++ran;
    return {};
  };
  CHECK(server.db->Write(count, {}));
  CHECK(server.db->Write(count, {}));
  auto refused = server.db->Write(count, [&](const Expected<void>&) { ran = 100; });
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::kFull);
  go.set_value();
  server.db.reset();  // writes what was queued
  CHECK(ran == 2);
}

TEST_CASE("server_db: what is told as done is there for other connections", "[store]") {
  ServerFixture server;
  auto other = ServerReader::Open(server.file);
  REQUIRE(other);
  server.Write([](ServerTx& tx) { return tx.Audit("test", "event", "", "{}", kNow); });
  CHECK((*other)->ListAudit(0, 10)->size() == 1);
}

TEST_CASE("server_db: two processes write to one file without losing anything", "[store]") {
  ServerFixture server;
  constexpr int kWrites = 200;
  const auto write_all = [&](ServerDb& db, const char* actor) {
    bool all = true;
    for (int i = 0; i < kWrites; ++i) {
      all = db.WriteNow([&](ServerTx& tx) {
                return tx.Audit(actor, "event", std::to_string(i), "{}", kNow);
              }).has_value() &&
            all;
    }
    return all;
  };
  server.db.reset();  // no thread may be running at the fork
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    auto db = ServerDb::Open(server.file);
    _exit(db && write_all(**db, "child") ? 0 : 1);
  }
  server.Reopen();
  CHECK(write_all(*server.db, "parent"));
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  auto audit = server.db->Read([](ServerReader& reader) { return reader.ListAudit(0, 1000); });
  REQUIRE(audit);
  CHECK(audit->size() == 2 * kWrites);
}

TEST_CASE("server_db: a writer that is never idle lets another one write", "[store]") {
  ServerFixture server;
  ServerDb& db = *server.db;  // not through the pointer, which the end of the test empties
  std::atomic<bool> enough = false;
  std::function<void()> feed = [&] {
    // Each work is longer than a group may be, so that the lock is taken again and again.
    const auto slow = [](ServerTx& tx) -> Expected<void> {
      std::this_thread::sleep_for(std::chrono::milliseconds(40));
      return tx.Audit("busy", "event", "", "{}", kNow);
    };
    const auto again = [&](const Expected<void>&) {
      if (!enough) feed();
    };
    if (!db.Write(slow, again)) enough = true;
  };
  feed();
  feed();
  auto other = ServerDb::Open(server.file);
  REQUIRE(other);
  for (int i = 0; i < 10; ++i) {
    auto written =
        (*other)->WriteNow([](ServerTx& tx) { return tx.Audit("other", "event", "", "{}", kNow); });
    INFO((written ? std::string() : written.error().message()));
    CHECK(written);
  }
  CHECK_FALSE(enough);  // it was busy to the end
  enough = true;
  server.db.reset();  // before what its last work calls goes away
}

TEST_CASE("server_db: after kill -9 everything that was told as done is there, in whole works",
          "[store]") {
  ServerFixture server;
  server.db.reset();
  int told[2];
  REQUIRE(pipe(told) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    auto db = ServerDb::Open(server.file);
    if (!db) _exit(1);
    for (int i = 0;; ++i) {
      // Two rows each: half a work must never be seen.
      auto queued = (*db)->Write(
          [i](ServerTx& tx) -> Expected<void> {
            if (auto one = tx.Audit("a", "event", std::to_string(i), "{}", kNow); !one) return one;
            return tx.Audit("b", "event", std::to_string(i), "{}", kNow);
          },
          [&, i](const Expected<void>& outcome) {
            if (outcome && write(told[1], &i, sizeof i) != sizeof i) _exit(1);
          });
      if (!queued) usleep(100);
    }
  }
  close(told[1]);
  int newest = -1;
  while (newest < 500) REQUIRE(read(told[0], &newest, sizeof newest) == sizeof newest);
  REQUIRE(kill(child, SIGKILL) == 0);
  REQUIRE(waitpid(child, nullptr, 0) == child);
  while (read(told[0], &newest, sizeof newest) == sizeof newest) {
  }
  close(told[0]);

  server.Reopen();
  auto audit = server.db->Read([](ServerReader& reader) { return reader.ListAudit(0, 1'000'000); });
  REQUIRE(audit);
  std::map<std::string, int> rows;
  for (const AuditRow& row : *audit) ++rows[row.object];
  for (int i = 0; i <= newest; ++i) CHECK(rows[std::to_string(i)] == 2);
  CHECK(std::ranges::all_of(rows, [](const auto& row) { return row.second == 2; }));
}

TEST_CASE("server_db: the indexes that keep lists short are used", "[store]") {
  ServerFixture server;
  auto database = Database::Open(server.file);
  REQUIRE(database);
  const auto plan = [&](const std::string& sql) {
    auto query = database->Prepare("EXPLAIN QUERY PLAN " + sql);
    REQUIRE(query);
    std::string text;
    while (*query->Step()) text += query->Text(3) + "\n";
    return text;
  };
  CHECK(plan("SELECT row FROM commands WHERE agent = 1 AND status IN"
             " ('prepared', 'sent', 'received', 'running')")
            .find("commands_open") != std::string::npos);
  CHECK(plan("SELECT row FROM actions WHERE status IN"
             " ('pending', 'scheduled', 'preparing', 'inflight') AND expireafter < 1")
            .find("actions_open") != std::string::npos);
  CHECK(plan("SELECT c.status, count(*), sum(c.late), sum(c.found) FROM commands c"
             " WHERE c.action = 1 GROUP BY c.status")
            .find("COVERING INDEX commands_by_status") != std::string::npos);
  CHECK(plan("SELECT min(due) FROM commands WHERE due IS NOT NULL").find("commands_due") !=
        std::string::npos);
  CHECK(plan("SELECT row FROM results WHERE action = 1 AND row > 5 ORDER BY row LIMIT 3")
            .find("results_by_action") != std::string::npos);
}

}  // namespace
}  // namespace mig::store
