// Shared subscriptions (MQTT 5.0 section 4.8.2): one queue for the group.
#include <catch2/catch.hpp>

#include "test/mqtt/broker_world.h"

namespace mig::mqtt {
namespace {

constexpr auto kFilter = "$share/g/t";

TEST_CASE("broker: a shared message goes to one member, in turn", "[mqtt]") {
  World world;
  Client& a = world.Join("a");
  Client& b = world.Join("b", Version::k311);  // 3.1.1 may share as well
  Client& alone = world.Join("alone");
  a.Subscribe(kFilter);
  b.Subscribe(kFilter);
  alone.Subscribe("t");
  Client& publisher = world.Join("p");
  for (int i = 0; i < 10; ++i) publisher.Publish("t", std::to_string(i));
  CHECK(a.inbox.size() == 5);
  CHECK(b.inbox.size() == 5);
  CHECK(alone.inbox.size() == 10);
}

TEST_CASE("broker: what a member did not acknowledge goes to another", "[mqtt]") {
  World world;
  Client& a = world.JoinKept("a");
  a.Subscribe(kFilter);
  world.Join("p").Publish("t", "1").Publish("t", "2");
  CHECK(a.inbox.size() == 2);
  Client& b = world.JoinKept("b");
  b.Subscribe(kFilter);
  a.Drop();
  CHECK(b.Next<Publish>().payload == "1");
  CHECK(b.Next<Publish>().payload == "2");
  Client& back = world.JoinKept("a");
  CHECK(back.Quiet());
}

TEST_CASE("broker: a group's messages wait for the first member to return", "[mqtt]") {
  World world;
  world.JoinKept("a").Subscribe(kFilter).Drop();
  world.JoinKept("b").Subscribe(kFilter).Drop();
  Client& publisher = world.Join("p");
  for (int i = 0; i < 100; ++i) publisher.Publish("t", std::to_string(i));
  CHECK(world.store.queued() == 100);
  Client& b = world.JoinKept("b");
  for (int i = 0; i < 100; ++i) {
    const auto publish = b.Next<Publish>();
    CHECK(publish.payload == std::to_string(i));
    b.PubAck(publish.packet_id);
  }
  CHECK(world.store.queued() == 0);
  CHECK(world.JoinKept("a").Quiet());
}

TEST_CASE("broker: a member's window does not hold up the others", "[mqtt]") {
  World world;
  Connect narrow;
  narrow.client_id = "narrow";
  narrow.properties.Add(PropertyId::kReceiveMaximum, 1);
  Client& a = world.Connect(narrow);
  a.Next<ConnAck>();
  Client& b = world.Join("b");
  a.Subscribe(kFilter);
  b.Subscribe(kFilter);
  Client& publisher = world.Join("p");
  for (int i = 0; i < 9; ++i) publisher.Publish("t", std::to_string(i));
  CHECK(a.inbox.size() == 1);
  CHECK(b.inbox.size() == 8);
}

TEST_CASE("broker: members may want different QoS", "[mqtt]") {
  World world;
  Client& zero = world.Join("zero");
  zero.Subscribe(kFilter, Qos::kAtMostOnce);
  Client& publisher = world.Join("p");
  publisher.Publish("t", "x");
  CHECK(zero.Next<Publish>().qos == Qos::kAtMostOnce);
  Client& one = world.Join("one");
  one.Subscribe(kFilter);
  for (int i = 0; i < 4; ++i) publisher.Publish("t", "y");
  CHECK(zero.Next<Publish>().qos == Qos::kAtMostOnce);
  CHECK(one.Next<Publish>().qos == Qos::kAtLeastOnce);
}

TEST_CASE("broker: a group ends with its last member", "[mqtt]") {
  World world;
  world.JoinKept("a").Subscribe(kFilter).Drop();
  world.Join("p").Publish("t", "x");
  CHECK(world.store.queued() == 1);
  Client& a = world.JoinKept("a");
  const auto publish = a.Next<Publish>();
  a.Send(Unsubscribe{1, {}, {kFilter}});
  a.Next<UnsubAck>();
  CHECK(world.store.Load().groups.empty());
  CHECK(world.store.queued() == 1);  // what has begun is delivered [MQTT-3.10.4-3]
  a.PubAck(publish.packet_id);
  CHECK(world.store.queued() == 0);
  CHECK(world.store.messages() == 0);
}

TEST_CASE("broker: a kept member makes its group's queue durable", "[mqtt]") {
  World world;
  Connect connect;
  connect.client_id = "passing";
  connect.properties.Add(PropertyId::kReceiveMaximum, 1);
  Client& passing = world.Connect(connect);
  passing.Next<ConnAck>();
  passing.Subscribe(kFilter);
  Client& publisher = world.Join("p");
  for (int i = 0; i < 3; ++i) publisher.Publish("t", std::to_string(i));
  CHECK(world.store.queued() == 0);
  world.JoinKept("kept").Subscribe(kFilter).Drop();
  passing.Drop();
  Client& back = world.JoinKept("kept");
  std::size_t received = 0;
  while (!back.inbox.empty()) {
    back.PubAck(back.Next<Publish>().packet_id);
    ++received;
  }
  CHECK(received == 3);
  CHECK(world.store.queued() == 0);
}

TEST_CASE("broker: no local on a shared subscription is a protocol error", "[mqtt]") {
  World world;  // [MQTT-3.8.3-4]
  Client& client = world.Join("a");
  Subscribe subscribe;
  subscribe.packet_id = 1;
  subscribe.entries = {{kFilter, {Qos::kAtLeastOnce, true}}};
  client.Send(subscribe);
  CHECK(client.Next<Disconnect>().reason == Reason::kProtocolError);
}

TEST_CASE("broker: shared subscribers get no retained messages", "[mqtt]") {
  World world;
  Publish publish;
  publish.topic = "t";
  publish.payload = "x";
  publish.retain = true;
  world.Join("p").Send(publish);
  Client& client = world.Join("a");
  client.Subscribe(kFilter);
  CHECK(client.Quiet());
}

}  // namespace
}  // namespace mig::mqtt
