// QoS 2 exchanges in the relay's database: which packet identifiers are in use on either side of a
// session, across a restart, and together with the queue that they belong to.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

#include "test/store/relay_fixture.h"
#include "test/temp_folder.h"
#include "util/crash_point.h"

namespace mig::store {
namespace {

using namespace mqtt;

using Triple = std::tuple<QueueId, int, std::uint64_t>;

std::vector<Triple> SendingOf(const Snapshot& snapshot) {
  std::vector<Triple> all;
  for (const SendingRecord& r : snapshot.sending) {
    all.emplace_back(r.session, r.packet_id, r.sequence);
  }
  std::ranges::sort(all);
  return all;
}

std::vector<std::pair<QueueId, int>> ReceivedOf(const Snapshot& snapshot) {
  std::vector<std::pair<QueueId, int>> all;
  for (const ReceivedRecord& r : snapshot.received) all.emplace_back(r.session, r.packet_id);
  std::ranges::sort(all);
  return all;
}

// The database's files as the process would leave them if it died at the n-th passing of a point.
class CopyAt {
 public:
  CopyAt(std::filesystem::path file, std::filesystem::path copy, std::string point) {
    current_ = this;
    file_ = std::move(file);
    copy_ = std::move(copy);
    point_ = std::move(point);
    crash_hook = &Hook;
  }
  ~CopyAt() { crash_hook = nullptr; }

