#include "roles/relay/relay_config.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "os/files.h"
#include "roles/relay/relay_limits.h"
#include "test/temp_folder.h"

namespace mig::relay {
namespace {

using namespace std::chrono_literals;

Expected<RelayConfig> Load(const std::string& text) {
  const TempFolder folder;
  const auto file = folder / "relay.yaml";
  std::ofstream(file) << text;
  return LoadRelayConfig(file);
}

const std::string kRequired =
    "store: r.db\n"
    "tls: {certificate: a, key: b, agents_ca: c, servers_ca: /d}\n";

TEST_CASE("relay configuration: the example says what the defaults are", "[relay]") {
  auto example = LoadRelayConfig(MIG_SOURCE_DIR "/examples/config/relay.yaml");
  if (!example) FAIL(example.error().message());
  auto defaults = Load(kRequired);
  REQUIRE(defaults);
  CHECK(example->server.listen == defaults->server.listen);
  CHECK(example->deny_subscribe == defaults->deny_subscribe);
  CHECK(example->server.sys_interval == defaults->server.sys_interval);
  const std::string text = *os::ReadFile(MIG_SOURCE_DIR "/examples/config/relay.yaml", 1 << 20);
  for (const Limit& limit : Limits()) {
    INFO(limit.key);
    CHECK(text.find("\n  " + std::string(limit.key) + ": ") != std::string::npos);
    CHECK(limit.show(example->server) == limit.show(defaults->server));
  }
}

TEST_CASE("relay configuration: WebSocket is on, for no page, unless it says otherwise",
          "[relay]") {
  auto config = Load(kRequired);
  REQUIRE(config);
  CHECK(config->server.websocket.enabled);
  CHECK(config->server.websocket.origins.empty());
  config = Load(kRequired + "websocket: {enabled: false, origins: ['https://a.example:8443']}\n");
  REQUIRE(config);
  CHECK_FALSE(config->server.websocket.enabled);
  CHECK(config->server.websocket.origins == std::vector<std::string>{"https://a.example:8443"});
  for (const char* wrong : {"a.example", "https://a.example/", "*", "https://", "://a", "null",
                            "https://*.example", "https://user@a.example", ""}) {
    CHECK_FALSE(Load(kRequired + "websocket: {origins: ['" + wrong + "']}\n"));
  }
  CHECK_FALSE(Load(kRequired + "websocket: {origin: ['https://a.example']}\n"));
}

TEST_CASE("relay configuration: paths are relative to the file's folder", "[relay]") {
  const auto config = Load(kRequired);
  REQUIRE(config);
  CHECK(config->server.tls->servers_ca == "/d");
  CHECK(config->server.tls->revocations.empty());
  const auto revoking = Load(
      "store: r\ntls: {certificate: a, key: b, agents_ca: c, "
      "servers_ca: d, crl: [e, /f], crl_check: 5s, threads: 3}\n");
  REQUIRE(revoking);
  REQUIRE(revoking->server.tls->revocations.size() == 2);
  CHECK(std::filesystem::path(revoking->server.tls->revocations[0]).is_absolute());
  CHECK(revoking->server.tls->revocations[1] == "/f");
  CHECK(revoking->server.check_revocations == 5s);
  CHECK(revoking->server.handshake_threads == 3);
  CHECK(std::filesystem::path(config->server.tls->key).is_absolute());
  CHECK(config->store.filename() == "r.db");
  CHECK(config->store.parent_path() ==
        std::filesystem::path(config->server.tls->key).parent_path());
}

TEST_CASE("relay configuration: every limit has an effect", "[relay]") {
  const auto config =
      Load(kRequired + "limits: {queue_messages: 7, max_keepalive: 1m, packet: 2k}\n");
  REQUIRE(config);
  CHECK(config->server.limits.queue_messages == 7);
  CHECK(config->server.limits.max_keep_alive == 60s);
  CHECK(config->server.limits.packet_bytes == 2048);
}

TEST_CASE("relay configuration: bounds of connections and rates are those of the file", "[relay]") {
  const auto config =
      Load(kRequired +
           "limits: {connections: 1, connections_per_address: 2, without_connect: 3,\n"
           "  without_connect_per_address: 4, connection_rate: 5, connection_rate_per_address: 0,\n"
           "  exempt: [10.0.0.0/8], burst: 7s, publish_messages: 8, publish_bytes: 9k,\n"
           "  total_queue_messages: 10, total_queue_bytes: 11k}\n");
  REQUIRE(config);
  const ConnectionLimits& c = config->server.connections;
  CHECK(c.total == 1);
  CHECK(c.per_address == 2);
  CHECK(c.unknown == 3);
  CHECK(c.unknown_per_address == 4);
  CHECK(c.rate == 5);
  CHECK(c.rate_per_address == 0);
  CHECK(c.burst == 7s);
  CHECK(c.exempt == std::vector{Network::Parse("10.0.0.0/8").value()});
  const mqtt::Limits& l = config->server.limits;
  CHECK(l.publish_burst == 7s);
  CHECK(l.publish_messages_per_second == 8);
  CHECK(l.publish_bytes_per_second == 9 * 1024);
  CHECK(l.total_queue_messages == 10);
  CHECK(l.total_queue_bytes == 11 * 1024);
}

TEST_CASE("relay configuration: nobody need be exempt", "[relay]") {
  const auto config = Load(kRequired + "limits: {exempt: []}\n");
  REQUIRE(config);
  CHECK(config->server.connections.exempt.empty());
}

TEST_CASE("relay configuration: each key of the limits changes a bound, and one only", "[relay]") {
  const auto before = Load(kRequired);
  REQUIRE(before);
  for (const Limit& limit : Limits()) {
    INFO(limit.key);
    // Some take numbers, some sizes, some times: the first that is accepted will do.
    Expected<RelayConfig> after = Error(Errc::kInvalid, "nothing tried");
    for (const char* each : {"777", "1777k", "777s", "[10.0.0.0/8]"}) {
      if (after) break;
      after = Load(kRequired + "limits: {" + std::string(limit.key) + ": " + each + "}\n");
    }
    INFO((after ? std::string() : after.error().message()));
    REQUIRE(after);
    for (const Limit& other : Limits()) {
      INFO(other.key);
      CHECK((other.show(after->server) != other.show(before->server)) == (&other == &limit));
    }
  }
}

TEST_CASE("relay configuration: limits of the command line win over the file's", "[relay]") {
  auto config = Load(kRequired + "limits: {sessions: 5, packet: 2k}\n");
  REQUIRE(config);
  REQUIRE(ApplyLimits(std::vector<std::string>{"sessions=7", "max_keepalive=30s"}, config->server));
  CHECK(config->server.limits.sessions == 7);
  CHECK(config->server.limits.max_keep_alive == 30s);
  CHECK(config->server.limits.packet_bytes == 2048);
  for (const char* wrong : {"sessions", "=7", "session=7", "sessions=0", "sessions=many"}) {
    INFO(wrong);
    CHECK_FALSE(ApplyLimits(std::vector<std::string>{wrong}, config->server));
  }
}

TEST_CASE("relay configuration: an open relay has all bounds, and no tls", "[relay]") {
  const auto config = Load(
      "store: r.db\nopen: true\ndeny_subscribe: ['#', $SYS/#]\n"
      "limits: {sessions: 5, max_keepalive: 1m}\n");
  REQUIRE(config);
  CHECK_FALSE(config->server.tls);
  CHECK(config->server.listen == "127.0.0.1:1883");
  CHECK(config->deny_subscribe == std::vector<std::string>{"#", "$SYS/#"});
  CHECK(config->server.limits.sessions == 5);
  CHECK(config->server.limits.max_keep_alive == 60s);
  CHECK(config->server.limits.publish_messages_per_second == 0);
  CHECK_FALSE(Load(kRequired + "open: true\n"));
}

TEST_CASE("relay configuration: $SYS topics and the other relay are those of the file", "[relay]") {
  const auto config = Load(kRequired + "sys_interval: 30s\nserver_reference: 'b:1 [::1]:8883'\n");
  REQUIRE(config);
  CHECK(config->server.sys_interval == 30s);
  CHECK(config->server.limits.server_reference == "b:1 [::1]:8883");
  CHECK(Load(kRequired + "sys_interval: 0s\n")->server.sys_interval == 0s);
}

TEST_CASE("relay configuration: metrics are served where the file says, or nowhere", "[relay]") {
  CHECK(Load(kRequired)->metrics_listen.empty());
  CHECK(Load(kRequired + "metrics: {listen: '127.0.0.1:9883'}\n")->metrics_listen ==
        "127.0.0.1:9883");
  CHECK_FALSE(Load(kRequired + "metrics: {listen: '9883'}\n"));
  CHECK_FALSE(Load(kRequired + "metrics: {listen: ''}\n"));
  CHECK_FALSE(Load(kRequired + "metrics: {port: 9883}\n"));
}

TEST_CASE("relay configuration: what is missing, unknown or out of range is refused", "[relay]") {
  for (const std::string& text :
       {std::string("store: r.db\n"), std::string("tls: {certificate: a}\nstore: r\n"),
        kRequired + "listn: x\n", kRequired + "limits: {max_keepalive: 19h}\n",
        kRequired + "limits: {queue_messages: 0}\n", kRequired + "limits: {packet: 1}\n",
        kRequired + "limits: {exempt: [10.0.0.1/8]}\n",
        kRequired + "limits: {connection_rate: -1}\n", kRequired + "limits: {burst: 0s}\n",
        kRequired + "log: {level: loud}\n", kRequired + "deny_subscribe: [a/#/b]\n",
        kRequired + "deny_subscribe: [$share/g/a]\n", kRequired + "open: maybe\n",
        kRequired + "sys_interval: 100ms\n", kRequired + "sys_interval: -1s\n",
        kRequired + "server_reference: 'b:1  c:2'\n", kRequired + "server_reference: b\n",
        kRequired + "limits: {connect_within: 0s}\n"}) {
    INFO(text);
    CHECK_FALSE(Load(text));
  }
}

}  // namespace
}  // namespace mig::relay
