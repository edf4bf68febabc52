// An agent that only a proxy connects to relay and API: the real one, with the proxy in its
// configuration.
#include <catch2/catch.hpp>
#include <fstream>

#include "test/e2e/dead_port.h"
#include "test/e2e/deployment.h"
#include "test/net/connect_proxy.h"

using namespace mig;
using namespace mig::e2e;
using namespace std::chrono_literals;

namespace {

// Ports that only the proxy knows a way from: the agent itself finds nobody there.
struct Ways {
  explicit Ways(const Lab& lab)
      : proxy({.user = "agent",
               .password = "p@ss",
               .routes = {{relay.number(), RelayPort(lab)}, {api.number(), ApiPort(lab)}}}) {}

  bool Asked(const DeadPort& port) const {
    for (const std::string& request : proxy.requests()) {
      if (request.starts_with("CONNECT 127.0.0.1:" + std::to_string(port.number()) + " ")) {
        return true;
      }
    }
    return false;
  }

  const DeadPort relay, api;
  ConnectProxy proxy;
};

// Starts agent-1 again with nothing but those ports to go to. It has to ask the API for another
// certificate before the relay takes it.
void StartBehind(const Lab& lab, const Ways& ways, const std::string& transport,
                 const std::string& proxy) {
  REQUIRE(lab.Mig({"lab", "stop", "agent-1"}).status == 0);
  const auto file = lab.folder() / "config/agent-1.yaml";
  std::string text = ReadText(file);
  const auto replace = [&](const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    text.replace(at, from.size(), to);
  };
  replace("port: " + std::to_string(RelayPort(lab)),
          "port: " + std::to_string(ways.relay.number()) + ", transport: " + transport);
  replace(":" + std::to_string(ApiPort(lab)), ":" + std::to_string(ways.api.number()));
  text += "proxy: " + proxy + "\n";
  std::ofstream(file) << text;
  REQUIRE(std::filesystem::remove(CertificateOf(lab, 1).certificate_file));
}

bool Answers(const Lab& lab) {
  const Outcome asked = lab.Mig({"query", "example", "-t", "all", "-gethostname"});
  INFO(asked.err);
  return asked.status == 0;
}

void AnswersThroughProxy(const std::string& transport) {
  const Lab lab;
  const Ways ways(lab);
  StartBehind(lab, ways, transport, ways.proxy.Url("agent:p%40ss"));
  REQUIRE(lab.Mig({"lab", "start", "agent-1"}).status == 0);
  CHECK(Answers(lab));
  CHECK(ways.Asked(ways.relay));
  CHECK(ways.Asked(ways.api));
  // It comes back through the proxy, too.
  const std::size_t before = ways.proxy.requests().size();
  lab.KillRole("relay");
  CHECK(Answers(lab));
  CHECK(ways.proxy.requests().size() > before);
  CHECK(lab.Log("agent-1").find("p@ss") == std::string::npos);
}

}  // namespace

TEST_CASE("proxy: an agent that reaches relay and API only through one answers", "[e2e]") {
  AnswersThroughProxy("tls");
}

TEST_CASE("proxy: an agent answers over WebSocket through one", "[e2e]") {
  AnswersThroughProxy("websocket");
}

TEST_CASE("proxy: an agent that one refuses says what to do, and waits", "[e2e]") {
  const Lab lab;
  const Ways ways(lab);
  StartBehind(lab, ways, "tls", ways.proxy.Url("agent:wrong"));
  // It has no certificate yet, and says at its start why it gets none.
  lab.Mig({"lab", "start", "agent-1"});
  CHECK(lab.LogSays("agent-1", "the proxy " + ways.proxy.Url() +
                                   " does not accept the password of user `agent` (407)"));
  CHECK(lab.Log("agent-1").find("wrong") == std::string::npos);
  CHECK_FALSE(ways.proxy.carried() > 0);
}
