#include "proto/topics.h"

#include <catch2/catch.hpp>

using namespace mig;

namespace {

AgentId Agent(char fill) { return *AgentId::FromBytes(Bytes(32, fill)); }

}  // namespace

TEST_CASE("topics: an agent's topics stand below its id", "[proto]") {
  const AgentId agent = Agent('\xab');
  const std::string id = agent.Text();
  CHECK(topics::Command(agent) == "mig/v1/dn/" + id + "/cmd");
  CHECK(topics::Control(agent) == "mig/v1/dn/" + id + "/ctl");
  CHECK(topics::AgentFilter(agent) == "mig/v1/dn/" + id + "/#");
  CHECK(topics::Result(agent) == "mig/v1/up/ab/" + id + "/res");
  CHECK(topics::Heartbeat(agent) == "mig/v1/up/ab/" + id + "/hb");
  CHECK(topics::Presence(agent) == "mig/v1/up/ab/" + id + "/st");
}

TEST_CASE("topics: what goes up is read back", "[proto]") {
  const AgentId agent = Agent('\x01');
  CHECK(topics::ParseUp(topics::Result(agent))->kind == topics::UpKind::kResult);
  CHECK(topics::ParseUp(topics::Heartbeat(agent))->kind == topics::UpKind::kHeartbeat);
  CHECK(topics::ParseUp(topics::Presence(agent))->kind == topics::UpKind::kPresence);
  CHECK(topics::ParseUp(topics::Presence(agent))->agent == agent);
}

TEST_CASE("topics: anything else below up is nobody's", "[proto]") {
  const AgentId agent = Agent('\x01');
  const std::string id = agent.Text();
  for (const std::string& topic :
       {std::string(), std::string("mig/v1/up/"), "mig/v1/up/01/" + id,
        "mig/v1/up/02/" + id + "/res", "mig/v1/up/01/" + id + "/res/",
        "mig/v1/up/01/" + id + "/cmd", "mig/v1/up/1/" + id + "/res",
        "mig/v1/up/01/" + id.substr(1) + "/res", "mig/v2/up/01/" + id + "/res",
        "mig/v1/up/01/" + id + "x/res", "mig/v1/up/0+/" + id + "/res"}) {
    INFO(topic);
    CHECK_FALSE(topics::ParseUp(topic));
  }
}

TEST_CASE("topics: an agent reads its own and everybody's, not its neighbour's", "[proto]") {
  const AgentId self = Agent('\x01');
  const AgentId other = Agent('\x02');
  CHECK(topics::ParseDown(topics::Command(self), self) == topics::DownKind::kCommand);
  CHECK(topics::ParseDown(topics::kAllCommands, self) == topics::DownKind::kCommand);
  CHECK(topics::ParseDown(topics::Control(self), self) == topics::DownKind::kControl);
  CHECK(topics::ParseDown(topics::kAllPolicy, self) == topics::DownKind::kPolicy);
  CHECK_FALSE(topics::ParseDown(topics::Command(other), self));
  CHECK_FALSE(topics::ParseDown(topics::AgentFilter(self), self));
  CHECK_FALSE(topics::ParseDown("", self));
}
