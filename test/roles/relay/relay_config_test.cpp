#include "roles/relay/relay_config.h"

#include <catch2/catch.hpp>
#include <fstream>

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
  const mqtt::Limits& a = example->server.limits;
  const mqtt::Limits& b = defaults->server.limits;
  CHECK(example->server.listen == defaults->server.listen);
  const ConnectionLimits& c = example->server.connections;
  const ConnectionLimits& d = defaults->server.connections;
  CHECK(c.total == d.total);
  CHECK(c.per_address == d.per_address);
  CHECK(c.unknown == d.unknown);
  CHECK(c.unknown_per_address == d.unknown_per_address);
  CHECK(c.rate == d.rate);
  CHECK(c.rate_per_address == d.rate_per_address);
  CHECK(c.burst == d.burst);
  CHECK(c.exempt == d.exempt);
  CHECK(a.publish_messages_per_second == b.publish_messages_per_second);
  CHECK(a.publish_bytes_per_second == b.publish_bytes_per_second);
  CHECK(a.publish_burst == b.publish_burst);
  CHECK(a.total_queue_messages == b.total_queue_messages);
  CHECK(a.total_queue_bytes == b.total_queue_bytes);
  CHECK(example->server.max_handshakes == defaults->server.max_handshakes);
  CHECK(example->server.stuck_after == defaults->server.stuck_after);
  CHECK(a.packet_bytes == b.packet_bytes);
  CHECK(a.partial_bytes == b.partial_bytes);
  CHECK(a.unsent_bytes == b.unsent_bytes);
  CHECK(a.receive_maximum == b.receive_maximum);
  CHECK(a.in_flight == b.in_flight);
  CHECK(a.sessions == b.sessions);
  CHECK(a.subscriptions == b.subscriptions);
  CHECK(a.queue_messages == b.queue_messages);
  CHECK(a.queue_bytes == b.queue_bytes);
  CHECK(a.service_queue_messages == b.service_queue_messages);
  CHECK(a.service_queue_bytes == b.service_queue_bytes);
  CHECK(a.retained_messages == b.retained_messages);
  CHECK(a.retained_bytes == b.retained_bytes);
  CHECK(a.connect_within == b.connect_within);
  CHECK(a.max_keep_alive == b.max_keep_alive);
  CHECK(a.max_session_expiry == b.max_session_expiry);
}

TEST_CASE("relay configuration: paths are relative to the file's folder", "[relay]") {
  const auto config = Load(kRequired);
  REQUIRE(config);
  CHECK(config->server.tls->servers_ca == "/d");
  CHECK(std::filesystem::path(config->server.tls->key).is_absolute());
  CHECK(config->store.filename() == "r.db");
  CHECK(config->store.parent_path() ==
        std::filesystem::path(config->server.tls->key).parent_path());
}

TEST_CASE("relay configuration: every limit has an effect", "[relay]") {
  const auto config = Load(kRequired + "limits: {queue_messages: 7, keep_alive: 1m, packet: 2k}\n");
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

TEST_CASE("relay configuration: what is missing, unknown or out of range is refused", "[relay]") {
  for (const std::string& text :
       {std::string("store: r.db\n"), std::string("tls: {certificate: a}\nstore: r\n"),
        kRequired + "listn: x\n", kRequired + "limits: {keep_alive: 19h}\n",
        kRequired + "limits: {queue_messages: 0}\n", kRequired + "limits: {packet: 1}\n",
        kRequired + "limits: {exempt: [10.0.0.1/8]}\n",
        kRequired + "limits: {connection_rate: -1}\n", kRequired + "limits: {burst: 0s}\n",
        kRequired + "log: {level: loud}\n", kRequired + "limits: {connect_within: 0s}\n"}) {
    INFO(text);
    CHECK_FALSE(Load(text));
  }
}

}  // namespace
}  // namespace mig::relay
