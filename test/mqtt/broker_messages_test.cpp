// PUBLISH, SUBSCRIBE, queues for who is away, expiry, retained messages.
#include <catch2/catch.hpp>

#include "test/mqtt/broker_world.h"

namespace mig::mqtt {
namespace {

using namespace std::chrono_literals;
constexpr auto k3 = Version::k311;

Publish Message1(const std::string& topic, const Bytes& payload, std::uint16_t id = 1) {
  Publish publish;
  publish.topic = topic;
  publish.payload = payload;
  publish.qos = Qos::kAtLeastOnce;
  publish.packet_id = id;
  return publish;
}

TEST_CASE("broker: after QoS 0 nobody waits for its arrival, after anything else one may",
          "[mqtt]") {
  World world;
  const Client& client = world.Join("c");
  Publish publish;
  publish.topic = "t";
  const Bytes zero = Encode(publish, Version::k5);
  const Bytes one = Encode(Message1("t", "a"), Version::k5);
  const auto waits = [&](const Bytes& bytes) {
    const bool result = world.broker->Receive(client.id(), bytes, world.now);
    world.Run();
    return result;
  };
  CHECK_FALSE(waits(zero + zero));
  CHECK(waits(zero + one));
  CHECK(waits(one + zero));
  CHECK_FALSE(waits(zero));
  CHECK(waits(zero.substr(0, 3)));  // the rest may wait for it
  CHECK_FALSE(waits(zero.substr(3)));
  CHECK(waits(Encode(PingReq{}, Version::k5)));
}

TEST_CASE("broker: QoS of a delivery is the lower of publication and subscription", "[mqtt]") {
  World world;
  Client& zero = world.Join("zero");
  Client& one = world.Join("one", k3);
  zero.Subscribe("t", Qos::kAtMostOnce);
  one.Subscribe("t", Qos::kExactlyOnce);
  Client& publisher = world.Join("p");
  publisher.Publish("t", "a").Publish("t", "b", Qos::kAtMostOnce);
  CHECK(publisher.Next<Ack>().reason == Reason::kSuccess);
  CHECK(publisher.Quiet());
  CHECK(zero.Next<Publish>().qos == Qos::kAtMostOnce);
  CHECK(zero.Next<Publish>().payload == "b");
  const auto first = one.Next<Publish>();
  CHECK(first.qos == Qos::kAtLeastOnce);
  CHECK(first.packet_id == 1);
  CHECK_FALSE(first.retain);
  CHECK_FALSE(first.dup);
  CHECK(one.Next<Publish>().qos == Qos::kAtMostOnce);
}

TEST_CASE("broker: overlapping filters deliver one copy, with every identifier", "[mqtt]") {
  World world;
  Client& client = world.Join("a");
  Subscribe subscribe;
  subscribe.packet_id = 1;
  subscribe.entries = {{"t/#", {Qos::kAtMostOnce}}};
  subscribe.properties.Add(PropertyId::kSubscriptionIdentifier, 5);
  client.Send(subscribe).Next<SubAck>();
  Subscribe second;
  second.packet_id = 2;
  second.entries = {{"t/a", {Qos::kAtLeastOnce}}};
  second.properties.Add(PropertyId::kSubscriptionIdentifier, 6);
  client.Send(second).Next<SubAck>();
  world.Join("p").Publish("t/a", "x");
  const auto publish = client.Next<Publish>();
  CHECK(publish.qos == Qos::kAtLeastOnce);
  std::vector<std::uint32_t> identifiers;
  for (const Property& property : publish.properties) {
    if (property.id == PropertyId::kSubscriptionIdentifier) identifiers.push_back(property.number);
  }
  CHECK(identifiers.size() == 2);
  CHECK(client.Quiet());
}

TEST_CASE("broker: no local keeps a client's own messages away from it", "[mqtt]") {
  World world;
  Client& client = world.Join("a");
  Subscribe subscribe;
  subscribe.packet_id = 1;
  subscribe.entries = {{"t", {Qos::kAtLeastOnce, true}}};
  client.Send(subscribe).Next<SubAck>();
  client.Publish("t", "mine").Next<Ack>();
  CHECK(client.Quiet());
  world.Join("b").Publish("t", "theirs");
  CHECK(client.Next<Publish>().payload == "theirs");
}

TEST_CASE("broker: properties are passed on, and those of the connection are not", "[mqtt]") {
  World world;
  Client& five = world.Join("five");
  Client& three = world.Join("three", k3);
  five.Subscribe("t");
  three.Subscribe("t");
  Client& publisher = world.Join("p");
  Publish publish = Message1("t", "x");
  publish.properties.Add(PropertyId::kContentType, "json")
      .Add(PropertyId::kResponseTopic, "r")
      .Add(PropertyId::kCorrelationData, "c")
      .AddUser("b", "1")
      .AddUser("a", "2")
      .Add(PropertyId::kTopicAlias, 1);
  publisher.Send(publish).Next<Ack>();
  publish.topic.clear();  // by its alias
  publish.packet_id = 2;
  publisher.Send(publish).Next<Ack>();
  for (int i = 0; i < 2; ++i) {
    const auto received = five.Next<Publish>();
    CHECK(received.topic == "t");
    CHECK(received.properties.size() == 5);
    CHECK(received.properties.Find(PropertyId::kTopicAlias) == nullptr);
    CHECK((received.properties.begin() + 3)->text == "b");  // user properties keep their order
    CHECK(three.Next<Publish>().properties.empty());
  }
}

TEST_CASE("broker: topic aliases that are unknown or too high end the connection", "[mqtt]") {
  for (const auto& [alias, reason] :
       std::vector<std::pair<std::uint32_t, Reason>>{{0, Reason::kTopicAliasInvalid},
                                                     {9, Reason::kTopicAliasInvalid},
                                                     {3, Reason::kProtocolError}}) {
    World world;
    Client& client = world.Join("a");
    Publish publish = Message1("", "x");
    publish.properties.Add(PropertyId::kTopicAlias, alias);
    client.Send(publish);
    CHECK(client.Next<Disconnect>().reason == reason);
  }
}

TEST_CASE("broker: PUBACK waits until the message is safe for an absent session", "[mqtt]") {
  World world;
  world.JoinKept("away").Subscribe("t").Drop();
  Client& publisher = world.Join("p");
  world.commits = false;
  publisher.Publish("t", "x");
  publisher.Publish("nobody", "y");  // needs no store, but must not overtake [MQTT-4.6.0-2]
  CHECK(publisher.inbox.empty());
  world.Commit();
  CHECK(publisher.Next<Ack>().packet_id == 1);
  const auto second = publisher.Next<Ack>();
  CHECK(second.packet_id == 2);
  CHECK(second.reason == Reason::kNoMatchingSubscribers);
}

TEST_CASE("broker: who is connected gets the message without waiting for the store", "[mqtt]") {
  World world;
  Client& kept = world.JoinKept("kept");
  kept.Subscribe("t");
  Client& publisher = world.Join("p");
  world.commits = false;
  publisher.Publish("t", "x");
  CHECK(kept.Next<Publish>().payload == "x");
  CHECK(publisher.inbox.empty());
}

TEST_CASE("broker: absent sessions get everything in order when they return", "[mqtt]") {
  World world;
  world.JoinKept("away").Subscribe("t").Drop();
  Client& publisher = world.Join("p");
  for (int i = 0; i < 300; ++i) publisher.Publish("t", std::to_string(i));
  CHECK(world.store.queued() == 300);
  CHECK(world.store.messages() == 300);
  Client& back = world.JoinKept("away");
  for (int i = 0; i < 300; ++i) {
    const auto publish = back.Next<Publish>();
    CHECK(publish.payload == std::to_string(i));
    CHECK_FALSE(publish.dup);
    back.PubAck(publish.packet_id);
  }
  CHECK(back.Quiet());
  CHECK(world.store.queued() == 0);
  CHECK(world.store.messages() == 0);
}

TEST_CASE("broker: one message for many absent sessions is stored once", "[mqtt]") {
  World world;
  for (int i = 0; i < 20; ++i) world.JoinKept("a" + std::to_string(i)).Subscribe("all").Drop();
  world.Join("p").Publish("all", "x");
  CHECK(world.store.queued() == 20);
  CHECK(world.store.messages() == 1);
  for (int i = 0; i < 20; ++i) {
    Client& client = world.JoinKept("a" + std::to_string(i));
    client.PubAck(client.Next<Publish>().packet_id);
  }
  CHECK(world.store.messages() == 0);
}

TEST_CASE("broker: what was not acknowledged comes again, DUP, under its identifier", "[mqtt]") {
  World world;  // [MQTT-4.4.0-1]
  Client& client = world.JoinKept("a");
  client.Subscribe("t");
  Client& publisher = world.Join("p");
  publisher.Publish("t", "1").Publish("t", "2").Publish("t", "3");
  const auto first = client.Next<Publish>();
  const auto second = client.Next<Publish>();
  const auto third = client.Next<Publish>();
  client.PubAck(second.packet_id);
  client.Drop();
  publisher.Publish("t", "4");
  Client& back = world.JoinKept("a");
  auto again = back.Next<Publish>();
  CHECK(again.payload == "1");
  CHECK(again.dup);
  CHECK(again.packet_id == first.packet_id);
  again = back.Next<Publish>();
  CHECK(again.payload == "3");
  CHECK(again.dup);
  CHECK(again.packet_id == third.packet_id);
  again = back.Next<Publish>();
  CHECK(again.payload == "4");
  CHECK_FALSE(again.dup);
  CHECK(again.packet_id != first.packet_id);
  CHECK(again.packet_id != third.packet_id);
}

TEST_CASE("broker: Receive Maximum of the client bounds what is in flight to it", "[mqtt]") {
  World world;
  Connect connect;
  connect.client_id = "a";
  connect.properties.Add(PropertyId::kReceiveMaximum, 2);
  Client& client = world.Connect(connect);
  client.Next<ConnAck>();
  client.Subscribe("t");
  Client& publisher = world.Join("p");
  for (int i = 0; i < 5; ++i) publisher.Publish("t", std::to_string(i));
  publisher.Publish("t", "zero", Qos::kAtMostOnce);  // is not counted
  CHECK(client.inbox.size() == 3);
  const auto first = client.Next<Publish>();
  client.Next<Publish>();
  CHECK(client.Next<Publish>().payload == "zero");
  client.PubAck(first.packet_id);
  CHECK(client.Next<Publish>().payload == "2");
  CHECK(client.Quiet());
}

TEST_CASE("broker: a PUBACK that belongs to nothing does no harm", "[mqtt]") {
  World world;
  Client& client = world.Join("a");
  client.PubAck(77);
  client.Send(Ack{PacketType::kPubRel, 5, Reason::kSuccess, {}});
  CHECK(client.Next<Ack>() == Ack{PacketType::kPubComp, 5, Reason::kPacketIdentifierNotFound, {}});
  CHECK(client.Quiet());
}

TEST_CASE("broker: message expiry counts down, and what expired is not delivered", "[mqtt]") {
  World world;
  world.JoinKept("away").Subscribe("t").Drop();
  Client& publisher = world.Join("p");
  Publish publish = Message1("t", "short");
  publish.properties.Add(PropertyId::kMessageExpiryInterval, 10);
  publisher.Send(publish);
  publish = Message1("t", "long", 2);
  publish.properties.Add(PropertyId::kMessageExpiryInterval, 100);
  publisher.Send(publish);
  world.Pass(30s);
  Client& back = world.JoinKept("away");
  const auto received = back.Next<Publish>();
  CHECK(received.payload == "long");
  CHECK(received.properties.Number(PropertyId::kMessageExpiryInterval) == 70);
  CHECK(back.Quiet());
  CHECK(world.store.queued() == 1);
}

TEST_CASE("broker: expired messages make room for an absent session by themselves", "[mqtt]") {
  Limits limits;
  limits.queue_messages = 3;
  World world(limits);
  world.JoinKept("away").Subscribe("t").Drop();
  Client& publisher = world.Join("p");
  for (std::uint16_t i = 1; i <= 3; ++i) {
    Publish publish = Message1("t", "old", i);
    publish.properties.Add(PropertyId::kMessageExpiryInterval, 10);
    publisher.Send(publish);
    CHECK(publisher.Next<Ack>().reason == Reason::kSuccess);
  }
  publisher.Send(Message1("t", "new", 4));
  CHECK(publisher.Next<Ack>().reason == Reason::kQuotaExceeded);
  world.Pass(2min);
  CHECK(world.store.queued() == 0);
  publisher.Send(Message1("t", "new", 5));
  CHECK(publisher.Next<Ack>().reason == Reason::kSuccess);
  CHECK(world.JoinKept("away").Next<Publish>().payload == "new");
}

TEST_CASE("broker: a full queue is told to a 5.0 publisher and counted for a 3.1.1 one", "[mqtt]") {
  Limits limits;
  limits.queue_messages = 2;
  World world(limits);
  world.JoinKept("away").Subscribe("t").Drop();
  Client& other = world.Join("other");
  other.Subscribe("t", Qos::kAtMostOnce);
  Client& five = world.Join("five");
  five.Publish("t", "1").Publish("t", "2").Publish("t", "3");
  CHECK(five.Next<Ack>().reason == Reason::kSuccess);
  CHECK(five.Next<Ack>().reason == Reason::kSuccess);
  CHECK(five.Next<Ack>().reason == Reason::kQuotaExceeded);
  world.Join("three", k3).Publish("t", "4").Next<Ack>();
  CHECK(world.broker->counters().dropped_full == 2);
  for (const char* payload : {"1", "2", "3", "4"}) {  // the others are not punished for it
    CHECK(other.Next<Publish>().payload == payload);
  }
  Client& back = world.JoinKept("away");
  CHECK(back.Next<Publish>().payload == "1");
  CHECK(back.Next<Publish>().payload == "2");
  CHECK(back.Quiet());
}

TEST_CASE("broker: a queue is bounded in bytes, too", "[mqtt]") {
  Limits limits;
  limits.queue_bytes = 1000;
  World world(limits);
  world.JoinKept("away").Subscribe("t").Drop();
  Client& publisher = world.Join("p");
  publisher.Publish("t", Bytes(600, 'x')).Publish("t", Bytes(600, 'x'));
  CHECK(publisher.Next<Ack>().reason == Reason::kSuccess);
  CHECK(publisher.Next<Ack>().reason == Reason::kQuotaExceeded);
}

TEST_CASE("broker: retained messages reach those who come later", "[mqtt]") {
  World world;
  Client& publisher = world.Join("p");
  Publish publish = Message1("t/1", "kept");
  publish.retain = true;
  publisher.Send(publish).Next<Ack>();
  Client& late = world.Join("late");
  late.Subscribe("t/+");
  const auto received = late.Next<Publish>();
  CHECK(received.payload == "kept");
  CHECK(received.retain);
  CHECK(received.qos == Qos::kAtLeastOnce);
  publish.payload = "newer";
  publish.packet_id = 2;
  publisher.Send(publish).Next<Ack>();
  CHECK_FALSE(late.Next<Publish>().retain);  // [MQTT-3.3.1-9]
  publish.payload.clear();
  publish.packet_id = 3;
  publisher.Send(publish).Next<Ack>();  // removes it
  late.Next<Publish>();
  Client& last = world.Join("last");
  last.Subscribe("t/+");
  CHECK(last.Quiet());
}

TEST_CASE("broker: retain handling and retain as published", "[mqtt]") {
  World world;
  Client& publisher = world.Join("p");
  Publish publish = Message1("t", "kept");
  publish.retain = true;
  publisher.Send(publish).Next<Ack>();
  Client& client = world.Join("a");
  Subscribe subscribe;
  subscribe.packet_id = 1;
  subscribe.entries = {{"t", {Qos::kAtLeastOnce, false, true, RetainHandling::kSendIfNew}}};
  client.Send(subscribe).Next<SubAck>();
  client.Next<Publish>();
  client.Send(subscribe).Next<SubAck>();
  CHECK(client.Quiet());  // it was not new
  subscribe.entries[0].options.retain_handling = RetainHandling::kSend;
  client.Send(subscribe).Next<SubAck>();
  client.Next<Publish>();
  subscribe.entries[0].options.retain_handling = RetainHandling::kDoNotSend;
  client.Send(subscribe).Next<SubAck>();
  CHECK(client.Quiet());
  publish.packet_id = 2;
  publisher.Send(publish);
  CHECK(client.Next<Publish>().retain);  // as published
}

TEST_CASE("broker: a retained message goes to a kept session through its queue", "[mqtt]") {
  World world;
  Client& publisher = world.Join("p");
  Publish publish = Message1("t", "kept");
  publish.retain = true;
  publisher.Send(publish).Next<Ack>();
  Client& client = world.JoinKept("a");
  client.Subscribe("t");
  const auto received = client.Next<Publish>();
  CHECK(world.store.queued() == 1);
  client.PubAck(received.packet_id);
  CHECK(world.store.queued() == 0);
  Client& other = world.JoinKept("b");
  other.Subscribe("t");  // the message's row went with its last reader, and comes back
  other.Next<Publish>();
  CHECK(world.store.queued() == 1);
}

TEST_CASE("broker: a retained message expires", "[mqtt]") {
  World world;
  Client& publisher = world.Join("p");
  Publish publish = Message1("t", "kept");
  publish.retain = true;
  publish.properties.Add(PropertyId::kMessageExpiryInterval, 10);
  publisher.Send(publish).Next<Ack>();
  world.Pass(11s);
  Client& client = world.Join("a");
  client.Subscribe("t");
  CHECK(client.Quiet());
  world.Pass(2min);
  CHECK(world.store.Load().retained.empty());
}

TEST_CASE("broker: UNSUBSCRIBE ends deliveries and says whether there was anything", "[mqtt]") {
  World world;
  Client& client = world.JoinKept("a");
  client.Subscribe("t");
  client.Send(Unsubscribe{9, {}, {"t", "never", "bad/#/x"}});
  CHECK(client.Next<UnsubAck>().reasons ==
        std::vector{Reason::kSuccess, Reason::kNoSubscriptionExisted, Reason::kTopicFilterInvalid});
  world.Join("p").Publish("t", "x");
  CHECK(client.Quiet());
  CHECK(world.store.Load().subscriptions.empty());
}

TEST_CASE("broker: SUBSCRIBE answers each filter by itself", "[mqtt]") {
  Limits limits;
  limits.subscriptions = 3;
  World world(limits);
  Client& client = world.Join("a");
  Subscribe subscribe;
  subscribe.packet_id = 3;
  subscribe.entries = {{"a/#/b", {}},    {"ok", {Qos::kAtLeastOnce}},
                       {"ok2", {}},      {"ok3", {}},
                       {"too/many", {}}, {"ok", {}}};
  client.Send(subscribe);
  CHECK(client.Next<SubAck>().reasons ==
        std::vector{Reason::kTopicFilterInvalid, Reason::kGrantedQos1, Reason::kSuccess,
                    Reason::kSuccess, Reason::kQuotaExceeded, Reason::kSuccess});
}

TEST_CASE("broker: a message larger than the client takes is left out, not fatal", "[mqtt]") {
  World world;  // [MQTT-3.1.2-25]
  Connect connect = KeptConnect("a");
  connect.properties.Add(PropertyId::kMaximumPacketSize, 100);
  Client& client = world.Connect(connect);
  client.Next<ConnAck>();
  client.Subscribe("t");
  Client& publisher = world.Join("p");
  publisher.Publish("t", Bytes(200, 'x')).Publish("t", "small");
  CHECK(publisher.Next<Ack>().reason == Reason::kSuccess);
  CHECK(client.Next<Publish>().payload == "small");
  CHECK(world.store.queued() == 1);  // the large one is done with
}

TEST_CASE("broker: a subscription identifier from a client in PUBLISH is refused", "[mqtt]") {
  World world;
  Client& client = world.Join("a");
  Publish publish = Message1("t", "x");
  publish.properties.Add(PropertyId::kSubscriptionIdentifier, 1);
  client.Send(publish);
  CHECK(client.Next<Disconnect>().reason == Reason::kProtocolError);
}

}  // namespace
}  // namespace mig::mqtt
