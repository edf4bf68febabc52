// What a broker counts and how full it is: one reading, for $SYS topics (mqtt/sys_topics.h),
// metrics and status. Plain numbers; reading them is cheap at any number of clients.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "util/clock.h"

namespace mig::mqtt {

// Since the start. They only grow.
struct BrokerCounters {
  std::uint64_t packets_received = 0;  // of all types
  std::uint64_t packets_sent = 0;
  std::uint64_t bytes_received = 0;  // of MQTT, without TLS and the like
  std::uint64_t bytes_sent = 0;
  std::uint64_t opened = 0;     // connections, with and without CONNECT
  std::uint64_t connected = 0;  // CONNECTs accepted

  std::uint64_t published = 0;  // messages accepted, wills included
  std::uint64_t published_bytes = 0;
  std::uint64_t delivered = 0;  // PUBLISH packets sent
  std::uint64_t delivered_bytes = 0;
  std::uint64_t dropped_full = 0;  // deliveries for which a queue had no room
  std::uint64_t dropped_slow = 0;  // QoS 0 deliveries to a client that does not read
  std::uint64_t dropped_expired = 0;
  std::uint64_t refused = 0;      // packets without the right
  std::uint64_t slowed_down = 0;  // pauses of clients that publish too fast
  std::uint64_t sessions_expired = 0;

  std::uint64_t Dropped() const { return dropped_full + dropped_slow + dropped_expired; }
};

struct BrokerFigures {
  BrokerCounters counters;
  std::chrono::milliseconds uptime{0};
  std::size_t connections = 0;        // open, with and without CONNECT
  std::size_t clients_connected = 0;  // with an accepted CONNECT
  std::size_t clients_maximum = 0;    // so many at once since the start
  std::size_t sessions = 0;           // connected and away
  std::size_t subscriptions = 0;      // the shared ones included
  std::size_t shared_subscriptions = 0;
  std::size_t share_groups = 0;
  std::size_t retained_messages = 0;
  std::size_t retained_bytes = 0;
  std::size_t queued_messages = 0;  // each as often as it waits, in flight included
  std::size_t queued_bytes = 0;
  std::size_t incomplete_bytes = 0;  // of packets that are not whole yet
  std::size_t uncommitted = 0;       // operations that the store has not committed
  bool store_writable = true;
};

// One of the queues, of a session or of a group of shared subscribers.
struct QueueFigures {
  std::string name;  // client identifier, or `$share/NAME/FILTER`
  std::string role;  // of the session's owner; empty for a group and on an open broker
  bool connected = false;
  std::size_t messages = 0;
  std::size_t bytes = 0;
};

}  // namespace mig::mqtt
