#include "roles/relay/usage.h"

namespace mig::relay {

std::vector<Usage> Usages(const MqttServerFigures& figures, const MqttServerOptions& options) {
  const mqtt::BrokerFigures& broker = figures.broker;
  const mqtt::Limits& limits = options.limits;
  return {
      {"connections", figures.connections, options.connections.total},
      {"without_connect", figures.without_connect, options.connections.unknown},
      {"handshakes", figures.handshakes, options.max_handshakes},
      {"sessions", broker.sessions, limits.sessions},
      {"incomplete", broker.incomplete_bytes, limits.partial_bytes},
      {"uncommitted", broker.uncommitted, limits.uncommitted},
      {"total_queue_messages", broker.queued_messages, limits.total_queue_messages},
      {"total_queue_bytes", broker.queued_bytes, limits.total_queue_bytes},
      {"retained_messages", broker.retained_messages, limits.retained_messages},
      {"retained_bytes", broker.retained_bytes, limits.retained_bytes},
  };
}

}  // namespace mig::relay
