// One agent that wants what is another's, on a broker with the relay's rights: every way that MQTT
// offers. That certificates of the wrong CA get nowhere is in test/net/mqtt_server_tls_test.cpp.
#include <catch2/catch.hpp>

#include "roles/relay/topic_rights.h"
#include "test/mqtt/broker_world.h"

namespace mig::relay {
namespace {

using namespace std::chrono_literals;
using mqtt::Client;
using mqtt::PropertyId;
using mqtt::Qos;
using mqtt::Reason;
using mqtt::World;

const mqtt::Peer kMallory{"agent", "mallory", "192.0.2.66"};
const mqtt::Peer kVictim{"agent", "victim", "192.0.2.1"};
const mqtt::Peer kScheduler{"scheduler", "s1", "192.0.2.2"};
constexpr auto kRefused = static_cast<std::uint8_t>(Reason::kNotAuthorized);

// The relay's rights, or everybody's: what they were before somebody took them away.
class ChangingRights final : public mqtt::Authoriser {
 public:
  bool MayConnect(const mqtt::Peer& peer, std::string_view client_id) const override {
    return open || rights_.MayConnect(peer, client_id);
  }
  bool MayPublish(const mqtt::Peer& peer, std::string_view topic, bool retain) const override {
    return open || rights_.MayPublish(peer, topic, retain);
  }
  bool MaySubscribe(const mqtt::Peer& peer, std::string_view filter) const override {
    return open || rights_.MaySubscribe(peer, filter);
  }
  bool IsService(const mqtt::Peer& peer) const override { return rights_.IsService(peer); }

  bool open = false;

 private:
  TopicRights rights_;
};

// The scheduler, the victim and Mallory, connected.
struct Scene {
  explicit Scene(World& w)
      : world(w),
        victim(Join("victim", kVictim)),
        scheduler(Join("scheduler", kScheduler)),
        mallory(Join("mallory", kMallory)) {
    victim.Subscribe("mig/v1/dn/victim/#");
    scheduler.Subscribe("mig/v1/up/#");
  }
  Client& Join(const std::string& id, const mqtt::Peer& peer) {
    Client& client = world.Connect(mqtt::KeptConnect(id), peer);
    REQUIRE(client.Next<mqtt::ConnAck>().code == 0);
    return client;
  }
  // A command reaches the victim, and nothing came before it; nor did Mallory see it.
  void CommandArrives() {
    scheduler.Publish("mig/v1/dn/victim/cmd", "command");
    CHECK(scheduler.Next<mqtt::Ack>().reason == Reason::kSuccess);
    const auto command = victim.Next<mqtt::Publish>();
    CHECK(command.payload == "command");
    victim.PubAck(command.packet_id);
    CHECK(victim.Quiet());
    CHECK(mallory.inbox.empty());
    CHECK(scheduler.Quiet());
  }

