#include "cli/action_events.h"

#include <catch2/catch.hpp>

#include "test/cli/agent_voice.h"

using namespace mig;
using namespace mig::cli;

namespace {

const std::string kAgent = std::string(AgentId::kTextLength - 1, 'a') + "a";

ActionEvent Read(std::string_view kind, const std::string& data) {
  auto event = ReadActionEvent(kind, data);
  INFO(kind << " " << data << (event ? "" : ": " + event.error().message()));
  REQUIRE(event);
  REQUIRE(*event);
  return std::move(**event);
}

}  // namespace

TEST_CASE("action events: progress and end carry status and counters", "[cli]") {
  const std::string data =
      R"({"status":"inflight","counters":{"targeted":7,"running":2,"new":1},"more":true})";
  const ActionEvent progress = Read("progress", data);
  CHECK(std::get<ProgressEvent>(progress).status == ActionStatus::kInflight);
  CHECK(std::get<ProgressEvent>(progress).targeted == 7);
  CHECK(std::get<ProgressEvent>(progress).running == 2);
  const ActionEvent end = Read("end", R"({"status":"refused","detail":"why"})");
  CHECK(std::get<EndEvent>(end).last.status == ActionStatus::kRefused);
  CHECK(std::get<EndEvent>(end).last.detail == "why");
}

TEST_CASE("action events: a command's end has a code and a detail", "[cli]") {
  const ActionEvent event =
      Read("command", R"({"agent":")" + kAgent +
                          R"(","name":{"b64":"/w=="},"status":"refused","code":"expired",)"
                          R"("detail":{"b64":"/v8="}})");
  const auto& command = std::get<CommandEvent>(event);
  CHECK(command.detail == "\xfe\xff");
  CHECK(command.name == "\xff");  // a name need not be UTF-8
  CHECK(command.status == CommandStatus::kRefused);
  CHECK(command.code == "expired");
}

TEST_CASE("action events: one agent's nonsense does not end the stream for all", "[cli]") {
  const std::string head = R"({"agent":")" + kAgent + R"(","name":"web1","key":"AAAA","envelope":)";
  for (const char* envelope : {"null", "7", "{}", R"({"payloadType":"x"})"}) {
    const ActionEvent event = Read("part", head + envelope + "}");
    CHECK_FALSE(std::get<PartEvent>(event).envelope);
    CHECK(std::get<PartEvent>(event).name == "web1");
  }
  AgentVoice agent("web1");
  const Envelope envelope = agent.Sign(agent.Next(ActionId(), true));
  const ActionEvent good = Read("part", head + EncodeEnvelope(envelope) + "}");
  CHECK(std::get<PartEvent>(good).envelope);
}

TEST_CASE("action events: kinds of a newer server are passed over, broken ones are errors",
          "[cli]") {
  const auto unknown = ReadActionEvent("weather", "sunny");
  REQUIRE(unknown);
  CHECK_FALSE(*unknown);
  CHECK_FALSE(ReadActionEvent("progress", "{"));
  CHECK_FALSE(ReadActionEvent("progress", R"({"status":"lost"})"));
  CHECK_FALSE(ReadActionEvent("command", R"({"agent":"short","status":"sent"})"));
}
