#include "roles/api/views.h"

#include <catch2/catch.hpp>

using namespace mig;
using namespace mig::api;

TEST_CASE("views: a part is one line, whatever the agent sent", "[api]") {
  store::PartRow part;
  part.row = 7;
  part.agent_name = "host\n\xff";
  part.envelope = "{\"payload\": \"eA==\",\n \"signatures\":\r\n []}";
  const Bytes text = ViewPart(part, Bytes(32, 'k'));
  CHECK(text.find_first_of("\r\n") == Bytes::npos);
  const auto view = json::ParseObject(text);
  REQUIRE(view);
  CHECK(view->at("row").as_int64() == 7);
  CHECK(view->at("envelope").at("payload").as_string() == "eA==");
  CHECK(view->at("name").at("b64").is_string());

  part.envelope = "{\"payload\":\"eA==\"}";
  CHECK(ViewPart(part, Bytes(32, 'k')).find("\"envelope\":{\"payload\":\"eA==\"}}") != Bytes::npos);
}

TEST_CASE("views: an agent's damaged row does not spoil a list", "[api]") {
  store::AgentRow agent;
  agent.environment = "{broken";
  agent.tags = "{}";
  const auto view = ViewAgent(agent);
  CHECK(view.at("environment").is_null());
  CHECK(view.at("heartbeattime").is_null());
}

TEST_CASE("views: what an agent says in bytes that are no text stays JSON", "[api]") {
  store::CommandRow command;
  command.agent_name = "host\xff";
  command.detail = "refused \xfe\xff";
  const auto view = json::Parse(json::Write(ViewCommand(command)));
  REQUIRE(view);
  CHECK(json::ToName(view->at("name")).value() == command.agent_name);
  CHECK(json::ToName(view->at("detail")).value() == command.detail);
}
