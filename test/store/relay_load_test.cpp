// The relay's database under load: who waits for whom, what is done in slices, what a failure ends.
#include <atomic>
#include <catch2/catch.hpp>
#include <fstream>

#include "test/store/power_disk.h"
#include "test/store/relay_fixture.h"
#include "test/temp_folder.h"

namespace mig::store {
namespace {

using namespace mqtt;

// More than any slice or group holds.
constexpr std::uint64_t kMany = 3500;

// Rows 1 to kMany of a queue, in batches of some hundred.
void EnqueueMany(Relay& relay, QueueId queue, std::optional<UtcTime> expires = {}) {
  std::vector<KeepOperation> operations;
  for (std::uint64_t i = 1; i <= kMany; ++i) {
    operations.emplace_back(Enqueue{MakeMessage(queue * 100'000 + i, "x", expires), {{queue, i}}});
    if (operations.size() == 700 || i == kMany) relay.Keep(std::exchange(operations, {}));
  }
}

TEST_CASE("relay database: who returns does not wait for what is written for others", "[store]") {
  TempFolder folder;
  Relay relay(folder / "relay.db", 10s);
  relay.Keep({PutSession{MakeSession(1)}, PutSession{MakeSession(2)},
              Enqueue{MakeMessage(1, "a"), {{1, 1}, {2, 1}, {2, 2}}}});
  CHECK(relay.ReadPage(1, 0, 10).size() == 1);  // asked for before, so it is there
  CHECK(relay.committed_at_page == 1);

  relay.Keep({Enqueue{MakeMessage(2, "b"), {{1, 2}}}, Dequeue{2, 1, 1}});
  SECTION("of a queue that nothing changes") {
    CHECK(relay.ReadPage(3, 0, 10).empty());
    CHECK(relay.committed_at_page == 1);
  }
  SECTION("of rows behind those that go") {
    CHECK(relay.ReadPage(2, 1, 10).size() == 1);
    CHECK(relay.committed_at_page == 1);
  }
  SECTION("but for what is written for itself") {
    CHECK(relay.ReadPage(1, 0, 10).size() == 2);
    CHECK(relay.committed_at_page == 2);
  }
  SECTION("and for what it has acknowledged, which must not come again") {
    CHECK(relay.ReadPage(2, 0, 10).size() == 1);
    CHECK(relay.committed_at_page == 2);
  }
  SECTION("and for the end of its session") {
    relay.Keep({DropSession{2}});
    CHECK(relay.ReadPage(2, 1, 10).empty());
    CHECK(relay.committed_at_page == 3);
  }
}

TEST_CASE("relay database: a long queue is dropped in slices, also across a restart", "[store]") {
  TempFolder folder;
  const auto file = folder / "relay.db";
  {
    Relay relay(file);
    relay.Keep({PutSession{MakeSession(1)}, PutSession{MakeSession(9)}});
    EnqueueMany(relay, 9);
    relay.Keep({Enqueue{MakeMessage(1, "stays"), {{1, 1}}}});
    relay.WaitCommitted();
    relay.Keep({DropSession{9}});
    relay.db->Stop();  // the rest is left to the next run
    CHECK(relay.committed == relay.last_batch);
  }
  CHECK(CountRows(file, "sessions") == 1);
  CHECK(CountRows(file, "dropped_queues") == 1);
  const std::int64_t left = CountRows(file, "queue");
  CHECK(left > 1);
  CHECK(left < static_cast<std::int64_t>(kMany));
  {
    Relay relay(file);
    REQUIRE(relay.snapshot.queues.size() == 1);
    CHECK(relay.snapshot.queues[0].id == 1);
    CHECK(relay.snapshot.last_queue == 9);  // no new session gets its rows
    // A slice after each turn of the store's thread.
    for (int turn = 0; turn < 10; ++turn) relay.ReadPage(1, 0, 1);
  }
  CHECK(CountRows(file, "queue") == 1);
  CHECK(CountRows(file, "messages") == 1);
  CHECK(CountRows(file, "dropped_queues") == 0);
}

TEST_CASE("relay database: many sessions that end together are dropped in slices", "[store]") {
  TempFolder folder;
  const auto file = folder / "relay.db";
  {
    Relay relay(file, 10s);
    std::vector<KeepOperation> ends;
    for (QueueId id = 1; id <= 3; ++id) {
      relay.Keep({PutSession{MakeSession(id)}});
      EnqueueMany(relay, id);
      ends.emplace_back(DropSession{id});
    }
    relay.WaitCommitted();
    relay.Keep(std::move(ends));
    relay.db->Stop();
  }
  CHECK(CountRows(file, "sessions") == 0);
  CHECK(CountRows(file, "dropped_queues") == 3);
  CHECK(CountRows(file, "queue") > 2 * static_cast<std::int64_t>(kMany));
}

TEST_CASE("relay database: what expired at once is deleted in slices", "[store]") {
  TempFolder folder;
  Relay relay(folder / "relay.db");
  relay.Keep({PutSession{MakeSession(1)}});
  EnqueueMany(relay, 1, UtcTime(1s));
  relay.WaitCommitted();
  relay.db->DropExpired(UtcTime(2s));
  relay.WaitExpired(kMany);
  CHECK(relay.expired.size() == kMany);
  CHECK(relay.most_expired_at_once < kMany / 2);
  CHECK(relay.ReadPage(1, 0, 10).empty());
}

TEST_CASE("relay database: a sweep looks at nothing but what has expired", "[store]") {
  TempFolder folder;
  { Relay relay(folder / "relay.db"); }
  auto database = Database::Open(folder / "relay.db");
  REQUIRE(database);
  auto plan = database->Prepare(
      "EXPLAIN QUERY PLAN SELECT queue, sequence FROM queue WHERE expires_at <= 1");
  REQUIRE(plan);
  REQUIRE(*plan->Step());
  CHECK(plan->Text(3).find("queue_expiry") != std::string::npos);
}

TEST_CASE("relay database: after a failure nothing later is committed", "[store]") {
  TempFolder folder;
  const auto file = folder / "relay.db";
  {
    Relay relay(file);
    relay.Keep({PutSession{MakeSession(1)}, Enqueue{MakeMessage(1, "x"), {{1, 1}}}});
    relay.WaitCommitted();
    // What no broker asks for: a second row with the same number.
    relay.Keep({Enqueue{MakeMessage(2, "y"), {{1, 1}}}});
    relay.Wait([&] { return relay.failure.has_value(); });
    relay.Keep({PutSession{MakeSession(2)}});
    relay.db->Stop();
    CHECK(relay.committed == 1);
  }
  CHECK(CountRows(file, "sessions") == 1);
}

TEST_CASE("relay database: damage to a payload ends the relay, and the next start sees to it",
          "[store]") {
  TempFolder folder;
  RelayDbOptions options;
  options.file = folder / "relay.db";
  options.read_through_bytes = 0;  // as if it were large
  {
    Relay relay(options.file);
    relay.Keep({PutSession{MakeSession(1)}});
    for (MessageId i = 1; i <= 50; ++i) {
      relay.Keep({Enqueue{MakeMessage(i, Bytes(3000, 'x')), {{1, i}}}});
    }
    relay.WaitCommitted();
  }
  {
    std::fstream damaged(options.file, std::ios::in | std::ios::out | std::ios::binary);
    damaged.seekp(-40'000, std::ios::end);
    damaged << std::string(20'000, '\xAA');
  }
  {
    auto opened = RelayDb::Open(options);
    REQUIRE(opened);
    CHECK_FALSE((*opened)->moved_aside());
    Relay relay(std::move(*opened));
    relay.db->Read({1, 0, 100});
    relay.Wait([&] { return relay.failure.has_value(); });
    CHECK(relay.failure->code() == Errc::kMalformed);
  }
  auto opened = RelayDb::Open(options);
  REQUIRE(opened);
  CHECK((*opened)->moved_aside());
}

TEST_CASE("relay database: on a full disk nothing is told, questions are answered, and it ends",
          "[store]") {
  TempFolder folder;
  PowerDisk disk(folder.path());
  std::atomic<bool> full = false;
  disk.is_full = [&full] { return full.load(); };
  Relay relay(folder / "relay.db");
  relay.Keep({PutSession{MakeSession(1)}, Enqueue{MakeMessage(1, "x"), {{1, 1}}}});
  relay.WaitCommitted();
  full = true;
  relay.Keep({Enqueue{MakeMessage(2, "y"), {{2, 1}}}});
  relay.Wait([&] { return !relay.writable; });
  CHECK(relay.ReadPage(1, 0, 10).size() == 1);
  CHECK(relay.committed == 1);
  SECTION("when there is room again it goes on by itself") {
    full = false;
    relay.WaitCommitted();
    CHECK(relay.writable);
    CHECK(relay.ReadPage(2, 0, 10).size() == 1);
  }
  SECTION("when it is stopped it does not wait for room") {
    relay.Keep({PutSession{MakeSession(3)}});
    relay.db->Stop();
    CHECK(relay.committed == 1);
  }
}

}  // namespace
}  // namespace mig::store
