// What a broker keeps on disk: the operations it asks for, what it reads back, and the interface of
// the store that carries them out (store/relay_db.h). Operations come in numbered batches; the
// broker acknowledges nothing that a batch holds before it was told that the batch is committed.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "mqtt/message.h"
#include "mqtt/message_queue.h"
#include "mqtt/packet.h"
#include "mqtt/subscription_tree.h"
#include "util/clock.h"
#include "util/expected.h"

namespace mig::mqtt {

struct SessionRecord {
  QueueId id = 0;
  std::string client_id;
  std::string role;  // of the principal to whom it belongs
  std::string peer_id;
  std::chrono::seconds expiry{0};
  std::optional<UtcTime> away_since;  // nothing: connected
  std::optional<Will> will;
};

struct SubscriptionRecord {
  QueueId session = 0;
  std::string filter;  // with `$share/NAME/`, if shared
  SubscribeOptions options;
  std::uint32_t identifier = 0;
};

struct GroupRecord {
  QueueId id = 0;
  std::string filter;  // `$share/NAME/FILTER`
};

struct RetainedRecord {
  MessageRef message;
  std::string role;  // of the principal who published it, and whose right it needs
  std::string peer_id;
};

// Of one session, a packet identifier that a QoS 2 message came under.
struct ReceivedRecord {
  QueueId session = 0;
  std::uint16_t packet_id = 0;
};

// Of one session, a packet identifier that a QoS 2 message is sent under.
struct SendingRecord {
  QueueId session = 0;
  std::uint16_t packet_id = 0;
  std::uint64_t sequence = 0;  // of the row in the session's queue; 0: released, PUBREL is due
  MessageId message = 0;       // of the row
  std::size_t size = 0;        // of the row
};

struct QueueSummary {
  QueueId id = 0;
  std::size_t messages = 0;
  std::size_t bytes = 0;
  std::uint64_t last_sequence = 0;
};

// Operations. Each may name rows that are not there, which is then no error.
struct PutSession {
  SessionRecord session;
};
struct DropSession {  // with its subscriptions and its queue
  QueueId id = 0;
};
struct PutSubscription {
  SubscriptionRecord subscription;
};
struct DropSubscription {
  QueueId session = 0;
  std::string filter;
};
struct PutGroup {
  GroupRecord group;
};
struct DropGroup {  // with its queue
  QueueId id = 0;
};
struct Destination {
  QueueId queue = 0;
  std::uint64_t sequence = 0;
  Qos qos = Qos::kAtLeastOnce;
  bool retain = false;
  std::vector<std::uint32_t> identifiers;
};
struct Enqueue {  // the message itself is stored with the first
  MessageRef message;
  std::vector<Destination> destinations;
};
struct Dequeue {  // the message itself goes with the last
  QueueId queue = 0;
  std::uint64_t sequence = 0;
  MessageId message = 0;
};
struct PutRetained {
  RetainedRecord retained;
};
struct DropRetained {
  std::string topic;
};
// QoS 2 (section 4.3.3): which packet identifiers are in use, on either side of a session.
struct PutReceived {  // a message came under it, and was passed on; PUBREC may follow
  QueueId session = 0;
  std::uint16_t packet_id = 0;
};
struct DropReceived {  // its PUBREL came; PUBCOMP may follow
  QueueId session = 0;
  std::uint16_t packet_id = 0;
};
struct PutSending {  // a row of the session's queue is sent under it; PUBLISH may follow
  QueueId session = 0;
  std::uint16_t packet_id = 0;
  std::uint64_t sequence = 0;
};
struct PutReleased {  // PUBREC came: the row goes, the identifier stays; PUBREL may follow
  QueueId session = 0;
  std::uint16_t packet_id = 0;
  std::uint64_t sequence = 0;
  MessageId message = 0;
};
struct DropSending {  // PUBCOMP came, or the receiver refused the message
  QueueId session = 0;
  std::uint16_t packet_id = 0;
};

using KeepOperation = std::variant<PutSession, DropSession, PutSubscription, DropSubscription,
                                   PutGroup, DropGroup, Enqueue, Dequeue, PutRetained, DropRetained,
                                   PutReceived, DropReceived, PutSending, PutReleased, DropSending>;

// Committed as a whole, or not at all.
struct KeepBatch {
  std::uint64_t number = 0;  // counts up from 1 in each run
  std::vector<KeepOperation> operations;
};

// A question for the rows of a queue after a sequence number.
struct PageRequest {
  QueueId queue = 0;
  std::uint64_t after = 0;
  std::size_t entries = 0;
};

struct Page {
  PageRequest request;
  std::vector<QueueEntry> rows;  // in order
};

// A row whose message expired, and which the store has therefore deleted. Rows that are being sent
// (PutSending) do not expire.
struct ExpiredRow {
  QueueId queue = 0;
  std::uint64_t sequence = 0;
  std::size_t size = 0;
};

// Everything at start, except for the queued messages themselves.
struct Snapshot {
  std::vector<SessionRecord> sessions;
  std::vector<SubscriptionRecord> subscriptions;
  std::vector<GroupRecord> groups;
  std::vector<QueueSummary> queues;
  std::vector<RetainedRecord> retained;
  std::vector<ReceivedRecord> received;
  std::vector<SendingRecord> sending;
  QueueId last_queue = 0;
  MessageId last_message = 0;
};

// The store as the rim sees it. Requests are carried out in the order in which they were made; the
// answers come on the store's own thread.
class Keeper {
 public:
  struct Answers {
    std::function<void(std::uint64_t batch)> committed;  // this batch and all before it
    std::function<void(Page)> page;
    std::function<void(std::vector<ExpiredRow>)> expired;
    // False: nothing can be written for the moment (the disk is full); true: it can again.
    std::function<void(bool)> writable;
    std::function<void(Error)> failed;  // nothing will be committed any more
  };

  virtual ~Keeper() = default;

  // Called once, before anything else.
  virtual void Start(Answers answers) = 0;
  virtual void Keep(KeepBatch batch) = 0;
  virtual void Read(PageRequest request) = 0;
  virtual void DropExpired(UtcTime now) = 0;
  // Commits what was asked for, then ends the thread; no answers come after it returns.
  virtual void Stop() = 0;
};

}  // namespace mig::mqtt
