#include "roles/relay/relay_metrics.h"

#include "net/metrics_text.h"
#include "roles/relay/usage.h"
#include "util/version.h"

namespace mig::relay {
namespace {

double Seconds(std::chrono::milliseconds time) {
  return std::chrono::duration<double>(time).count();
}

void WriteClients(const MqttServerFigures& figures, MetricsText& text) {
  const mqtt::BrokerFigures& broker = figures.broker;
  const auto count = [](std::size_t value) { return static_cast<double>(value); };
  text.Gauge("mig_relay_connections", "Open connections, TLS handshakes included.",
             count(figures.connections));
  text.Gauge("mig_relay_connections_without_connect",
             "Open connections whose client has not said who it is.",
             count(figures.without_connect));
  text.Gauge("mig_relay_handshakes", "TLS handshakes under way.", count(figures.handshakes));
  text.Counter("mig_relay_handshakes_done_total", "TLS handshakes that succeeded.",
               figures.handshakes_done);
  text.Counter("mig_relay_connections_opened_total",
               "Connections that could send CONNECT, after TLS where there is TLS.",
               broker.counters.opened);
  text.Counter("mig_relay_connects_accepted_total", "CONNECTs that were accepted.",
               broker.counters.connected);
  text.Gauge("mig_relay_clients", "Clients whose CONNECT was accepted.",
             count(broker.clients_connected));
  text.Gauge("mig_relay_clients_max", "The most of them at once since the start.",
             count(broker.clients_maximum));
  text.Gauge("mig_relay_sessions", "Sessions, of connected and of absent clients.",
             count(broker.sessions));
  text.Counter("mig_relay_sessions_expired_total", "Sessions that ended in absence.",
               broker.counters.sessions_expired);
  text.Gauge("mig_relay_subscriptions", "Subscriptions, the shared ones included.",
             count(broker.subscriptions));
  text.Gauge("mig_relay_shared_subscriptions", "Subscriptions of members of share groups.",
             count(broker.shared_subscriptions));
  text.Gauge("mig_relay_share_groups", "Groups of shared subscribers.", count(broker.share_groups));
}

void WriteTraffic(const mqtt::BrokerCounters& counters, MetricsText& text) {
  text.Counter("mig_relay_packets_received_total", "MQTT packets of all types from clients.",
               counters.packets_received);
  text.Counter("mig_relay_packets_sent_total", "MQTT packets of all types to clients.",
               counters.packets_sent);
  text.Counter("mig_relay_bytes_received_total", "Bytes of MQTT from clients, without TLS.",
               counters.bytes_received);
  text.Counter("mig_relay_bytes_sent_total", "Bytes of MQTT to clients, without TLS.",
               counters.bytes_sent);
  text.Counter("mig_relay_messages_published_total", "Messages accepted, wills included.",
               counters.published);
  text.Counter("mig_relay_message_bytes_published_total", "Bytes of their payloads.",
               counters.published_bytes);
  text.Counter("mig_relay_messages_delivered_total", "PUBLISH packets sent, repeats included.",
               counters.delivered);
  text.Counter("mig_relay_message_bytes_delivered_total", "Bytes of their payloads.",
               counters.delivered_bytes);
  text.Begin("mig_relay_messages_dropped_total", MetricsText::Kind::kCounter,
             "Deliveries that did not happen, by reason.");
  text.Sample({{"reason", "queue full"}}, static_cast<double>(counters.dropped_full));
  text.Sample({{"reason", "slow reader"}}, static_cast<double>(counters.dropped_slow));
  text.Sample({{"reason", "expired"}}, static_cast<double>(counters.dropped_expired));
  text.Counter("mig_relay_publishers_slowed_total",
               "Pauses of clients that publish faster than they may.", counters.slowed_down);
}

void WriteStore(const MqttServerFigures& figures, MetricsText& text) {
  const mqtt::BrokerFigures& broker = figures.broker;
  text.Gauge("mig_relay_queued_messages",
             "Messages that wait, each as often as it waits, in flight included.",
             static_cast<double>(broker.queued_messages));
  text.Gauge("mig_relay_queued_bytes", "Bytes of the same.",
             static_cast<double>(broker.queued_bytes));
  text.Gauge("mig_relay_retained_messages", "Retained messages.",
             static_cast<double>(broker.retained_messages));
  text.Gauge("mig_relay_retained_bytes", "Bytes of the same.",
             static_cast<double>(broker.retained_bytes));
  text.Gauge("mig_relay_store_writable", "1; or 0 while nothing can be written, as on a full disk.",
             broker.store_writable ? 1 : 0);
  text.Counter("mig_relay_store_batches_total", "Batches given to the store.",
               figures.commits.batches());
  text.Counter("mig_relay_store_operations_total", "Operations in these batches.",
               figures.commits.operations());
  text.Histogram("mig_relay_commit_seconds",
                 "From a batch to its commit: how long an acknowledgement waits for the disk.",
                 figures.commits.seconds());
}

}  // namespace

std::string WriteMetrics(const MqttServerFigures& figures, const MqttServerOptions& options) {
  MetricsText text;
  text.Begin("mig_relay_info", MetricsText::Kind::kGauge, "1, and the version of the relay.");
  text.Sample({{"version", Version()}}, 1);
  text.Gauge("mig_relay_uptime_seconds", "Since the start.", Seconds(figures.broker.uptime));
  WriteClients(figures, text);
  WriteTraffic(figures.broker.counters, text);
  text.Begin("mig_relay_refused_total", MetricsText::Kind::kCounter,
             "What was refused or cut off, by reason.");
  for (const auto& [reason, count] : figures.refusals) {
    text.Sample({{"reason", reason}}, static_cast<double>(count));
  }
  WriteStore(figures, text);
  const std::vector<Usage> usages = Usages(figures, options);
  text.Begin("mig_relay_limit_used", MetricsText::Kind::kGauge,
             "How much of each bound for all clients together is used.");
  for (const Usage& usage : usages) {
    text.Sample({{"limit", usage.limit}}, static_cast<double>(usage.used));
  }
  text.Begin("mig_relay_limit", MetricsText::Kind::kGauge, "These bounds, as configured.");
  for (const Usage& usage : usages) {
    text.Sample({{"limit", usage.limit}}, static_cast<double>(usage.most));
  }
  return std::move(text).Take();
}

}  // namespace mig::relay
