// What a broker knows after it was killed: exactly what was committed.
#include <catch2/catch.hpp>

#include "test/mqtt/broker_world.h"

namespace mig::mqtt {
namespace {

using namespace std::chrono_literals;

TEST_CASE("broker: sessions, subscriptions and queued messages survive a restart", "[mqtt]") {
  World world;
  world.JoinKept("away").Subscribe("t/+").Drop();
  Client& publisher = world.Join("p");
  for (int i = 0; i < 200; ++i) publisher.Publish("t/1", std::to_string(i));
  world.Restart();
  CHECK(world.broker->sessions() == 1);
  Client& later = world.Join("p");
  later.Publish("t/2", "200");
  Client& back = world.Connect(KeptConnect("away"));
  CHECK(back.Next<ConnAck>().session_present);
  for (int i = 0; i <= 200; ++i) {
    const auto publish = back.Next<Publish>();
    CHECK(publish.payload == std::to_string(i));
    back.PubAck(publish.packet_id);
  }
  CHECK(back.Quiet());
  CHECK(world.store.queued() == 0);
  CHECK(world.store.messages() == 0);
}

TEST_CASE("broker: what was acknowledged to the publisher is there after a kill", "[mqtt]") {
  World world;
  world.JoinKept("away").Subscribe("t").Drop();
  Client& publisher = world.Join("p");
  world.commits = false;
  std::size_t acknowledged = 0;
  for (int i = 0; i < 30; ++i) {
    publisher.Publish("t", std::to_string(i));
    if (i == 19) world.Commit();
  }
  while (!publisher.inbox.empty()) {
    publisher.Next<Ack>();
    ++acknowledged;
  }
  CHECK(acknowledged == 20);
  world.commits = true;
  world.Restart();
  Client& back = world.JoinKept("away");
  for (std::size_t i = 0; i < acknowledged; ++i) {
    const auto publish = back.Next<Publish>();
    CHECK(publish.payload == std::to_string(i));
    back.PubAck(publish.packet_id);
  }
}

TEST_CASE("broker: who was connected at the kill has its will's delay to return", "[mqtt]") {
  World world;
  Connect connect = KeptConnect("a");
  Will will{"will/a", "gone", Qos::kAtLeastOnce, false, {}};
  will.properties.Add(PropertyId::kWillDelayInterval, 60);
  connect.will = will;
  world.Connect(connect).Next<ConnAck>();
  world.Restart();
  Client& watcher = world.Join("watcher");
  watcher.Subscribe("will/#");
  world.Pass(59s);
  CHECK(watcher.Quiet());
  world.Pass(2s);
  CHECK(watcher.Next<Publish>().payload == "gone");
  CHECK(world.store.FindSession("a") != nullptr);
  CHECK_FALSE(world.store.FindSession("a")->will);
  world.Restart();
  Client& again = world.Join("watcher");
  again.Subscribe("will/#");
  world.Pass(10min);
  CHECK(again.Quiet());  // once only
}

TEST_CASE("broker: the time away counts across a restart", "[mqtt]") {
  World world;
  world.JoinKept("a").Drop();
  world.Pass(50min);
  world.Restart();
  world.Pass(11min);
  CHECK(world.broker->sessions() == 0);
  CHECK(world.store.sessions() == 0);
}

TEST_CASE("broker: being killed again and again does not make a session last longer", "[mqtt]") {
  World world;
  Connect connect = KeptConnect("a");
  connect.properties = {};
  connect.properties.Add(PropertyId::kSessionExpiryInterval, 60);
  CHECK(world.Connect(connect).Next<ConnAck>().code == 0);
  world.Restart();
  world.Pass(40s);
  world.Restart();
  world.Pass(40s);
  CHECK_FALSE(world.Connect(connect).Next<ConnAck>().session_present);
}

TEST_CASE("broker: a session that ended with its connection is gone after a kill", "[mqtt]") {
  World world;
  world.JoinKept("a");
  Connect ending;
  ending.client_id = "a";
  ending.clean_start = false;  // resumed, but with an expiry of 0
  Client& client = world.Connect(ending);
  CHECK(client.Next<ConnAck>().session_present);
  world.Restart();
  CHECK(world.broker->sessions() == 0);
  CHECK(world.store.sessions() == 0);
}

TEST_CASE("broker: retained messages and groups survive a restart", "[mqtt]") {
  World world;
  Publish publish;
  publish.topic = "policy";
  publish.payload = "v1";
  publish.retain = true;
  publish.qos = Qos::kAtLeastOnce;
  publish.packet_id = 1;
  Client& publisher = world.Join("p");
  publisher.Send(publish).Next<Ack>();
  world.JoinKept("a").Subscribe("$share/g/t").Drop();
  publisher.Publish("t", "x");
  world.Restart();
  Client& a = world.JoinKept("a");
  CHECK(a.Next<Publish>().payload == "x");
  a.Subscribe("policy");
  CHECK(a.Next<Publish>().payload == "v1");
}

TEST_CASE("broker: a session belongs to its maker also after a restart", "[mqtt]") {
  World world;
  world.Connect(KeptConnect("a"), {"agent", "alice", ""}).Drop();
  world.Restart();
  CHECK(world.Connect(KeptConnect("a"), {"agent", "mallory", ""}).Next<ConnAck>().code == 0x87);
  CHECK(world.Connect(KeptConnect("a"), {"agent", "alice", ""}).Next<ConnAck>().session_present);
}

}  // namespace
}  // namespace mig::mqtt