  World& world;
  Client& victim;
  Client& scheduler;
  Client& mallory;
};

TEST_CASE("rights: no filter brings an agent what is another's", "[relay]") {
  const TopicRights rights;
  World world({}, &rights);
  Scene scene(world);
  const std::vector<std::string> filters{"#",
                                         "+",
                                         "+/#",
                                         "/#",
                                         "+/+/+/+/+",
                                         "mig/#",
                                         "mig/+/#",
                                         "mig/v1/#",
                                         "mig/v1/dn/#",
                                         "mig/v1/dn/+",
                                         "mig/v1/dn/+/#",
                                         "mig/v1/dn/+/cmd",
                                         "mig/v1/+/mallory/#",
                                         "mig/+/dn/mallory/#",
                                         "+/v1/dn/mallory/#",
                                         "mig/v1/dn/victim",
                                         "mig/v1/dn/victim/#",
                                         "mig/v1/dn/victim/cmd",
                                         "mig/v1/dn/victim/+",
                                         "mig/v1/dn//mallory/#",
                                         "/mig/v1/dn/mallory/#",
                                         "mig/v1/dn/MALLORY/#",
                                         "mig/v1/dn/mallory /#",
                                         "mig/v1/dn/mallory2/#",
                                         "mig/v1/dn/mallor/#",
                                         "mig/v1/dn/m\u0430llory/#",
                                         "mig/v1/dn/\ufeffmallory/#",
                                         "mig/v1/up/#",
                                         "mig/v1/up/+/mallory/#",
                                         "mig/v1/event/#",
                                         "mig/v1/wake/scheduler",
                                         "$SYS/#",
                                         "$SYS/broker/+",
                                         "$share/agent/mig/v1/dn/mallory/#",
                                         "$share/scheduler/mig/v1/up/#",
                                         "$share/scheduler/#",
                                         "$share/mallory/mig/v1/dn/victim/#",
                                         "$share/agent/#",
                                         "$SHARE/agent/#"};
  for (const std::string& filter : filters) {
    INFO(filter);
    mqtt::Subscribe subscribe;
    subscribe.packet_id = 1;
    subscribe.entries = {{filter, {Qos::kAtLeastOnce}}};
    scene.mallory.Send(subscribe);
    CHECK(scene.mallory.Next<mqtt::SubAck>().reasons == std::vector{Reason::kNotAuthorized});
  }
  // One that is his among some that are not: only his.
  mqtt::Subscribe subscribe;
  subscribe.packet_id = 2;
  subscribe.entries = {{"mig/v1/dn/victim/#", {}}, {"mig/v1/dn/mallory/#", {}}, {"#", {}}};
  scene.mallory.Send(subscribe);
  CHECK(scene.mallory.Next<mqtt::SubAck>().reasons ==
        std::vector{Reason::kNotAuthorized, Reason::kSuccess, Reason::kNotAuthorized});
  scene.CommandArrives();
}

TEST_CASE("rights: no topic lets an agent speak for another, or down", "[relay]") {
  const TopicRights rights;
  World world({}, &rights);
  Scene scene(world);
  const std::vector<std::string> topics{"mig/v1/dn/victim/cmd",
                                        "mig/v1/dn/mallory/cmd",
                                        "mig/v1/dn/all/cmd",
                                        "mig/v1/dn/all/policy",
                                        "mig/v1/up/00/victim/res",
                                        "mig/v1/up/mallory/res",
                                        "mig/v1/up/mallory/victim/res",
                                        "mig/v1/up/00/00/mallory/res",
                                        "mig/v1/up/00/mallory2/res",
                                        "mig/v1/up/00/Mallory/res",
                                        "mig/v1/up/00/m\u0430llory/res",
                                        "mig/v1/up",
                                        "mig/v1/up/00",
                                        "/mig/v1/up/00/mallory/res",
                                        "mig/v1/up/00//mallory/res",
                                        "mig/v1/event/action",
                                        "mig/v1/wake/scheduler",
                                        "$SYS/broker/uptime",
                                        "$share/scheduler/mig/v1/up/00/mallory/res",
                                        "/",
                                        "a"};
  for (const std::string& topic : topics) {
    for (const Qos qos : {Qos::kAtMostOnce, Qos::kAtLeastOnce, Qos::kExactlyOnce}) {
      INFO(topic);
      scene.mallory.Publish(topic, "forged", qos);
      if (qos == Qos::kAtMostOnce) {
        CHECK(scene.mallory.inbox.empty());
      } else {
        CHECK(scene.mallory.Next<mqtt::Ack>().reason == Reason::kNotAuthorized);
      }
      CHECK_FALSE(scene.mallory.closed);
    }
  }
  // What is his own he may not leave behind for others to find.
  mqtt::Publish retained;
  retained.topic = "mig/v1/up/00/mallory/st";
  retained.payload = "on";
  retained.retain = true;
  retained.qos = Qos::kAtLeastOnce;
  retained.packet_id = 77;
  scene.mallory.Send(retained);
  CHECK(scene.mallory.Next<mqtt::Ack>().reason == Reason::kNotAuthorized);
  scene.CommandArrives();
}

TEST_CASE("rights: a topic alias is no other name for what is refused", "[relay]") {
  const TopicRights rights;
  World world({}, &rights);
  Scene scene(world);
  mqtt::Publish publish;
  publish.topic = "mig/v1/dn/victim/cmd";
  publish.payload = "forged";
  publish.qos = Qos::kAtLeastOnce;
  publish.properties.Add(PropertyId::kTopicAlias, 1);
  for (std::uint16_t id = 1; id < 4; ++id) {
    publish.packet_id = id;
    scene.mallory.Send(publish);
    CHECK(scene.mallory.Next<mqtt::Ack>().reason == Reason::kNotAuthorized);
    publish.topic.clear();  // from now on by its alias alone
  }
  scene.CommandArrives();
}

TEST_CASE("rights: a will says nothing that its client may not say", "[relay]") {
  const TopicRights rights;
  World world({}, &rights);
  Scene scene(world);
  struct Case {
    const char* topic;
    bool retain;
  };
  for (const Case& each :
       {Case{"mig/v1/up/00/victim/st", false}, Case{"mig/v1/dn/victim/cmd", false},
        Case{"mig/v1/dn/all/policy", true}, Case{"mig/v1/up/00/mallory/st", true},
        Case{"$SYS/broker/uptime", true}}) {
    INFO(each.topic);
    mqtt::Connect connect = mqtt::KeptConnect("mallory");
    connect.will = mqtt::Will{each.topic, "forged", Qos::kAtLeastOnce, each.retain, {}};
    Client& client = world.Connect(connect, kMallory);
    CHECK(client.Next<mqtt::ConnAck>().code == kRefused);
    CHECK(client.closed);
  }
  CHECK_FALSE(scene.mallory.closed);  // a refused CONNECT takes over nothing
  scene.CommandArrives();
}

TEST_CASE("rights: nobody has another's session, connected or not", "[relay]") {
  const TopicRights rights;
  World world({}, &rights);
  Scene scene(world);
  const std::vector<std::string> names{"victim",    "Victim",       "victim-1",  "mallory-1",
                                       "scheduler", "scheduler-1",  "s1",        "api",
                                       "mallory/",  "m\u0430llory", "mallory\t", ""};
  for (const bool connected : {true, false}) {
    if (!connected) scene.victim.Drop();
    for (const std::string& name : names) {
      for (const bool clean : {false, true}) {
        INFO(name);
        mqtt::Connect connect = mqtt::KeptConnect(name);
        connect.clean_start = clean;
        Client& client = world.Connect(connect, kMallory);
        CHECK(client.Next<mqtt::ConnAck>().code != 0);
        CHECK(client.closed);
      }
    }
  }
  CHECK_FALSE(scene.scheduler.closed);
  scene.scheduler.Publish("mig/v1/dn/victim/cmd", "kept");
  scene.scheduler.Next<mqtt::Ack>();
  Client& back = world.Connect(mqtt::KeptConnect("victim"), kVictim);
  CHECK(back.Next<mqtt::ConnAck>().session_present);
  CHECK(back.Next<mqtt::Publish>().payload == "kept");
}

TEST_CASE("rights: certificates of agents with the names of servers do not stand in their way",
          "[relay]") {
  // Only an API that has been taken over would issue them: it gets no server's session with them.
  const TopicRights rights;
  for (const char* id : {"scheduler", "scheduler-1", "api", "api-2", "monitor"}) {
    INFO(id);
    CHECK_FALSE(rights.MayConnect({"agent", id, ""}, id));
  }
  CHECK_FALSE(rights.MayConnect({"api", "scheduler", ""}, "scheduler"));
  CHECK_FALSE(rights.MayConnect({"api", "scheduler", ""}, "scheduler-1"));
  CHECK(rights.MayConnect({"api", "scheduler", ""}, "api"));
  CHECK(rights.MayConnect({"scheduler", "s1", ""}, "scheduler-1"));
}

TEST_CASE("rights: what was subscribed, left or retained before is judged by today's", "[relay]") {
  ChangingRights rights;
  rights.open = true;
  World world({}, &rights);
  {
    mqtt::Connect connect = mqtt::KeptConnect("mallory");
    connect.will = mqtt::Will{"mig/v1/dn/victim/cmd", "forged will", Qos::kAtLeastOnce, true, {}};
    Client& mallory = world.Connect(connect, kMallory);
    mallory.Next<mqtt::ConnAck>();
    mallory.Subscribe("#");
    mallory.Subscribe("$share/scheduler/mig/v1/up/#");
    mallory.Subscribe("mig/v1/dn/mallory/#");
    mqtt::Publish retained;
    retained.topic = "mig/v1/dn/all/policy";
    retained.payload = "forged policy";
    retained.retain = true;
    mallory.Send(retained);
    CHECK(mallory.Next<mqtt::Publish>().payload == "forged policy");
    Client& scheduler = world.Connect(mqtt::KeptConnect("early"), kScheduler);
    scheduler.Next<mqtt::ConnAck>();
    mallory.Drop();
    while (!scheduler.inbox.empty()) scheduler.inbox.pop_front();
    scheduler.Publish("mig/v1/dn/victim/cmd", "for the victim alone");
  }
  for (const bool restarted : {false, true}) {
    INFO("restarted " << restarted);
    rights.open = false;
    if (restarted) world.Restart();
    Client& victim = world.Connect(mqtt::KeptConnect("victim"), kVictim);
    CHECK(victim.Next<mqtt::ConnAck>().code == 0);
    victim.Subscribe("mig/v1/dn/all/#");
    CHECK(victim.Quiet());  // a policy that only a scheduler may leave there
    Client& back = world.Connect(mqtt::KeptConnect("mallory"), kMallory);
    CHECK(back.Next<mqtt::ConnAck>().session_present);
    CHECK(back.Quiet());  // nothing that waited for him
    Client& scheduler = world.Connect(mqtt::KeptConnect("scheduler"), kScheduler);
    CHECK(scheduler.Next<mqtt::ConnAck>().code == 0);
    scheduler.Subscribe("$share/scheduler/mig/v1/up/#");
    victim.Publish("mig/v1/up/00/victim/res", "result");
    const auto result = scheduler.Next<mqtt::Publish>();  // no other member of the group
    CHECK(result.payload == "result");
    scheduler.PubAck(result.packet_id);
    scheduler.Publish("mig/v1/dn/mallory/cmd", "his own");
    const auto own = back.Next<mqtt::Publish>();
    CHECK(own.payload == "his own");  // what he may, he still may
    back.PubAck(own.packet_id);
    back.Drop();
    victim.Drop();
    scheduler.Drop();
  }
}

TEST_CASE("rights: a will that was accepted is not sent when its right has gone", "[relay]") {
  ChangingRights rights;
  rights.open = true;
  World world({}, &rights);
  mqtt::Connect connect = mqtt::KeptConnect("mallory");
  connect.will = mqtt::Will{"mig/v1/dn/victim/cmd", "forged", Qos::kAtLeastOnce, false, {}};
  Client& mallory = world.Connect(connect, kMallory);
  mallory.Next<mqtt::ConnAck>();
  rights.open = false;
  Scene scene(world);  // its own Mallory takes over: the will is due
  CHECK(mallory.closed);
  scene.CommandArrives();
}

}  // namespace
}  // namespace mig::relay
