// The scenarios on the core, with a clock that they move themselves; and that scenarios can fail.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "mqtt/codec.h"
#include "test/mqtt/broker_world.h"
#include "test/mqtt/scenario_runner.h"

namespace mig::mqtt {
namespace {

class CoreBroker final : public ScenarioBroker {
 public:
  int Open(Version version) override {
    clients_.push_back(&world_.Open(version));
    return static_cast<int>(clients_.size()) - 1;
  }
  void Send(int connection, BytesView bytes) override { At(connection).SendBytes(bytes); }
  Event Read(int connection, bool) override {
    Client& client = At(connection);
    if (!client.inbox.empty()) {
      Arrived arrived{std::move(client.inbox.front()), 0};
      client.inbox.pop_front();
      arrived.bytes = Encode(arrived.packet, client.version()).size();
      return arrived;
    }
    if (client.closed) return Closed{};
    return Silence{};
  }
  void Drop(int connection) override { At(connection).Drop(); }
  void Wait(std::chrono::milliseconds time) override { world_.Pass(time); }
  void Kill() override { world_.Restart(); }
  void Restart() override {
    world_.broker->Shutdown(world_.now);
    world_.Run();
    world_.Restart();
  }
  bool IsImmediate() const override { return true; }

 private:
  Client& At(int connection) { return *clients_.at(static_cast<std::size_t>(connection)); }

  World world_;
  std::vector<Client*> clients_;
};

std::vector<Scenario> Parsed(const std::string& steps) {
  auto scenarios =
      ParseScenarios("scenario a try\nin 5.0 MQTT-1.0.0-1\nin 3.1.1\n" + steps, "try.scenario");
  if (!scenarios) FAIL(scenarios.error().message());
  return std::move(*scenarios);
}

std::string ParseError(const std::string& text) {
  auto scenarios = ParseScenarios(text, "try.scenario");
  return scenarios ? "" : scenarios.error().message();
}

std::optional<std::string> RunOnCore(const Scenario& scenario, Version version) {
  CoreBroker broker;
  return RunScenario(scenario, version, broker);
}

TEST_CASE("scenarios: the core does what they say, in both versions", "[mqtt]") {
  auto scenarios = LoadScenarios(MIG_SOURCE_DIR "/test/mqtt/scenarios");
  if (!scenarios) FAIL(scenarios.error().message());
  // A part of a title, to run only those.
  const char* wanted = std::getenv("MIG_SCENARIO");
  for (const Scenario& scenario : *scenarios) {
    if (wanted != nullptr && scenario.title.find(wanted) == std::string::npos) continue;
    if (!scenario.tcp_only.empty()) {
      WARN("not on the core: " << scenario.title << ": " << scenario.tcp_only);
      continue;
    }
    for (const auto& [version, statements] : scenario.versions) {
      INFO(scenario.title << " in " << VersionName(version));
      if (auto failure = RunOnCore(scenario, version)) FAIL_CHECK(*failure);
    }
  }
}

TEST_CASE("scenarios: one that says what is not so fails, with line and packets", "[mqtt]") {
  const auto failure = [](const std::string& steps) {
    return RunOnCore(Parsed(steps)[0], Version::k5).value_or("");
  };
  const std::string begin =
      "s connects\ns subscribes t qos 1\np connects\np publishes topic t qos 1 payload x\n";
  CHECK(failure(begin + "s receives topic t qos 1 payload x\n") == "");

  const std::string wrong = failure(begin + "s receives topic t qos 1 payload y\n");
  INFO(wrong);
  CHECK(wrong.find("try.scenario:8: `a try` in 5.0") != std::string::npos);
  CHECK(wrong.find("step: s receives topic t qos 1 payload y") != std::string::npos);
  CHECK(wrong.find("s <- PUBLISH qos 1 id 1 topic t payload x") != std::string::npos);

  // Each way in which a step can be untrue.
  for (const char* steps :
       {"s receives topic t qos 1 payload x retain", "s receives topic t payload x",
        "s receives topic u qos 1 payload x", "s receives topic t qos 1 payload x format 1",
        "s <- PUBLISH topic t qos 1 payload x id 99", "s <- nothing", "s <- closed",
        "s <- PINGRESP", "p <- PUBLISH topic t payload x", "s <~ PUBACK id 3",
        "one of s p as a b <- PINGRESP", "s -> PINGREQ", "s is refused 0x82", "q subscribes t",
        "s connects", "s resumes", "q connects\nq -> SUBSCRIBE filter t\nq <- SUBACK 0x01",
        "q resumes",
        "s <- PUBLISH topic t qos 1 payload x\nq connects\nq subscribes t qos 1\nq <- closed"}) {
    INFO(steps);
    CHECK(failure(begin + steps + "\n") != "");
  }
  // Nor may anything be left unsaid.
  CHECK(failure(begin).find("more came for s") != std::string::npos);
  CHECK(failure("s connects\ns -> CONNECT\ns <- DISCONNECT 0x82\n")
            .find("closed the connection of s") != std::string::npos);
}

TEST_CASE("scenarios: a line that cannot be read is named", "[mqtt]") {
  const std::string head = "scenario a\nin 5.0\n";
  CHECK(ParseError("a connects\n").starts_with("try.scenario:1: "));
  CHECK(ParseError("scenario a\na connects\n") ==
        "try.scenario:2: `in VERSION` comes before the first step");
  CHECK(ParseError("scenario a\nin 4\n") == "try.scenario:2: `4` is no version: 5.0 or 3.1.1");
  CHECK(ParseError(head) == "try.scenario:3: `a` has no step");
  for (const char* step :
       {"a jumps", "a connects now", "a -> HELLO", "a -> PUBLISH colour red", "a -> PUBLISH topic",
        "a -> bytes xyz", "a -> PUBLISH topic 'x", "a -> PUBLISH topic '\\q'", "wait long",
        "broker is tired", "one of a as x <- PUBLISH", "for n in 1: a opens", "a speaks 4.0",
        "a -> PUBLISH topic 'x'*99999999", "a opens quickly", "a is refused"}) {
    INFO(step);
    CHECK(ParseError(head + "\n" + step + "\n").starts_with("try.scenario:4: "));
  }
  CHECK(ParseError(head + "# a remark\nfor n in 1..3: a -> PUBLISH topic t{n}; a -> PINGREQ\n") ==
        "");
}

TEST_CASE("scenarios: a loop, words in quotes and a range are what they look like", "[mqtt]") {
  const auto scenario = Parsed(
      "5.0: for n in 8..9: a -> PUBLISH topic {n} payload 'it\\'s \\x41\\\\\\n'\n"
      "a -> bytes c0 00 'x'*3\n")[0];
  REQUIRE(scenario.steps.size() == 3);
  CHECK(scenario.steps[0].only == Version::k5);
  CHECK(scenario.steps[1].packet.Find("topic")->values[0] == "9");
  CHECK(scenario.steps[1].packet.Find("payload")->values[0] == "it's A\\\n");
  CHECK(scenario.steps[2].bytes == Bytes("\xc0\0xxx", 5));
}

}  // namespace
}  // namespace mig::mqtt
