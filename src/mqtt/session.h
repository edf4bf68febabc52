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
  enum class Stage : std::uint8_t {
    kCommitting,  // QoS 2: its packet identifier is not on disk yet, so that it must not be sent
    kSent,        // waits for PUBACK or PUBREC
    kReleased,    // QoS 2: waits for PUBCOMP; the message is done with
  };
  std::uint16_t packet_id = 0;
  Stage stage = Stage::kSent;
  bool repeated = false;  // it was, or may have been, sent before: DUP
  QueueId source = 0;     // the session's own queue, or a group's (QoS 1 only)
  QueueEntry entry;       // its message is null while the owner is away: the row has it
  MessageId message_id = 0;
  std::size_t size = 0;
};

// A QoS 2 message of the client that was passed on and waits for its PUBREL.
struct Received {
  std::uint16_t packet_id = 0;
  ConnectionId connection = 0;  // on which it came: there it counts against Receive Maximum
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
  bool lost_a_right = false;  // so that what is queued is looked at again before it is sent

  MessageQueue queue;
  std::vector<InFlight> in_flight;  // in order of first sending
  std::size_t outstanding = 0;      // of these, sent on the present connection
  std::vector<Received> received;   // in order of their identifiers
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
  std::uint16_t alias_limit = 0;     // topic aliases that we may set
  bool wants_reason_strings = true;  // Request Problem Information (section 3.1.2.11.7)

  std::vector<std::string> aliases;       // set by the client, by topic alias - 1
  std::vector<std::string> sent_aliases;  // set by us
  std::size_t unacknowledged = 0;         // its messages that wait for our PUBACK or PUBREC
  std::size_t open_publishes = 0;         // what counts against our Receive Maximum (section 4.9)
  std::uint64_t waits_for = 0;            // the newest batch that an answer to it waits for
  std::size_t unsent_bytes = 0;
};

}  // namespace mig::mqtt
