// Several relays in the configuration: an agent goes on to the next where one cannot be had, says
// nothing sensible, or dies.
#include <catch2/catch.hpp>
#include <fstream>

#include "test/e2e/dead_port.h"
#include "test/e2e/deployment.h"
#include "test/e2e/second_relay.h"
#include "test/net/scripted_server.h"

using namespace mig;
using namespace mig::e2e;
using namespace std::chrono_literals;

namespace {

bool Answers(const Lab& lab) {
  const Outcome asked = lab.Mig({"query", "example", "-t", "all", "-gethostname"});
  INFO(asked.err);
  return asked.status == 0;
}

// The port of the relay that agent-1 tried last.
std::uint16_t LastRelay(const Lab& lab) {
  const std::string log = lab.Log("agent-1");
  const std::string before = "relay=127.0.0.1:";
  const auto at = log.rfind("connecting " + before);
  REQUIRE(at != std::string::npos);
  return static_cast<std::uint16_t>(std::stoi(log.substr(at + before.size() + 11)));
}

// An agent tries its relays in an order of its own, anew at each start: starts it until it has
// tried one of these, and requires an answer each time.
void StartUntilTried(const Lab& lab, const std::vector<std::uint16_t>& ports) {
  const auto tried = [&] {
    const std::string log = lab.Log("agent-1");
    return std::any_of(ports.begin(), ports.end(), [&](std::uint16_t port) {
      return log.find("connecting relay=127.0.0.1:" + std::to_string(port)) != std::string::npos;
    });
  };
  for (int starts = 0; starts < 50; ++starts) {
    REQUIRE(Answers(lab));
    CHECK(LastRelay(lab) == RelayPort(lab));
    if (tried()) return;
    REQUIRE(lab.Mig({"lab", "stop", "agent-1"}).status == 0);
    REQUIRE(lab.Mig({"lab", "start", "agent-1"}).status == 0);
  }
  FAIL("it never tried them");
}

}  // namespace

TEST_CASE("relays: an agent goes on to the next where one cannot be reached", "[e2e]") {
  const Lab lab;
  const DeadPort first, second, third;
  const std::vector<std::uint16_t> dead = {first.number(), second.number(), third.number()};
  AddRelays(lab, "agent-1", dead);
  StartUntilTried(lab, dead);
}

TEST_CASE("relays: an agent goes on to the next where one talks nonsense", "[e2e]") {
  const Lab lab;
  // They have what it takes to be believed: somebody has taken relays over.
  const std::string certificate = (lab.folder() / "tls/relay.crt").string();
  const std::string key = (lab.folder() / "tls/relay.key").string();
  const std::string text = "HTTP/1.1 200 OK\r\n\r\n";
  // CONNACK of MQTT 5, then a PUBLISH that says it is longer than any packet may be.
  const std::string huge = {0x20, 0x03, 0x00, 0x00, 0x00, 0x30, '\xff', '\xff', '\xff', '\x7f'};
  // CONNACK with properties that are longer than the packet.
  const std::string broken = {0x20, 0x06, 0x00, 0x00, 0x50, 0x21, 0x00, 0x00};
  const ScriptedServer one([&](auto& conversation) { conversation.Write(text); }, certificate, key);
  const ScriptedServer two([&](auto& conversation) { conversation.Write(huge); }, certificate, key);
  const ScriptedServer three([&](auto& conversation) { conversation.Write(broken); }, certificate,
                             key);
  std::vector<std::uint16_t> ports;
  for (const ScriptedServer* server : {&one, &two, &three}) {
    const std::string at = server->Authority();
    ports.push_back(static_cast<std::uint16_t>(std::stoi(at.substr(at.find(':') + 1))));
  }
  AddRelays(lab, "agent-1", ports);
  for (const std::uint16_t port : ports) StartUntilTried(lab, {port});
}

TEST_CASE("relays: when an agent's relay dies, it answers by way of the other", "[e2e]") {
  const Lab lab;
  SecondRelay other(lab);
  for (const char* role : {"scheduler", "api", "agent-1"}) AddRelays(lab, role, {other.port()});
  REQUIRE(lab.LogSays("agent-1", " connected\n"));
  CHECK(Answers(lab));
  const std::uint16_t before = LastRelay(lab);
  if (before == other.port()) {
    other.Kill();
  } else {
    REQUIRE(lab.Mig({"lab", "stop", "relay"}).status == 0);
  }
  CHECK(Answers(lab));
  CHECK(LastRelay(lab) != before);
}
