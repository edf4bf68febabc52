#include "roles/relay/relay_limits.h"

#include <array>

namespace mig::relay {
namespace {

constexpr std::int64_t kMillion = 1'000'000;
constexpr std::uint64_t kMega = std::uint64_t{1} << 20;
constexpr std::uint64_t kLargestSize = std::uint64_t{1} << 40;

// `bound` gives the place where the bound stands in the options.
template <typename Bound>
Limit Count(std::string_view key, std::int64_t min, std::int64_t max, Bound bound) {
  return {key,
          [key, min, max, bound](Settings& section, MqttServerOptions& server) {
            auto& value = bound(server);
            value = static_cast<std::remove_reference_t<decltype(value)>>(
                section.Integer(key, static_cast<std::int64_t>(value), min, max));
          },
          [bound](const MqttServerOptions& server) { return std::to_string(bound(server)); }};
}

template <typename Bound>
Limit Size(std::string_view key, std::uint64_t min, std::uint64_t max, Bound bound) {
  return {key,
          [key, min, max, bound](Settings& section, MqttServerOptions& server) {
            auto& value = bound(server);
            const std::uint64_t given = section.Size(key, value);
            if (given < min || given > max) {
              return section.Fail(key, "expected a size from " + std::to_string(min) + " to " +
                                           std::to_string(max) + " bytes");
            }
            value = static_cast<std::remove_reference_t<decltype(value)>>(given);
          },
          [bound](const MqttServerOptions& server) { return std::to_string(bound(server)); }};
}

template <typename Bound>
Limit Time(std::string_view key, Bound bound) {
  return {key,
          [key, bound](Settings& section, MqttServerOptions& server) {
            auto& value = bound(server);
            const auto given = section.Duration(key, value);
            if (given < std::chrono::seconds(1)) return section.Fail(key, "expected at least 1s");
            value = std::chrono::duration_cast<std::chrono::seconds>(given);
          },
          [bound](const MqttServerOptions& server) {
            return std::to_string(
                std::chrono::duration_cast<std::chrono::seconds>(bound(server)).count());
          }};
}

// One time for both kinds of rate: of new connections, and of what a client publishes.
void ReadBurst(Settings& section, MqttServerOptions& server) {
  const auto given = section.Duration("burst", server.connections.burst);
  if (given < std::chrono::seconds(1)) return section.Fail("burst", "expected at least 1s");
  server.connections.burst = given;
  server.limits.publish_burst = std::chrono::duration_cast<std::chrono::seconds>(given);
}

void ReadKeepAlive(Settings& section, MqttServerOptions& server) {
  auto& value = server.limits.max_keep_alive;
  const auto given = section.Duration("max_keepalive", value);
  // A keep-alive has two bytes on the wire.
  if (given < std::chrono::seconds(1) || given > std::chrono::seconds(65'535)) {
    return section.Fail("max_keepalive", "expected 1s to 18h12m15s");
  }
  value = std::chrono::duration_cast<std::chrono::seconds>(given);
}

void ReadExempt(Settings& section, MqttServerOptions& server) {
  if (!section.Has("exempt")) return;
  std::vector<Network> exempt;
  for (const std::string& text : section.Strings("exempt")) {
    auto network = Network::Parse(text);
    if (!network) return section.Fail("exempt", network.error().message());
    exempt.push_back(*network);
  }
  server.connections.exempt = std::move(exempt);
}

std::string ShowSeconds(std::chrono::milliseconds time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count());
}

#define MIG_BOUND(place) \
  [](auto& server) -> auto& { return server.place; }

// To add one: the bound in its header, a line here, a line in examples/config/relay.yaml with its
// default and what happens at it.
const std::array kLimits{
    Count("connections", 1, 10 * kMillion, MIG_BOUND(connections.total)),
    Count("handshakes", 1, 100'000, MIG_BOUND(max_handshakes)),
    Count("without_connect", 1, kMillion, MIG_BOUND(connections.unknown)),
    Count("connection_rate", 0, 1000 * kMillion, MIG_BOUND(connections.rate)),
    Count("connections_per_address", 1, 10 * kMillion, MIG_BOUND(connections.per_address)),
    Count("without_connect_per_address", 1, kMillion, MIG_BOUND(connections.unknown_per_address)),
    Count("connection_rate_per_address", 0, 1000 * kMillion,
          MIG_BOUND(connections.rate_per_address)),
    Limit{"exempt", ReadExempt,
          [](const MqttServerOptions& server) {
            return std::to_string(server.connections.exempt.size()) + " networks";
          }},
    Limit{"burst", ReadBurst,
          [](const MqttServerOptions& server) {
            return ShowSeconds(server.connections.burst) + " " +
                   ShowSeconds(server.limits.publish_burst);
          }},
    Time("connect_within", MIG_BOUND(limits.connect_within)),
    Limit{
        "max_keepalive", ReadKeepAlive,
        [](const MqttServerOptions& server) { return ShowSeconds(server.limits.max_keep_alive); }},
    Time("stuck_after", MIG_BOUND(stuck_after)),
    Time("drain_for", MIG_BOUND(drain_for)),

    Size("packet", 1024, 256 * kMega, MIG_BOUND(limits.packet_bytes)),
    Size("connect_packet", 256, kMega, MIG_BOUND(limits.connect_bytes)),
    Size("incomplete", kMega, kLargestSize, MIG_BOUND(limits.partial_bytes)),
    Count("client_id", 23, 65'535, MIG_BOUND(limits.client_id_bytes)),
    Count("topic", 16, 65'535, MIG_BOUND(limits.topic_bytes)),
    Count("topic_levels", 1, 1000, MIG_BOUND(limits.topic_levels)),
    Count("topic_aliases", 0, 65'535, MIG_BOUND(limits.topic_alias_maximum)),
    Count("user_properties", 0, 10'000, MIG_BOUND(limits.user_properties)),
    Size("user_property_bytes", 0, kMega, MIG_BOUND(limits.user_property_bytes)),

    Count("receive_maximum", 1, 65'535, MIG_BOUND(limits.receive_maximum)),
    Count("publish_messages", 0, 1000 * kMillion, MIG_BOUND(limits.publish_messages_per_second)),
    Size("publish_bytes", 0, kLargestSize, MIG_BOUND(limits.publish_bytes_per_second)),
    Count("uncommitted", 1, 10 * kMillion, MIG_BOUND(limits.uncommitted)),

    Count("sessions", 1, 100 * kMillion, MIG_BOUND(limits.sessions)),
    Time("session_expiry", MIG_BOUND(limits.max_session_expiry)),
    Count("subscriptions", 1, 100'000, MIG_BOUND(limits.subscriptions)),
    Count("in_flight", 1, 10'000, MIG_BOUND(limits.in_flight)),
    Size("unsent", 1024, kLargestSize, MIG_BOUND(limits.unsent_bytes)),
    Count("queue_messages", 1, 100 * kMillion, MIG_BOUND(limits.queue_messages)),
    Size("queue_bytes", 1024, kLargestSize, MIG_BOUND(limits.queue_bytes)),
    Count("service_queue_messages", 1, 1000 * kMillion, MIG_BOUND(limits.service_queue_messages)),
    Size("service_queue_bytes", 1024, kLargestSize, MIG_BOUND(limits.service_queue_bytes)),
    Count("total_queue_messages", 1, 10'000 * kMillion, MIG_BOUND(limits.total_queue_messages)),
    Size("total_queue_bytes", 1024, kLargestSize, MIG_BOUND(limits.total_queue_bytes)),
    Count("retained_messages", 0, 10 * kMillion, MIG_BOUND(limits.retained_messages)),
    Size("retained_bytes", 1024, kLargestSize, MIG_BOUND(limits.retained_bytes)),
};

#undef MIG_BOUND

}  // namespace

std::span<const Limit> Limits() { return kLimits; }

void ReadLimits(Settings& section, MqttServerOptions& server) {
  for (const Limit& limit : kLimits) limit.read(section, server);
}

Expected<void> ApplyLimits(std::span<const std::string> assignments, MqttServerOptions& server) {
  std::string document;
  for (const std::string& assignment : assignments) {
    const auto equals = assignment.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return Error(Errc::kMalformed,
                   "--limit " + assignment + ": expected KEY=VALUE, like queue_messages=5000");
    }
    document += assignment.substr(0, equals) + ": " + assignment.substr(equals + 1) + "\n";
  }
  auto settings = Settings::Parse(document, "--limit");
  if (!settings) return std::move(settings).error();
  ReadLimits(*settings, server);
  return settings->Finish();
}

}  // namespace mig::relay
