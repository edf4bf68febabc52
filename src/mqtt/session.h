// What the broker knows of a client beyond one connection (MQTT 5.0 section 4.1), of a group of
// shared subscribers (section 4.8.2), and of a connection. Plain state; mqtt/broker.h has the
// rules.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mqtt/authoriser.h"
#include "mqtt/effect.h"
#include "mqtt/keeper.h"
#include "mqtt/message_queue.h"
#include "mqtt/packet.h"
#include "util/clock.h"
#include "util/pace.h"

namespace mig::mqtt {

// A delivery that its receiver has not acknowledged.
struct InFlight {
  std::uint16_t packet_id = 0;
  QueueId source = 0;  // the session's own queue, or a group's
  QueueEntry entry;    // its message is null while the owner is away: the row has it
  MessageId message_id = 0;
  std::size_t size = 0;
};

struct Session {
  Session(QueueId id, QueueTotals& totals) : queue(id, &totals) {}

  QueueId id() const { return queue.id(); }
  bool durable() const { return queue.durable(); }

  std::string client_id;
  Peer owner;
  std::chrono::seconds expiry{0};
  std::optional<Will> will;

  ConnectionId connection = 0;     // 0: away
  UtcTime away_since{};            // only while away
  std::optional<UtcTime> will_at;  // only while away
  std::optional<UtcTime> alarm;    // the earliest that is set for this session

  std::map<std::string, Subscription, std::less<>> subscriptions;  // by filter, `$share` included
  std::vector<QueueId> groups;

  MessageQueue queue;
  std::vector<InFlight> in_flight;  // in order of first sending
  std::size_t outstanding = 0;      // of these, sent on the present connection
  std::uint16_t last_packet_id = 0;

  // How fast it publishes; here, so that connecting again is no new start.
  Pace messages;
  Pace bytes;
};

// All subscribers to one `$share/NAME/FILTER`. One queue for the group: a message is bound to a
// member only while that member has it in flight, so that nothing is stranded with one who is away.
struct ShareGroup {
  ShareGroup(QueueId id, QueueTotals& totals) : queue(id, &totals) {}

  struct Member {
    QueueId session = 0;
    SubscribeOptions options;
    std::uint32_t identifier = 0;
  };

  std::string filter;  // `$share/NAME/FILTER`
  MessageQueue queue;
  std::vector<Member> members;
  std::size_t next = 0;  // whose turn it is
};

enum class ConnectionState : std::uint8_t {
  kNew,         // no CONNECT yet
  kCommitting,  // CONNECT accepted, CONNACK waits for the store
  kConnected,
};

struct Connection {
  ConnectionId id = 0;
  Peer peer;
  ConnectionState state = ConnectionState::kNew;
  Version version = Version::k311;
  bool paused = false;         // we asked not to read
  Session* session = nullptr;  // owned by the broker; null while kNew

  Bytes partial;  // the beginning of a packet
  UtcTime last_heard{};
  std::chrono::milliseconds silence_limit{0};

  // What the client announced.
  std::size_t in_flight_limit = 0;
  std::uint32_t max_packet_bytes = 0xFFFFFFFF;

  std::vector<std::string> aliases;  // by topic alias - 1
  std::size_t unacknowledged = 0;    // its QoS 1 messages that wait for our PUBACK
  std::uint64_t waits_for = 0;       // the newest batch that an answer to it waits for
  std::size_t unsent_bytes = 0;
};

}  // namespace mig::mqtt
