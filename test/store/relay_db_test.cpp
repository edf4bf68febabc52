#include "store/relay_db.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <future>

#include "mqtt/broker.h"
#include "test/store/relay_fixture.h"
#include "test/temp_folder.h"

namespace mig::store {
namespace {

using namespace mqtt;

TEST_CASE("relay database: sessions, wills, subscriptions and groups come back", "[store]") {
  TempFolder folder;
  SessionRecord session = MakeSession(7);
  session.away_since = UtcTime(123456ms);
  Will will{"will/7", Bytes("\0\x01", 2), Qos::kAtLeastOnce, true, {}};
  will.properties.Add(PropertyId::kWillDelayInterval, 60).AddUser("a", "b");
  session.will = will;
  {
    Relay relay(folder / "relay.db");
    CHECK(relay.snapshot.sessions.empty());
    SubscribeOptions options{Qos::kAtLeastOnce, false, true, RetainHandling::kDoNotSend};
    relay.Keep({PutSession{MakeSession(7)}, PutSubscription{{7, "a/#", options, 9}},
                PutSubscription{{7, "gone", {}, 0}}, PutGroup{{8, "$share/g/x"}},
                PutSubscription{{7, "$share/g/x", {}, 0}}, DropSubscription{7, "gone"}});
    relay.Keep({PutSession{session}, PutSession{MakeSession(9)}, DropSession{9}});
    relay.WaitCommitted();
  }
  Relay relay(folder / "relay.db");
  REQUIRE(relay.snapshot.sessions.size() == 1);
  const SessionRecord& back = relay.snapshot.sessions[0];
  CHECK(back.id == 7);
  CHECK(back.client_id == "client-7");
  CHECK(back.role == "agent");
  CHECK(back.peer_id == "peer");
  CHECK(back.expiry == 3600s);
  CHECK(back.away_since == session.away_since);
  CHECK(back.will == session.will);
  REQUIRE(relay.snapshot.subscriptions.size() == 2);
  CHECK(relay.snapshot.subscriptions[0].filter == "$share/g/x");
  CHECK(relay.snapshot.subscriptions[1].options.retain_handling == RetainHandling::kDoNotSend);
  CHECK(relay.snapshot.subscriptions[1].identifier == 9);
  REQUIRE(relay.snapshot.groups.size() == 1);
  CHECK(relay.snapshot.last_queue == 8);
}

TEST_CASE("relay database: a queue is read in pages, in order", "[store]") {
  TempFolder folder;
  {
    Relay relay(folder / "relay.db");
    relay.Keep({PutSession{MakeSession(1)}, PutSession{MakeSession(2)}});
    for (std::uint64_t i = 1; i <= 10; ++i) {
      const auto message = MakeMessage(i, std::to_string(i), UtcTime(std::chrono::hours(i)));
      relay.Keep({Enqueue{message, {{1, i, Qos::kAtLeastOnce, true, {5, 70'000}}, {2, i}}}});
    }
    relay.WaitCommitted();
  }
  Relay relay(folder / "relay.db");
  REQUIRE(relay.snapshot.queues.size() == 2);
  CHECK(relay.snapshot.queues[0].messages == 10);
  CHECK(relay.snapshot.queues[0].last_sequence == 10);
  CHECK(relay.snapshot.last_message == 10);
  const auto rows = relay.ReadPage(1, 3, 4);
  REQUIRE(rows.size() == 4);
  CHECK(rows[0].sequence == 4);
  CHECK(rows[3].sequence == 7);
  CHECK(rows[0].message->payload == "4");
  CHECK(rows[0].message->topic == "t");
  CHECK(rows[0].message->properties == Bytes("\x03\x00\x01j", 4));
  CHECK(rows[0].message->expires_at == UtcTime(4h));
  CHECK(rows[0].retain);
  CHECK(rows[0].identifiers == std::vector<std::uint32_t>{5, 70'000});
  CHECK(relay.ReadPage(1, 10, 4).empty());
  CHECK(relay.ReadPage(3, 0, 4).empty());
}

TEST_CASE("relay database: a page holds what was asked to be kept before it", "[store]") {
  TempFolder folder;
  Relay relay(folder / "relay.db", 10s);  // would wait long, were nobody asking
  relay.Keep({PutSession{MakeSession(1)}, Enqueue{MakeMessage(1, "x"), {{1, 1}}}});
  CHECK(relay.ReadPage(1, 0, 10).size() == 1);
}

TEST_CASE("relay database: a message goes with the last queue that held it", "[store]") {
  TempFolder folder;
  const auto file = folder / "relay.db";
  {
    Relay relay(file);
    relay.Keep({PutSession{MakeSession(1)}, PutSession{MakeSession(2)}, PutSession{MakeSession(3)},
                Enqueue{MakeMessage(1, "x"), {{1, 1}, {2, 1}, {3, 1}}}});
    relay.WaitCommitted();
    relay.Keep({Dequeue{1, 1, 1}});
    relay.Keep({Dequeue{1, 1, 1}});  // twice does no harm
    relay.WaitCommitted();
    relay.Keep({DropSession{2}});
    relay.WaitCommitted();
  }
  CHECK(CountRows(file, "messages") == 1);
  CHECK(CountRows(file, "queue") == 1);
  {
    Relay relay(file);
    relay.Keep({Dequeue{3, 1, 1}});
    relay.WaitCommitted();
  }
  CHECK(CountRows(file, "messages") == 0);
  CHECK(CountRows(file, "queue") == 0);
}

TEST_CASE("relay database: what is acknowledged within one group is never written", "[store]") {
  TempFolder folder;
  const auto file = folder / "relay.db";
  {
    Relay relay(file, 10s);  // both batches fall into one group: Stop commits it
    relay.Keep({PutSession{MakeSession(1)}, PutSession{MakeSession(2)},
                Enqueue{MakeMessage(1, "x"), {{1, 1}, {2, 1}}}});
    relay.Keep({Dequeue{1, 1, 1}});
    relay.db->Stop();
    CHECK(relay.committed == 2);
  }
  CHECK(CountRows(file, "queue") == 1);
  CHECK(CountRows(file, "messages") == 1);
}

TEST_CASE("relay database: expired rows are deleted and reported", "[store]") {
  TempFolder folder;
  const auto file = folder / "relay.db";
  {
    Relay relay(file);
    relay.Keep({PutSession{MakeSession(1)},
                Enqueue{MakeMessage(1, "old", UtcTime(1000ms)), {{1, 1}}},
                Enqueue{MakeMessage(2, "new", UtcTime(3000ms)), {{1, 2}}},
                Enqueue{MakeMessage(3, "ever"), {{1, 3}}}});
    relay.db->DropExpired(UtcTime(2000ms));
    relay.WaitExpired(1);
    relay.db->Stop();
    const auto& rows = relay.expired;
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].queue == 1);
    CHECK(rows[0].sequence == 1);
    CHECK(rows[0].size == MakeMessage(1, "old")->Size());
  }
  CHECK(CountRows(file, "messages") == 2);
}

TEST_CASE("relay database: a retained message may be queued again after its row went", "[store]") {
  TempFolder folder;
  Relay relay(folder / "relay.db");
  const auto message = MakeMessage(5, "policy");
  relay.Keep(
      {PutSession{MakeSession(1)}, PutRetained{{message, "", ""}}, Enqueue{message, {{1, 1}}}});
  relay.WaitCommitted();
  relay.Keep({Enqueue{message, {{1, 2}}}, Dequeue{1, 1, 5}});
  relay.WaitCommitted();
  relay.Keep({Dequeue{1, 2, 5}});
  relay.WaitCommitted();
  relay.Keep({Enqueue{message, {{1, 3}}}});
  relay.WaitCommitted();
  const auto rows = relay.ReadPage(1, 0, 10);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].message->payload == "policy");
}

TEST_CASE("relay database: retained messages come back and can be removed", "[store]") {
  TempFolder folder;
  {
    Relay relay(folder / "relay.db");
    relay.Keep({PutRetained{{MakeMessage(5, "a"), "api", "api-1"}},
                PutRetained{{MakeMessage(6, "b"), "scheduler", "s"}}});
    relay.WaitCommitted();
  }
  {
    Relay relay(folder / "relay.db");
    REQUIRE(relay.snapshot.retained.size() == 1);
    CHECK(relay.snapshot.retained[0].message->payload == "b");
    CHECK(relay.snapshot.retained[0].message->retain);
    CHECK(relay.snapshot.last_message == 6);
    relay.Keep({DropRetained{"t"}});
    relay.WaitCommitted();
  }
  CHECK(Relay(folder / "relay.db").snapshot.retained.empty());
}

TEST_CASE("relay database: an unreadable file is moved aside, and the relay starts empty",
          "[store]") {
  TempFolder folder;
  const auto file = folder / "relay.db";
  SECTION("a file that is no database") { std::ofstream(file) << std::string(10'000, '\0'); }
  SECTION("a database with a page of garbage") {
    {
      Relay relay(file);
      relay.Keep({PutSession{MakeSession(1)}});
      for (MessageId i = 1; i <= 50; ++i) {
        relay.Keep({Enqueue{MakeMessage(i, Bytes(1000, 'x')), {{1, i}}}});
      }
      relay.WaitCommitted();
    }
    std::fstream damaged(file, std::ios::in | std::ios::out | std::ios::binary);
    damaged.seekp(4096);
    damaged << std::string(20'000, '\xAA');
  }
  auto db = RelayDb::Open({file});
  if (!db) FAIL(db.error().message());
  CHECK((*db)->TakeSnapshot().sessions.empty());
  REQUIRE((*db)->moved_aside());
  CHECK(std::filesystem::exists(*(*db)->moved_aside()));
}

TEST_CASE("relay database: a second process does not get the same file", "[store]") {
  TempFolder folder;
  Relay relay(folder / "relay.db");
  auto second = RelayDb::Open({folder / "relay.db"});
  REQUIRE_FALSE(second);
  CHECK(second.error().code() == Errc::kUnavailable);
}

TEST_CASE("relay database: a broker finds everything again", "[store]") {
  TempFolder folder;
  const AllowAll allow;
  const UtcTime now{std::chrono::hours(24 * 365 * 50)};
  const auto perform = [](Broker& broker, Relay& relay) {
    for (Effect& effect : broker.TakeEffects()) {
      if (auto* keep = std::get_if<Keep>(&effect)) {
        relay.last_batch = keep->batch.number;
        relay.db->Keep(std::move(keep->batch));
      }
    }
  };
  const auto connect = [&](Broker& broker, ConnectionId id, const std::string& name) {
    Connect packet;
    packet.clean_start = false;
    packet.client_id = name;
    packet.properties.Add(PropertyId::kSessionExpiryInterval, 3600);
    broker.Open(id, {}, now);
    broker.Receive(id, Encode(packet, Version::k5), now);
  };
  {
    Relay relay(folder / "relay.db");
    Broker broker(allow, {Limits{}, [] { return std::string("x"); }});
    connect(broker, 1, "away");
    perform(broker, relay);
    relay.WaitCommitted();
    broker.Committed(relay.last_batch, now);
    Subscribe subscribe;
    subscribe.packet_id = 1;
    subscribe.entries = {{"t/#", {Qos::kAtLeastOnce}}};
    broker.Receive(1, Encode(subscribe, Version::k5), now);
    broker.Closed(1, now);
    connect(broker, 2, "publisher");
    perform(broker, relay);
    relay.WaitCommitted();
    broker.Committed(relay.last_batch, now);
    Publish publish;
    publish.topic = "t/a";
    publish.payload = "kept";
    publish.qos = Qos::kAtLeastOnce;
    publish.packet_id = 1;
    broker.Receive(2, Encode(publish, Version::k5), now);
    perform(broker, relay);
    relay.WaitCommitted();
  }
  Relay relay(folder / "relay.db");
  CHECK(relay.snapshot.sessions.size() == 2);
  REQUIRE(relay.snapshot.queues.size() == 1);
  CHECK(relay.snapshot.queues[0].messages == 1);
  CHECK(relay.ReadPage(relay.snapshot.queues[0].id, 0, 10)[0].message->payload == "kept");
}

}  // namespace
}  // namespace mig::store
