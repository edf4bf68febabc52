#include "roles/relay/relay_config.h"

#include "os/files.h"
#include "util/settings.h"

namespace mig::relay {
namespace {

constexpr std::size_t kMaxConfigBytes = 1 << 20;
constexpr std::uint64_t kLargestSize = std::uint64_t{1} << 40;

// What a client may publish a second, unless the configuration says otherwise: far above what an
// agent needs, far below what one rogue agent could keep the store busy with.
constexpr std::uint64_t kPublishMessages = 1000;
constexpr std::uint64_t kPublishBytes = std::uint64_t{16} << 20;

void ReadExempt(Settings& section, ConnectionLimits& connections) {
  if (!section.Has("exempt")) return;
  connections.exempt.clear();
  for (const std::string& text : section.Strings("exempt")) {
    auto network = Network::Parse(text);
    if (!network) return section.Fail("exempt", network.error().message());
    connections.exempt.push_back(*network);
  }
}

void ReadLimits(Settings& section, MqttServerOptions& server) {
  mqtt::Limits& l = server.limits;
  ConnectionLimits& c = server.connections;
  l.publish_messages_per_second = kPublishMessages;
  l.publish_bytes_per_second = kPublishBytes;
  const auto count = [&](std::string_view key, auto& value, std::int64_t max) {
    using Value = std::remove_reference_t<decltype(value)>;
    value = static_cast<Value>(section.Integer(key, static_cast<std::int64_t>(value), 1, max));
  };
  const auto size = [&](std::string_view key, auto& value, std::uint64_t min, std::uint64_t max) {
    const std::uint64_t given = section.Size(key, value);
    if (given < min || given > max) {
      section.Fail(key, "expected a size from " + std::to_string(min) + " to " +
                            std::to_string(max) + " bytes");
      return;
    }
    value = static_cast<std::remove_reference_t<decltype(value)>>(given);
  };
  const auto seconds = [&](std::string_view key, std::chrono::seconds& value) {
    value = std::chrono::duration_cast<std::chrono::seconds>(section.Duration(key, value));
    if (value.count() < 1) section.Fail(key, "expected at least 1s");
  };
  const auto rate = [&](std::string_view key, std::uint64_t& value) {  // 0: no bound
    value = static_cast<std::uint64_t>(
        section.Integer(key, static_cast<std::int64_t>(value), 0, 1'000'000'000));
  };
  count("connections", c.total, 10'000'000);
  count("connections_per_address", c.per_address, 10'000'000);
  count("without_connect", c.unknown, 1'000'000);
  count("without_connect_per_address", c.unknown_per_address, 1'000'000);
  rate("connection_rate", c.rate);
  rate("connection_rate_per_address", c.rate_per_address);
  ReadExempt(section, c);
  std::chrono::seconds burst = l.publish_burst;
  seconds("burst", burst);
  l.publish_burst = burst;
  c.burst = burst;
  rate("publish_messages", l.publish_messages_per_second);
  l.publish_bytes_per_second = section.Size("publish_bytes", l.publish_bytes_per_second);
  count("handshakes", server.max_handshakes, 100'000);
  count("sessions", l.sessions, 100'000'000);
  count("subscriptions", l.subscriptions, 100'000);
  size("packet", l.packet_bytes, 1024, 256U << 20);
  size("unsent", l.unsent_bytes, 1024, kLargestSize);
  size("incomplete", l.partial_bytes, 1U << 20, kLargestSize);
  count("queue_messages", l.queue_messages, 100'000'000);
  size("queue_bytes", l.queue_bytes, 1024, kLargestSize);
  count("service_queue_messages", l.service_queue_messages, 1'000'000'000);
  size("service_queue_bytes", l.service_queue_bytes, 1024, kLargestSize);
  count("total_queue_messages", l.total_queue_messages, 10'000'000'000);
  size("total_queue_bytes", l.total_queue_bytes, 1024, kLargestSize);
  count("retained_messages", l.retained_messages, 10'000'000);
  size("retained_bytes", l.retained_bytes, 1024, kLargestSize);
  count("in_flight", l.in_flight, 10'000);
  count("receive_maximum", l.receive_maximum, 65'535);
  seconds("connect_within", l.connect_within);
  seconds("keep_alive", l.max_keep_alive);
  if (l.max_keep_alive.count() > 65'535) section.Fail("keep_alive", "expected at most 18h12m15s");
  seconds("session_expiry", l.max_session_expiry);
  seconds("stuck_after", server.stuck_after);
}

}  // namespace

Expected<RelayConfig> LoadRelayConfig(const std::filesystem::path& file) {
  auto text = os::ReadFile(file, kMaxConfigBytes);
  if (!text) return std::move(text).error();
  auto settings = Settings::Parse(*text, file.string());
  if (!settings) return std::move(settings).error();
  const std::filesystem::path folder = file.parent_path();
  const auto required = [&](Settings& section, std::string_view key) {
    return (folder / section.RequiredString(key)).string();
  };

  RelayConfig config;
  config.server.listen = settings->String("listen", "0.0.0.0:8883");
  if (settings->Has("port_file")) config.port_file = folder / settings->String("port_file", "");
  config.store = required(*settings, "store");

  Settings tls = settings->Section("tls");
  config.server.tls = TlsServerFiles{required(tls, "certificate"), required(tls, "key"),
                                     required(tls, "agents_ca"), required(tls, "servers_ca")};
  Settings limits = settings->Section("limits");
  ReadLimits(limits, config.server);

  config.logging = ReadLogSettings(*settings);
  if (auto ok = settings->Finish(); !ok) return std::move(ok).error();
  return config;
}

}  // namespace mig::relay
