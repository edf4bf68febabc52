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

TEST_CASE("broker: whoever holds most of the memory for incomplete packets is closed", "[mqtt]") {
  Limits limits;
  limits.partial_bytes = 100'000;
  World world(limits);
  const Bytes start("\x30\xff\xff\x0f", 4);
  Client& hoarder = world.Join("hoarder");
  Client& honest = world.Join("honest");
  hoarder.SendBytes(start + Bytes(90'000, 'x'));
  honest.SendBytes(start + Bytes(20'000, 'x'));
  CHECK(hoarder.Next<Disconnect>().reason == Reason::kQuotaExceeded);
  CHECK(hoarder.closed);
  CHECK(honest.Quiet());
}

TEST_CASE("broker: who publishes too fast is not read for a while, and loses nothing", "[mqtt]") {
  Limits limits;
  limits.publish_messages_per_second = 10;
  limits.publish_burst = 2s;
  World world(limits);
  Client& watcher = world.Join("w");
  watcher.Subscribe("t");
  Client& flood = world.Join("flood");
  Client& honest = world.Join("honest");
  for (int i = 0; i < 35; ++i) flood.Publish("t", std::to_string(i), Qos::kAtMostOnce);
  CHECK_FALSE(flood.reading);
  CHECK(watcher.inbox.size() == 20);
  honest.Publish("t", "honest", Qos::kAtMostOnce);
  CHECK(watcher.inbox.size() == 21);
  world.Pass(1s);
  CHECK(watcher.inbox.size() == 31);
  CHECK_FALSE(flood.reading);
  world.Pass(1s);
  CHECK(watcher.inbox.size() == 36);
  CHECK(flood.reading);
  int next = 0;
  for (const Packet& packet : watcher.inbox) {
    const auto& payload = std::get<Publish>(packet).payload;
    if (payload != "honest") CHECK(payload == std::to_string(next++));
  }
  CHECK(next == 35);
  CHECK(world.broker->counters().slowed_down > 0);
}

TEST_CASE("broker: a rate in bytes lets one large message through and makes the next wait",
          "[mqtt]") {
  Limits limits;
  limits.publish_bytes_per_second = 1000;
  limits.publish_burst = 1s;
  World world(limits);
  Client& watcher = world.Join("w");
  watcher.Subscribe("t");
  Client& client = world.Join("a");
  client.Publish("t", Bytes(10'000, 'x'), Qos::kAtMostOnce);
  client.Publish("t", "next", Qos::kAtMostOnce);
  CHECK(watcher.inbox.size() == 1);
  world.Pass(8s);
  CHECK(watcher.inbox.size() == 1);
  world.Pass(2s);
  CHECK(watcher.inbox.size() == 2);
}

TEST_CASE("broker: connecting again is no way around the rate, and pings and PUBACKs always pass",
          "[mqtt]") {
  Limits limits;
  limits.publish_messages_per_second = 1;
  limits.publish_burst = 5s;
  World world(limits);
  Client& watcher = world.Join("w");
  watcher.Subscribe("t");
  for (int i = 0; i < 10; ++i) {
    Client& flood = world.JoinKept("flood");
    for (int k = 0; k < 5; ++k) flood.Publish("t", "x", Qos::kAtMostOnce);
    flood.Drop();
  }
  CHECK(watcher.inbox.size() == 5);
  Client& flood = world.JoinKept("flood");
  for (int i = 0; i < 100; ++i) flood.Send(PingReq{});
  CHECK(flood.inbox.size() == 100);
}

TEST_CASE("broker: subscribing again and again is as fast as publishing may be", "[mqtt]") {
  Limits limits;
  limits.publish_messages_per_second = 10;
  limits.publish_burst = 1s;
  World world(limits);
  Client& client = world.JoinKept("a");
  for (int i = 0; i < 100; ++i) {
    Subscribe subscribe;
    subscribe.packet_id = 1;
    subscribe.entries = {{"t", {}}};
    client.Send(subscribe);
  }
  CHECK(client.inbox.size() == 10);
  world.Pass(3s);
  CHECK(client.inbox.size() == 40);
}

TEST_CASE("broker: a service publishes as fast as it can", "[mqtt]") {
  struct Services final : AllowAll {
    bool IsService(const Peer& peer) const override { return peer.role == "scheduler"; }
  };
  static const Services kServices;
  Limits limits;
  limits.publish_messages_per_second = 1;
  limits.publish_burst = 1s;
  World world(limits, &kServices);
  Connect connect;
  connect.client_id = "s";
  Client& service = world.Connect(connect, {"scheduler", "s", ""});
  service.Next<ConnAck>();
  for (int i = 0; i < 100; ++i) service.Publish("t", "x");
  CHECK(service.inbox.size() == 100);
}

TEST_CASE("broker: all queues together are bounded, and what is taken makes room", "[mqtt]") {
  Limits limits;
  limits.queue_messages = 10;
  limits.total_queue_messages = 15;
  World world(limits);
  world.JoinKept("a").Subscribe("a").Drop();
  world.JoinKept("b").Subscribe("b").Drop();
  Client& publisher = world.Join("p");
  const auto publish = [&](const char* topic) {
    publisher.Publish(topic, "x");
    return publisher.Next<Ack>().reason;
  };
  for (int i = 0; i < 10; ++i) CHECK(publish("a") == Reason::kSuccess);
  for (int i = 0; i < 5; ++i) CHECK(publish("b") == Reason::kSuccess);
  CHECK(publish("b") == Reason::kQuotaExceeded);
  CHECK(world.broker->queued().messages == 15);
  world.Restart();  // what is on disk counts
  CHECK(world.broker->queued().messages == 15);
  Client& again = world.Join("p");
  again.Publish("b", "x");
  CHECK(again.Next<Ack>().reason == Reason::kQuotaExceeded);
  Client& a = world.JoinKept("a");
  a.PubAck(a.Next<Publish>().packet_id);
  again.Publish("b", "x");
  CHECK(again.Next<Ack>().reason == Reason::kSuccess);
  // A session that ends takes its messages with it.
  Connect clean;
  clean.client_id = "a";
  world.Connect(clean).Next<ConnAck>();
  CHECK(world.broker->queued().messages == 6);
  CHECK(world.broker->queued().bytes > 0);
}

TEST_CASE("broker: all queues together are bounded in bytes", "[mqtt]") {
  Limits limits;
  limits.total_queue_bytes = 10'000;
  World world(limits);
  for (const char* id : {"a", "b", "c"}) world.JoinKept(id).Subscribe("t").Drop();
  Client& publisher = world.Join("p");
  publisher.Publish("t", Bytes(3000, 'x'));
  CHECK(publisher.Next<Ack>().reason == Reason::kSuccess);
  publisher.Publish("t", Bytes(3000, 'x'));
  CHECK(publisher.Next<Ack>().reason == Reason::kQuotaExceeded);
  CHECK(world.broker->queued().bytes <= 10'000);
}

TEST_CASE("broker: a refusal says who, from where, what and why", "[mqtt]") {
  struct Nothing final : AllowAll {
    bool MaySubscribe(const Peer&, std::string_view) const override { return false; }
  };
  static const Nothing kNothing;
  World world({}, &kNothing);
  Client& client = world.Join("a");
  Subscribe subscribe;
  subscribe.packet_id = 1;
  subscribe.entries = {{"secret", {}}};
  client.Send(subscribe);
  REQUIRE_FALSE(world.notes.empty());
  const Note& note = world.notes.back();
  CHECK(note.serious);
  CHECK(note.what == "refused");
  CHECK(note.reason == "not authorized");
  CHECK(note.client == "a");
  CHECK(note.address == "127.0.0.1");
  CHECK(note.detail == "subscribe to `secret`");
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