 private:
  static void Hook(const char* name) {
    if (current_->point_ != name) return;
    for (const char* suffix : {"", "-wal"}) {
      std::filesystem::copy_file(current_->file_.string() + suffix,
                                 current_->copy_.string() + suffix,
                                 std::filesystem::copy_options::overwrite_existing);
    }
  }
  static inline CopyAt* current_ = nullptr;
  std::filesystem::path file_, copy_;
  std::string point_;
};

TEST_CASE("relay database: packet identifiers of QoS 2 come back", "[store]") {
  TempFolder folder;
  const auto file = folder / "relay.db";
  const auto message = MakeMessage(1, "x");
  {
    Relay relay(file);
    relay.Keep({PutSession{MakeSession(1)}, PutSession{MakeSession(2)}, PutReceived{1, 5},
                PutReceived{1, 65'535}, PutReceived{2, 5},
                Enqueue{message, {{1, 1, Qos::kExactlyOnce}, {1, 2, Qos::kExactlyOnce}}}});
    relay.Keep({PutSending{1, 7, 1}});
    relay.WaitCommitted();
    relay.Keep({DropReceived{1, 5}, PutSending{1, 8, 2}});
    relay.WaitCommitted();
  }
  {
    Relay relay(file);
    CHECK(ReceivedOf(relay.snapshot) == std::vector<std::pair<QueueId, int>>{{1, 65'535}, {2, 5}});
    CHECK(SendingOf(relay.snapshot) == std::vector<Triple>{{1, 7, 1}, {1, 8, 2}});
    CHECK(relay.snapshot.sending[0].message == 1);
    CHECK(relay.snapshot.sending[0].size == message->Size());
    const auto rows = relay.ReadPage(1, 0, 10);
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].qos == Qos::kExactlyOnce);
    // PUBREC came: the row goes, the identifier stays.
    relay.Keep({PutReleased{1, 7, 1, 1}});
    relay.WaitCommitted();
    CHECK(relay.ReadPage(1, 0, 10).size() == 1);
  }
  {
    Relay relay(file);
    CHECK(SendingOf(relay.snapshot) == std::vector<Triple>{{1, 7, 0}, {1, 8, 2}});
    REQUIRE(relay.snapshot.queues.size() == 1);
    CHECK(relay.snapshot.queues[0].messages == 1);
    relay.Keep({DropSending{1, 7}, DropSending{1, 99}});
    relay.WaitCommitted();
  }
  CHECK(SendingOf(Relay(file).snapshot) == std::vector<Triple>{{1, 8, 2}});
}

TEST_CASE("relay database: a packet identifier is taken again after it was given back", "[store]") {
  TempFolder folder;
  const auto file = folder / "relay.db";
  const bool one_group = GENERATE(true, false);
  {
    Relay relay(file, one_group ? 10s : 1ms);
    const auto pause = [&] {
      if (!one_group) relay.WaitCommitted();
    };
    relay.Keep({PutSession{MakeSession(1)}, PutReceived{1, 5},
                Enqueue{MakeMessage(1, "x"), {{1, 1, Qos::kExactlyOnce}}}, PutSending{1, 3, 1}});
    pause();
    relay.Keep({DropReceived{1, 5}, PutReleased{1, 3, 1, 1}});
    pause();
    relay.Keep({DropSending{1, 3}, PutReceived{1, 5}, PutReceived{1, 6}});
    pause();
    relay.Keep({Enqueue{MakeMessage(2, "y"), {{1, 2, Qos::kExactlyOnce}}}, PutSending{1, 3, 2},
                DropReceived{1, 6}});
    relay.db->Stop();
  }
  Relay relay(file);
  CHECK(ReceivedOf(relay.snapshot) == std::vector<std::pair<QueueId, int>>{{1, 5}});
  CHECK(SendingOf(relay.snapshot) == std::vector<Triple>{{1, 3, 2}});
}

TEST_CASE("relay database: an exchange that ends within one group is never written", "[store]") {
  TempFolder folder;
  const auto file = folder / "relay.db";
  {
    Relay relay(file, 10s);  // one group: Stop commits it
    relay.Keep({PutSession{MakeSession(1)}, PutSession{MakeSession(2)}, PutReceived{2, 5},
                Enqueue{MakeMessage(1, "x"), {{1, 1, Qos::kExactlyOnce}}}, PutSending{1, 3, 1}});
    relay.Keep({PutReleased{1, 3, 1, 1}});
    relay.Keep({DropSending{1, 3}, DropReceived{2, 5}});
    relay.db->Stop();
    CHECK(relay.committed == 3);
  }
  for (const char* table : {"queue", "messages", "sending", "received"}) {
    INFO(table);
    CHECK(CountRows(file, table) == 0);
  }
}

TEST_CASE("relay database: packet identifiers go with their session", "[store]") {
  TempFolder folder;
  const auto file = folder / "relay.db";
  const bool one_group = GENERATE(true, false);
  {
    Relay relay(file, one_group ? 10s : 1ms);
    relay.Keep({PutSession{MakeSession(1)}, PutSession{MakeSession(2)}, PutReceived{1, 5},
                PutReceived{2, 5}, Enqueue{MakeMessage(1, "x"), {{1, 1}, {2, 1}}},
                PutSending{1, 9, 1}, PutSending{2, 9, 1}});
    if (!one_group) relay.WaitCommitted();
    relay.Keep({DropSession{1}});
    relay.db->Stop();
  }
  Relay relay(file);
  CHECK(ReceivedOf(relay.snapshot) == std::vector<std::pair<QueueId, int>>{{2, 5}});
  CHECK(SendingOf(relay.snapshot) == std::vector<Triple>{{2, 9, 1}});
}

TEST_CASE("relay database: a row that is being sent does not expire", "[store]") {
  TempFolder folder;
  const auto file = folder / "relay.db";
  {
    Relay relay(file);
    const auto message = MakeMessage(1, "old", UtcTime(1000ms));
    relay.Keep({PutSession{MakeSession(1)},
                Enqueue{message, {{1, 1, Qos::kExactlyOnce}, {1, 2, Qos::kExactlyOnce}}},
                PutSending{1, 4, 1}});
    relay.WaitCommitted();
    relay.db->DropExpired(UtcTime(2000ms));
    relay.WaitExpired(1);
    relay.db->Stop();
    const auto& rows = relay.expired;
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].sequence == 2);
  }
  {
    Relay relay(file);
    CHECK(SendingOf(relay.snapshot) == std::vector<Triple>{{1, 4, 1}});
    CHECK(relay.ReadPage(1, 0, 10).size() == 1);
    // The exchange ends: only then may the row go.
    relay.Keep({PutReleased{1, 4, 1, 1}, DropSending{1, 4}});
    relay.WaitCommitted();
  }
  CHECK(CountRows(file, "messages") == 0);
}

TEST_CASE("relay database: a QoS 2 message and its packet identifier are kept together",
          "[store]") {
  TempFolder folder;
  const auto file = folder / "relay.db";
  const auto copy = folder / "copy.db";
  const bool committed = GENERATE(false, true);
  {
    Relay relay(file);
    relay.Keep({PutSession{MakeSession(1)}});
    relay.WaitCommitted();
    const CopyAt hook(file, copy, committed ? "relay.store.committed" : "relay.store.written");
    relay.Keep({PutReceived{1, 5}, Enqueue{MakeMessage(1, "x"), {{1, 1, Qos::kExactlyOnce}}}});
    relay.db->Stop();
  }
  Relay relay(copy);
  CHECK(relay.snapshot.sessions.size() == 1);
  CHECK(relay.snapshot.received.size() == (committed ? 1 : 0));
  CHECK(relay.snapshot.queues.size() == (committed ? 1 : 0));
}

}  // namespace
}  // namespace mig::store
