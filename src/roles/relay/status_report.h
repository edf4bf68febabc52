// What `mig relay status` tells, as the relay answers it on its control socket, and as a person
// reads it:
//   {"version","pid","port","metrics_port","store","uptime_seconds","open",
//    "connections","without_connect","clients","clients_max","sessions","subscriptions",
//    "retained":{"messages","bytes"},"queued":{"messages","bytes"},
//    "queues":[{"name","role","connected","messages","bytes"}],
//    "totals":{"published","delivered","dropped","slowed_down","bytes_received","bytes_sent"},
//    "a_minute":[{"of","1","5","15"}],"refused":[{"reason","count"}],
//    "limits":[{"limit","used","most","near_full"}],
//    "disk":{"writable","uncommitted","batches","operations","commit_seconds","commits"}}
// Fields may be added; clients ignore those that they do not know.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "net/mqtt_server.h"
#include "util/json.h"

namespace mig::relay {

inline constexpr std::size_t kQueuesInStatus = 10;

struct RelayFacts {
  int pid = 0;
  std::uint16_t port = 0;
  std::uint16_t metrics_port = 0;  // 0: none
  std::string store;
};

json::object StatusReport(const RelayFacts& facts, const MqttServerFigures& figures,
                          const std::vector<mqtt::QueueFigures>& queues,
                          const MqttServerOptions& options);

// Of a report that a relay sent: of this version, or of another. What it names is escaped.
std::string FormatStatus(const json::object& report);

}  // namespace mig::relay
