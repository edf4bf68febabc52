// Two relays behind one name, as docs/relay.md describes it: agents know the name, the scheduler
// and the API both relays.
#include <catch2/catch.hpp>

#include "test/e2e/balancer.h"
#include "test/e2e/second_relay.h"

using namespace mig;
using namespace mig::e2e;
using namespace std::chrono_literals;

namespace {

class TwoRelays {
 public:
  TwoRelays() : second_(lab), name(FirstPort()) {
    for (const char* role : {"scheduler", "api"}) AddRelays(lab, role, {second_.port()});
    REQUIRE(lab.Mig({"lab", "stop", "agent-1"}).status == 0);
    const auto file = lab.folder() / "config/agent-1.yaml";
    std::string text = ReadText(file);
    const std::string first = std::to_string(FirstPort());
    const auto at = text.find(first, text.find("relays:"));
    REQUIRE(at != std::string::npos);
    text.replace(at, first.size(), std::to_string(name.port()));
    std::ofstream(file) << text;
    REQUIRE(lab.Mig({"lab", "start", "agent-1"}).status == 0);
    agent = AgentOf(lab, 1).Text();
  }

  std::uint16_t FirstPort() const { return RelayPort(lab); }
  std::uint16_t SecondPort() const { return second_.port(); }

  json::object Status(bool of_second) const {
    const auto config = of_second ? second_.config() : lab.folder() / "config/relay.yaml";
    const Outcome outcome = lab.Mig({"relay", "status", "--json", "--config", config.string()});
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    return ParseJson(outcome.out).as_object();
  }
  // What waits for the agent there.
  std::int64_t Waiting(bool at_second) const {
    const json::object status = Status(at_second);
    for (const auto& queue : status.at("queues").as_array()) {
      if (queue.at("name").as_string() == agent) return queue.at("messages").as_int64();
    }
    return 0;
  }
  bool Answers() const {
    const Outcome asked = lab.Mig({"query", "example", "-t", "all", "-gethostname"});
    INFO(asked.err);
    return asked.status == 0;
  }
  std::size_t TimesConnected() const {
    const std::string log = lab.Log("agent-1");
    std::size_t times = 0;
    for (std::size_t at = 0; (at = log.find(" connected\n", at)) != std::string::npos; ++at) {
      ++times;
    }
    return times;
  }
  void MoveTo(std::uint16_t port) {
    const std::size_t before = TimesConnected();
    name.SwitchTo(port);
    REQUIRE(Eventually(60s, [&] { return TimesConnected() > before; }));
  }

  const Lab lab;

 private:
  SecondRelay second_;

 public:
  Balancer name;
  std::string agent;
};

}  // namespace

TEST_CASE("two relays, one name: an agent answers by way of whichever has it", "[e2e]") {
  TwoRelays relays;
  CHECK(relays.Answers());
  const auto sessions_at_second = relays.Status(true).at("sessions").as_int64();
  relays.MoveTo(relays.SecondPort());
  CHECK(relays.Answers());
  CHECK(relays.Answers());
  // It has a session at both now. What was on its way to it when it left the first, or was sent
  // there before the scheduler knew, waits there; it gets it when it returns.
  CHECK(relays.Status(true).at("sessions").as_int64() == sessions_at_second + 1);
  relays.MoveTo(relays.FirstPort());
  CHECK(relays.Answers());
  CHECK(Eventually(20s, [&] { return relays.Waiting(false) == 0; }));
}

TEST_CASE("two relays, one name: what waits at the one is sent by the other, and runs once",
          "[e2e]") {
  TwoRelays relays;
  CHECK(relays.Answers());
  REQUIRE(relays.lab.Mig({"lab", "stop", "agent-1"}).status == 0);
  const Outcome asked = relays.lab.Mig(
      {"query", "example", "-t", "all", "-e", "5m", "--detach", "--json", "-gethostname"});
  INFO(asked.err);
  REQUIRE(asked.status == 130);
  const std::string id(ParseJson(asked.out).at("action").at("id").as_string());
  // The command waits where the agent was last.
  REQUIRE(Eventually(20s, [&] { return relays.Waiting(false) >= 1; }));
  CHECK(relays.Waiting(true) == 0);

  // It comes back at the other, and is sent the command there.
  relays.name.SwitchTo(relays.SecondPort());
  REQUIRE(relays.lab.Mig({"lab", "start", "agent-1"}).status == 0);
  const Outcome results = relays.lab.Mig({"results", id, "-f"}, {.deadline = 60s});
  INFO(results.err);
  CHECK(results.status == 0);
  CHECK(relays.lab.Runs(id) == 1);

  // The copy at the first is delivered when the agent returns there, and does nothing.
  CHECK(relays.Waiting(false) >= 1);
  relays.MoveTo(relays.FirstPort());
  CHECK(Eventually(20s, [&] { return relays.Waiting(false) == 0; }));
  CHECK(relays.Answers());
  CHECK(relays.lab.Runs(id) == 1);
}
