#include "roles/agent/agent_config.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "test/temp_folder.h"

namespace mig::agent {
namespace {

constexpr std::string_view kLeast =
    "directory: data\nca: ca.crt\nrelays:\n  - {host: localhost, port: 1}\n";

Expected<AgentConfig> Load(const TempFolder& folder, std::string_view text) {
  std::ofstream(folder / "agent.yaml") << text;
  return LoadAgentConfig(folder / "agent.yaml");
}

TEST_CASE("agent config: the least there must be, and what follows from it", "[agent]") {
  TempFolder folder;
  const auto config = Load(folder, kLeast);
  REQUIRE(config);
  CHECK(config->directory == folder / "data");
  CHECK(config->CertificateFile() == folder / "data/agent.crt");
  CHECK(config->ca == folder / "ca.crt");
  CHECK(config->relays == std::vector<RelayAddress>{{"localhost", 1}});
  CHECK(config->heartbeat == std::chrono::minutes(5));
  CHECK_FALSE(config->privacy);
  CHECK_FALSE(config->org);
}

TEST_CASE("agent config: relays over WebSocket, and all through a proxy", "[agent]") {
  TempFolder folder;
  const auto config = Load(folder,
                           "directory: data\nca: ca.crt\nproxy: http://u:p@proxy:3128\nrelays:\n"
                           "  - {host: a, transport: websocket}\n  - {host: b, transport: tls}\n");
  REQUIRE(config);
  CHECK(config->relays == std::vector<RelayAddress>{{"a", 8883, true}, {"b", 8883, false}});
  REQUIRE(config->proxy.For("localhost", 1) != nullptr);
  CHECK(config->proxy.For("localhost", 1)->host == "proxy");
  CHECK(Load(folder, kLeast)->proxy.For("a", 1) == nullptr);
  CHECK_FALSE(Load(folder, std::string(kLeast) + "proxy: socks5://proxy:1080\n"));
  const auto wrong = Load(folder, "directory: d\nca: c\nrelays: [{host: a, transport: quic}]\n");
  REQUIRE_FALSE(wrong);
  CHECK_THAT(wrong.error().message(), Catch::Contains("transport: expected tls or websocket"));
}

TEST_CASE("agent config: what is wrong is named with its line", "[agent]") {
  TempFolder folder;
  const auto message = [&](std::string_view more) {
    const auto config = Load(folder, std::string(kLeast) + std::string(more));
    REQUIRE_FALSE(config);
    return config.error().message();
  };
  const auto has = [](const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
  };
  CHECK(has(message("heartbaet: 1m\n"), "agent.yaml:5: unknown key `heartbaet`"));
  CHECK(has(message("heartbaet: 1m\n"), "heartbeat"));
  CHECK(has(message("heartbeat: 10ms\n"), "agent.yaml:5: heartbeat"));
  CHECK(has(message("reconnect_longest: 5ms\n"), "reconnect_longest: expected at least 100ms"));
  CHECK(has(message("api: http://x\n"), "api: expected https"));
  CHECK(has(message("org: abc\n"), "org: `abc` is not an org"));
  CHECK(has(message("token: a\ntoken_file: b\n"), "token_file: stands beside `token`"));
  CHECK(has(message("outbox: 10k\n"), "outbox: expected at least 1m"));
  CHECK(has(message("name: \"a\\nb\"\n"), "name: expected one line"));
  CHECK(
      has(message("tags: {operator: it}\n"), "agent.yaml:5: tags: a machine does not give itself"));
  CHECK(has(message("tags: {operator: it}\n"), "mig agent-token new --tags"));
  CHECK(has(message("log: {level: loud}\n"), "log.level"));
  CHECK_FALSE(Load(folder, "directory: data\n"));
  CHECK_FALSE(Load(folder, ""));
  CHECK_FALSE(LoadAgentConfig(folder / "absent.yaml"));
}

TEST_CASE("agent config: the example is right", "[agent]") {
  const auto config = LoadAgentConfig(MIG_SOURCE_DIR "/examples/config/agent.yaml");
  if (!config) FAIL(config.error().message());
  CHECK(config->directory == "/var/lib/mig");
  CHECK(config->outbox_bytes == std::uint64_t{256} << 20);
}

}  // namespace
}  // namespace mig::agent
