#include "mqtt/sys_topics.h"

#include <catch2/catch.hpp>
#include <map>

#include "test/mqtt/broker_world.h"
#include "util/version.h"

namespace mig::mqtt {
namespace {

using namespace std::chrono_literals;

// What the client has been sent and not yet looked at, by topic.
std::map<std::string, Publish> TakeAll(Client& client) {
  std::map<std::string, Publish> all;
  while (!client.inbox.empty()) {
    Publish publish = client.Next<Publish>();
    INFO(publish.topic);
    CHECK(all.emplace(publish.topic, publish).second);
  }
  return all;
}

TEST_CASE("load averages: they approach a steady rate, the short ones sooner", "[mqtt]") {
  LoadAverages loads;
  BrokerCounters counters;
  for (int i = 0; i < 6; ++i) {  // a minute of 10 a second
    counters.packets_received += 100;
    loads.Sample(counters, 10s);
  }
  const LoadAverages::Load& load = loads.loads()[0];
  CHECK(load.name == "messages/received");
  CHECK(load.a_minute[0] == Approx(600 * (1 - std::exp(-1.0))));
  CHECK(load.a_minute[1] == Approx(600 * (1 - std::exp(-1.0 / 5))));
  CHECK(load.a_minute[2] == Approx(600 * (1 - std::exp(-1.0 / 15))));
  for (int i = 0; i < 600; ++i) {
    counters.packets_received += 100;
    loads.Sample(counters, 10s);
  }
  CHECK(load.a_minute[2] == Approx(600).epsilon(0.01));
  CHECK(loads.loads()[1].a_minute[0] == 0);
}

TEST_CASE("$SYS: who subscribes gets every value at once, as if it were retained", "[mqtt]") {
  World world(Limits{}, nullptr, 10s);
  Client& client = world.Join("a");
  client.Subscribe("$SYS/#");
  const auto all = TakeAll(client);
  for (const char* topic : {"version",
                            "uptime",
                            "clients/connected",
                            "clients/disconnected",
                            "clients/expired",
                            "clients/maximum",
                            "clients/total",
                            "messages/received",
                            "messages/sent",
                            "messages/stored",
                            "store/messages/count",
                            "store/messages/bytes",
                            "publish/messages/received",
                            "publish/messages/sent",
                            "publish/messages/dropped",
                            "publish/bytes/received",
                            "publish/bytes/sent",
                            "bytes/received",
                            "bytes/sent",
                            "subscriptions/count",
                            "shared_subscriptions/count",
                            "retained messages/count",
                            "load/messages/received/1min",
                            "load/bytes/sent/15min",
                            "load/connections/5min"}) {
    INFO(topic);
    CHECK(all.count("$SYS/broker/" + std::string(topic)) == 1);
  }
  CHECK(all.at("$SYS/broker/version").payload == "mig version " + std::string(mig::Version()));
  CHECK(all.at("$SYS/broker/uptime").payload == "0 seconds");
  for (const auto& [topic, publish] : all) {
    CHECK(publish.retain);
    CHECK(publish.qos == Qos::kAtMostOnce);  // so that nothing is queued
  }
  // One topic alone, and without retained values at all.
  Client& other = world.Join("b");
  other.Subscribe("$SYS/broker/clients/connected");
  CHECK(other.Next<Publish>().payload == "2");
  CHECK(other.Quiet());
  Subscribe later;
  later.packet_id = 9;
  later.entries = {{"$SYS/#", {Qos::kAtMostOnce}}};
  later.entries[0].options.retain_handling = RetainHandling::kDoNotSend;
  other.Send(later).Next<SubAck>();
  CHECK(other.Quiet());
}

TEST_CASE("$SYS: changes come at every interval, and only changes", "[mqtt]") {
  World world(Limits{}, nullptr, 10s);
  Client& client = world.Join("a");
  client.Subscribe("$SYS/broker/clients/+");
  TakeAll(client);
  world.Pass(10s);
  TakeAll(client);
  world.Pass(60s);
  CHECK(client.Quiet());
  world.Join("b");
  world.Pass(9s);
  CHECK(client.Quiet());
  world.Pass(1s);
  const auto all = TakeAll(client);
  CHECK(all.at("$SYS/broker/clients/connected").payload == "2");
  CHECK_FALSE(all.at("$SYS/broker/clients/connected").retain);
  CHECK(all.count("$SYS/broker/clients/disconnected") == 0);
}

TEST_CASE("$SYS: the numbers are those of what happened", "[mqtt]") {
  World world(Limits{}, nullptr, 10s);
  world.JoinKept("away").Subscribe("t").Drop();
  Client& publisher = world.Join("p");
  publisher.Publish("t", "12345").Next<Ack>();
  Publish retained;
  retained.topic = "r";
  retained.payload = "kept";
  retained.retain = true;
  publisher.Send(retained);
  Client& member = world.Join("m");
  member.Subscribe("$share/g/x").Subscribe("r");
  CHECK(member.Next<Publish>().payload == "kept");
  Client& client = world.Join("w");
  client.Subscribe("$SYS/broker/#");
  auto all = TakeAll(client);
  const auto value = [&all](const std::string& topic) {
    return all.at("$SYS/broker/" + topic).payload;
  };
  CHECK(value("clients/connected") == "3");
  CHECK(value("clients/total") == "4");
  CHECK(value("clients/disconnected") == "1");
  CHECK(value("clients/maximum") == "3");
  CHECK(value("store/messages/count") == "1");
  CHECK(value("store/messages/bytes") == "6");  // the topic counts
  CHECK(value("publish/messages/received") == "2");
  CHECK(value("publish/bytes/received") == "9");
  CHECK(value("publish/bytes/sent") == "4");
  CHECK(value("retained messages/count") == "1");
  CHECK(value("subscriptions/count") == "4");
  CHECK(value("shared_subscriptions/count") == "1");
  // CONNECT of four, SUBSCRIBE of four filters, two PUBLISHes.
  CHECK(value("messages/received") == "10");
  member.Drop();
  client.Drop();
  world.Pass(4000s);  // "away" has expired
  Client& later = world.Join("later");
  later.Subscribe("$SYS/broker/#");
  all = TakeAll(later);
  CHECK(value("clients/expired") == "1");
  CHECK(value("subscriptions/count") == "1");
  CHECK(value("shared_subscriptions/count") == "0");
  CHECK(value("store/messages/count") == "0");
}

TEST_CASE("$SYS: nothing of it is queued, stored, or reached by # and +", "[mqtt]") {
  World world(Limits{}, nullptr, 10s);
  Client& away = world.JoinKept("away");
  away.Subscribe("$SYS/#");
  away.Drop();
  Client& everything = world.Join("b");
  everything.Subscribe("#").Subscribe("+/broker/uptime");
  world.Pass(60s);
  CHECK(everything.Quiet());
  CHECK(world.broker->queued().messages == 0);
  CHECK(world.store.Load().retained.empty());
  Client& back = world.JoinKept("away");
  CHECK(back.Quiet());  // until the next change
  world.Pass(10s);
  CHECK(back.Next<Publish>().topic.starts_with("$SYS/broker/"));
}

TEST_CASE("$SYS: no client publishes there, with whatever rights", "[mqtt]") {
  World world(Limits{}, nullptr, 10s);
  Client& watcher = world.Join("w");
  watcher.Subscribe("$SYS/broker/clients/expired");
  watcher.Next<Publish>();
  Client& client = world.Join("p");
  for (const char* topic : {"$SYS/broker/clients/expired", "$SYS", "$SYS/other"}) {
    CHECK(client.Publish(topic, "9").Next<Ack>().reason == Reason::kNotAuthorized);
  }
  CHECK(watcher.Quiet());
  mqtt::Connect connect = KeptConnect("dying");
  connect.will = Will{};
  connect.will->topic = "$SYS/broker/clients/expired";
  connect.will->payload = "9";
  CHECK(world.Connect(connect).Next<ConnAck>().code == 0x87);
}

TEST_CASE("$SYS: without an interval there is nothing", "[mqtt]") {
  World world;
  Client& client = world.Join("a");
  client.Subscribe("$SYS/#");
  world.Pass(60s);
  CHECK(client.Quiet());
}

TEST_CASE("figures: the largest queues are named, largest first", "[mqtt]") {
  World world;
  for (const char* name : {"a", "b", "c", "none"}) {
    world.JoinKept(name).Subscribe(std::string("to/") + name).Drop();
  }
  world.JoinKept("m").Subscribe("$share/g/to/group").Drop();
  Client& publisher = world.Join("p");
  publisher.Publish("to/a", "1").Publish("to/b", "1234567").Publish("to/c", "123");
  publisher.Publish("to/group", "12345").Publish("to/c", "1");
  const auto largest = world.broker->LargestQueues(3);
  REQUIRE(largest.size() == 3);
  CHECK(largest[0].name == "$share/g/to/group");
  CHECK(largest[0].bytes == 13);
  CHECK(largest[1].name == "c");
  CHECK(largest[1].messages == 2);
  CHECK(largest[2].name == "b");
  CHECK_FALSE(largest[2].connected);
  CHECK(world.broker->LargestQueues(100).size() == 4);
  CHECK(world.broker->LargestQueues(0).empty());
}

TEST_CASE("refusals: they say who, from where, with which certificate, and the code", "[mqtt]") {
  struct Nothing final : Authoriser {
    bool MayConnect(const Peer&, std::string_view id) const override { return id != "other"; }
    bool MayPublish(const Peer&, std::string_view, bool) const override { return false; }
    bool MaySubscribe(const Peer&, std::string_view) const override { return false; }
  };
  const Nothing nothing;
  World world(Limits{}, &nothing);
  const Peer peer{"agent", "abc", "192.0.2.7"};
  world.Connect(KeptConnect("other"), peer).Next<ConnAck>();
  Client& client = world.Connect(KeptConnect("abc"), peer);
  client.Next<ConnAck>();
  client.Publish("t", "x").Next<Ack>();
  std::vector<Note> serious;
  for (const Note& note : world.notes) {
    if (note.serious) serious.push_back(note);
  }
  REQUIRE(serious.size() == 2);
  for (const Note& note : serious) {
    CHECK(note.what == "refused");
    CHECK(note.reason == "not authorized");
    CHECK(note.code == 0x87);
    CHECK(note.certificate == "agent/abc");
    CHECK(note.address == "192.0.2.7");
  }
  CHECK(serious[0].client == "other");
  CHECK(serious[1].client == "abc");
}

}  // namespace
}  // namespace mig::mqtt
