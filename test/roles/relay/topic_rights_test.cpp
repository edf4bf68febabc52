// The rights on the relay, from the attacker's side: what each role must not be able to do.
#include "roles/relay/topic_rights.h"

#include <catch2/catch.hpp>

namespace mig::relay {
namespace {

const TopicRights kRights;
const mqtt::Peer kAgent{"agent", "abc", ""};
const mqtt::Peer kScheduler{"scheduler", "sched1", ""};
const mqtt::Peer kApi{"api", "api1", ""};

bool Publish(const mqtt::Peer& peer, std::string_view topic, bool retain = false) {
  return kRights.MayPublish(peer, topic, retain);
}
bool Subscribe(const mqtt::Peer& peer, std::string_view filter) {
  return kRights.MaySubscribe(peer, filter);
}

TEST_CASE("topic rights: an agent speaks and hears for itself alone", "[relay]") {
  for (const char* topic : {"mig/v1/up/0a/abc/res", "mig/v1/up/ff/abc/hb", "mig/v1/up/0a/abc/st"}) {
    CHECK(Publish(kAgent, topic));
  }
  for (const char* topic : {"mig/v1/up/0a/other/res", "mig/v1/up/0a/abcd/res", "mig/v1/up/abc/res",
                            "mig/v1/up/0a/1b/abc/res", "mig/v1/dn/abc/cmd", "mig/v1/dn/other/cmd",
                            "mig/v1/dn/all/cmd", "mig/v1/dn/all/policy", "mig/v1/event/action",
                            "mig/v1/wake/scheduler", "mig/v2/up/0a/abc/res", "MIG/v1/up/0a/abc/res",
                            "/mig/v1/up/0a/abc/res", "abc", "$SYS/abc", "$share/g/a"}) {
    INFO(topic);
    CHECK_FALSE(Publish(kAgent, topic));
  }
  for (const char* filter : {"mig/v1/dn/abc/#", "mig/v1/dn/abc/cmd", "mig/v1/dn/abc/+",
                             "mig/v1/dn/all/#", "mig/v1/dn/all/policy"}) {
    CHECK(Subscribe(kAgent, filter));
  }
  for (const char* filter :
       {"#", "+", "+/#", "mig/#", "mig/v1/dn/#", "mig/v1/dn/+/cmd", "mig/v1/+/abc/#",
        "+/v1/dn/abc/#", "mig/v1/dn/other/#", "mig/v1/dn/other/cmd", "mig/v1/dn/abcd/#",
        "mig/v1/up/0a/abc/#", "mig/v1/up/#", "mig/v1/event/#", "mig/v1/wake/scheduler", "$SYS/#",
        "$share/agent/mig/v1/dn/abc/#", "$share/g/mig/v1/dn/abc/#", "$share/agent/#"}) {
    INFO(filter);
    CHECK_FALSE(Subscribe(kAgent, filter));
  }
}

TEST_CASE("topic rights: an agent retains nothing", "[relay]") {
  CHECK_FALSE(Publish(kAgent, "mig/v1/up/0a/abc/st", true));
}

TEST_CASE("topic rights: a scheduler sends down and hears up, alone or in its group", "[relay]") {
  CHECK(Publish(kScheduler, "mig/v1/dn/abc/cmd"));
  CHECK(Publish(kScheduler, "mig/v1/dn/all/policy", true));
  CHECK(Publish(kScheduler, "mig/v1/event/action"));
  CHECK(Subscribe(kScheduler, "mig/v1/up/#"));
  CHECK(Subscribe(kScheduler, "mig/v1/up/0a/+/res"));
  CHECK(Subscribe(kScheduler, "mig/v1/wake/scheduler"));
  CHECK(Subscribe(kScheduler, "$share/scheduler/mig/v1/up/#"));
  CHECK(Subscribe(kScheduler, "$share/scheduler/mig/v1/wake/scheduler"));
  for (const char* topic : {"mig/v1/up/0a/abc/res", "mig/v1/wake/scheduler", "other"}) {
    INFO(topic);
    CHECK_FALSE(Publish(kScheduler, topic));
  }
  CHECK_FALSE(Publish(kScheduler, "mig/v1/dn/abc/cmd", true));  // one retained message only
  for (const char* filter : {"#", "mig/v1/#", "mig/v1/dn/#", "$share/other/mig/v1/up/#",
                             "$share/scheduler/#", "$share/scheduler/mig/v1/dn/#", "$SYS/#"}) {
    INFO(filter);
    CHECK_FALSE(Subscribe(kScheduler, filter));
  }
}

TEST_CASE("topic rights: the API wakes and listens to events, and reaches no agent", "[relay]") {
  CHECK(Publish(kApi, "mig/v1/event/action"));
  CHECK(Publish(kApi, "mig/v1/wake/scheduler"));
  CHECK(Subscribe(kApi, "mig/v1/event/#"));
  for (const char* topic : {"mig/v1/dn/abc/cmd", "mig/v1/dn/all/cmd", "mig/v1/up/0a/abc/res"}) {
    CHECK_FALSE(Publish(kApi, topic));
  }
  for (const char* filter : {"mig/v1/up/#", "mig/v1/dn/#", "mig/v1/#", "mig/v1/wake/scheduler",
                             "$share/api/mig/v1/event/#"}) {
    CHECK_FALSE(Subscribe(kApi, filter));
  }
}

TEST_CASE("topic rights: a monitor hears the relay of itself, and nothing else", "[relay]") {
  const mqtt::Peer monitor{"monitor", "grafana", ""};
  CHECK(kRights.MayConnect(monitor, "monitor-1"));
  CHECK(kRights.MayConnect(monitor, "grafana"));
  CHECK_FALSE(kRights.MayConnect(monitor, "scheduler"));
  CHECK(Subscribe(monitor, "$SYS/#"));
  CHECK(Subscribe(monitor, "$SYS/broker/clients/+"));
  for (const char* filter :
       {"#", "mig/v1/up/#", "mig/v1/event/#", "$share/monitor/$SYS/#", "$SY/#"}) {
    INFO(filter);
    CHECK_FALSE(Subscribe(monitor, filter));
  }
  for (const char* topic : {"$SYS/broker/uptime", "mig/v1/wake/scheduler", "x"}) {
    INFO(topic);
    CHECK_FALSE(Publish(monitor, topic));
  }
}

TEST_CASE("topic rights: who is nobody may nothing", "[relay]") {
  for (const mqtt::Peer& peer :
       {mqtt::Peer{"", "", ""}, mqtt::Peer{"agent", "", ""}, mqtt::Peer{"scheduler", "", ""},
        mqtt::Peer{"relay", "r", ""}, mqtt::Peer{"investigator", "i", ""},
        mqtt::Peer{"Agent", "abc", ""}}) {
    CHECK_FALSE(kRights.MayConnect(peer, "abc"));
    CHECK_FALSE(kRights.MayConnect(peer, ""));
    CHECK_FALSE(Publish(peer, "mig/v1/up/0a/abc/res"));
    CHECK_FALSE(Publish(peer, "mig/v1/up/0a//res"));
    CHECK_FALSE(Subscribe(peer, "mig/v1/dn/abc/#"));
    CHECK_FALSE(Subscribe(peer, "mig/v1/dn/all/#"));
  }
}

TEST_CASE("topic rights: an agent's client identifier is its id, and only its", "[relay]") {
  CHECK(kRights.MayConnect(kAgent, "abc"));
  for (const char* id : {"", "abd", "abc-2", "scheduler", "ABC"}) {
    CHECK_FALSE(kRights.MayConnect(kAgent, id));
  }
  CHECK(kRights.MayConnect(kScheduler, "scheduler"));
  CHECK(kRights.MayConnect(kScheduler, "scheduler-2"));
  CHECK(kRights.MayConnect(kScheduler, "sched1"));
  CHECK(kRights.MayConnect(kApi, "api1-events"));
  CHECK_FALSE(kRights.MayConnect(kScheduler, "abc"));  // would push out an agent
  CHECK_FALSE(kRights.MayConnect(kApi, "scheduler"));
  CHECK_FALSE(kRights.MayConnect(kApi, "apian"));
}

}  // namespace
}  // namespace mig::relay
