// The broker's bounds, from the attacker's side.
#include <catch2/catch.hpp>

#include "test/mqtt/broker_world.h"

namespace mig::mqtt {
namespace {

using namespace std::chrono_literals;
constexpr auto k3 = Version::k311;

TEST_CASE("broker: a packet is judged by its announced size, before it is received", "[mqtt]") {
  World world;
  Client& stranger = world.Open();
  stranger.SendBytes("\x10\xff\xff\xff\x7f");  // CONNECT of 256 MB
  CHECK(stranger.closed);
  Client& client = world.Join("a");
  client.SendBytes("\x30\xff\xff\xff\x7f");
  CHECK(client.Next<Disconnect>().reason == Reason::kPacketTooLarge);
  CHECK(client.closed);
}

TEST_CASE("broker: incomplete packets share one budget", "[mqtt]") {
  Limits limits;
  limits.partial_bytes = 100'000;
  World world(limits);
  const Bytes half = Bytes("\x30\xff\xff\x0f", 4) + Bytes(40'000, 'x');
  Client& a = world.Join("a");
  Client& b = world.Join("b");
  Client& c = world.Join("c");
  a.SendBytes(half);
  b.SendBytes(half);
  CHECK_FALSE(b.closed);
  c.SendBytes(half);
  CHECK(c.Next<Disconnect>().reason == Reason::kQuotaExceeded);
  a.Drop();
  b.Drop();
  Client& d = world.Join("d");
  d.SendBytes(half);  // their memory is free again
  CHECK_FALSE(d.closed);
}

TEST_CASE("broker: more unacknowledged messages than Receive Maximum end the connection",
          "[mqtt]") {
  Limits limits;
  limits.receive_maximum = 4;
  World world(limits);
  world.JoinKept("away").Subscribe("t").Drop();
  Client& client = world.Join("a");
  world.commits = false;
  for (int i = 0; i < 4; ++i) client.Publish("t", "x");
  CHECK_FALSE(client.closed);
  client.Publish("t", "x");
  CHECK(client.Next<Disconnect>().reason == Reason::kReceiveMaximumExceeded);
}

TEST_CASE("broker: publishers are not read while the store is behind", "[mqtt]") {
  Limits limits;
  limits.uncommitted = 10;
  World world(limits);
  world.JoinKept("away").Subscribe("t").Drop();
  Client& client = world.Join("a", k3);
  world.commits = false;
  for (int i = 0; i < 15; ++i) client.Publish("t", std::to_string(i));
  CHECK_FALSE(client.reading);
  CHECK(client.inbox.empty());
  world.Commit();
  world.Commit();
  CHECK(client.reading);
  CHECK(client.inbox.size() == 15);
  CHECK(world.store.queued() == 15);
}

TEST_CASE("broker: a slow reader loses QoS 0 and keeps QoS 1, and nobody else suffers", "[mqtt]") {
  Limits limits;
  limits.unsent_bytes = 10'000;
  World world(limits);
  Client& slow = world.Join("slow");
  slow.Subscribe("t");
  Client& publisher = world.Join("p");
  world.sends = false;  // nothing leaves any more
  for (int i = 0; i < 50; ++i) publisher.Publish("t", Bytes(1000, 'x'), Qos::kAtMostOnce);
  CHECK(slow.inbox.size() <= 11);
  CHECK(world.broker->counters().dropped_slow >= 39);
  for (int i = 0; i < 5; ++i) publisher.Publish("t", "one");
  const std::size_t before = slow.inbox.size();
  CHECK(slow.inbox.size() == before);
  world.sends = true;
  world.broker->Sent(slow.id(), 20'000, world.now);
  world.Run();
  CHECK(slow.inbox.size() == before + 5);
}

TEST_CASE("broker: the queue of a service has bounds of its own", "[mqtt]") {
  class Services final : public Authoriser {
   public:
    bool MayConnect(const Peer&, std::string_view) const override { return true; }
    bool MayPublish(const Peer&, std::string_view, bool) const override { return true; }
    bool MaySubscribe(const Peer&, std::string_view) const override { return true; }
    bool IsService(const Peer& peer) const override { return peer.role == "scheduler"; }
  } const services;
  Limits limits;
  limits.queue_messages = 2;
  limits.service_queue_messages = 4;
  World world(limits, &services);
  Client& scheduler = world.Connect(KeptConnect("s"), {"scheduler", "s", ""});
  scheduler.Next<ConnAck>();
  scheduler.Subscribe("t").Drop();
  Client& publisher = world.Join("p");
  for (int i = 0; i < 4; ++i) {
    CHECK(publisher.Publish("t", "x").Next<Ack>().reason == Reason::kSuccess);
  }
  CHECK(publisher.Publish("t", "x").Next<Ack>().reason == Reason::kQuotaExceeded);
}

TEST_CASE("broker: topics, filters and user properties have their bounds", "[mqtt]") {
  World world;
  Client& client = world.Join("a");
  Subscribe subscribe;
  subscribe.packet_id = 1;
  subscribe.entries = {{std::string(60'000, '/'), {}}, {std::string(600, 'x'), {}}};
  client.Send(subscribe);  // CVE-2019-11779: a filter of 65,535 slashes
  CHECK(client.Next<SubAck>().reasons ==
        std::vector{Reason::kTopicFilterInvalid, Reason::kTopicFilterInvalid});
  Publish publish;
  publish.topic = "t";
  for (int i = 0; i < 17; ++i) publish.properties.AddUser("k", "v");
  client.Send(publish);
  CHECK(client.Next<Disconnect>().reason == Reason::kQuotaExceeded);
  Client& deep = world.Join("b");
  deep.Publish(std::string(40, '/'), "x");
  CHECK(deep.Next<Disconnect>().reason == Reason::kTopicNameInvalid);
}

TEST_CASE("broker: sessions are bounded", "[mqtt]") {
  Limits limits;
  limits.sessions = 2;
  World world(limits);
  world.JoinKept("a").Drop();
  world.Join("b");
  Connect connect;
  connect.client_id = "c";
  CHECK(world.Connect(connect).Next<ConnAck>().code == 0x97);
  world.JoinKept("a");  // a known one may return
}

TEST_CASE("broker: retained messages are bounded in number and bytes", "[mqtt]") {
  Limits limits;
  limits.retained_messages = 2;
  limits.retained_bytes = 100;
  World world(limits);
  Client& client = world.Join("a");
  const auto retain = [&](const char* topic, std::size_t bytes) {
    Publish publish;
    publish.topic = topic;
    publish.retain = true;
    publish.qos = Qos::kAtLeastOnce;
    publish.packet_id = 1;
    publish.payload.assign(bytes, 'x');
    client.Send(publish);
    return client.Next<Ack>().reason;
  };
  CHECK(retain("a", 10) == Reason::kNoMatchingSubscribers);
  CHECK(retain("b", 10) == Reason::kNoMatchingSubscribers);
  CHECK(retain("c", 10) == Reason::kQuotaExceeded);
  CHECK(retain("a", 100) == Reason::kQuotaExceeded);
  CHECK(retain("a", 20) == Reason::kNoMatchingSubscribers);
}

TEST_CASE("broker: a packet that is not of its version ends the connection with its reason",
          "[mqtt]") {
  struct Case {
    BytesView bytes;
    Reason reason;
  };
  for (const Case& each : {
           Case{BytesView("\x00\x00", 2), Reason::kMalformedPacket},
           Case{BytesView("\x10\x04\x00\x01\x07\x07", 6), Reason::kProtocolError},  // CONNECT
           Case{BytesView("\x20\x03\x00\x00\x00", 5), Reason::kProtocolError},      // CONNACK
           Case{BytesView("\xd0\x00", 2), Reason::kProtocolError},                  // PINGRESP
           Case{BytesView("\xf0\x00", 2), Reason::kProtocolError},                  // AUTH
           Case{BytesView("\x30\x03\x00\x01#", 5), Reason::kMalformedPacket},       // no properties
           Case{BytesView("\x30\x04\x00\x01#\x00", 6), Reason::kTopicNameInvalid},
           Case{BytesView("\x82\x03\x00\x01\x00", 5), Reason::kProtocolError},  // no filter
           Case{BytesView("\x36\x06\x00\x01t\x00\x01\x00", 8), Reason::kMalformedPacket},
           Case{BytesView("\x60\x02\x00\x01", 4), Reason::kMalformedPacket},
       }) {
    World world;
    Client& client = world.Join("a");
    client.SendBytes(each.bytes);
    INFO("first byte " << static_cast<int>(static_cast<unsigned char>(each.bytes[0])));
    CHECK(client.closed);
    CHECK(ReasonName(client.Next<Disconnect>().reason) == ReasonName(each.reason));
  }
}

TEST_CASE("broker: nothing of a closed connection is handled", "[mqtt]") {
  World world;
  Client& watcher = world.Join("w");
  watcher.Subscribe("t");
  Client& client = world.Join("a");
  Publish publish;
  publish.topic = "t";
  client.SendBytes(Bytes("\x00\x00", 2) + Encode(publish, Version::k5));
  world.broker->Receive(client.id(), Encode(publish, Version::k5), world.now);
  world.broker->Sent(client.id(), 10, world.now);
  world.broker->Closed(client.id(), world.now);
  world.Run();
  CHECK(watcher.Quiet());
}

}  // namespace
}  // namespace mig::mqtt
