// The broker as a state machine: bytes and the time in, effects out. No sockets, no clock, no
// threads; the rim is net/mqtt_server.h. MQTT 5.0 and 3.1.1, server side, whole but for enhanced
// authentication; README.md beside this file goes through the standard statement by statement.
//
// Nothing is acknowledged before it is safe: the PUBACK or PUBREC of a message that a durable
// session is to get, and the CONNACK, SUBACK or UNSUBACK of a change to a durable session, wait
// until the store has committed the batch that holds it (Keep, Committed). QoS 0 and 1 messages are
// delivered to whoever is connected without waiting; after a crash their publisher, who has no
// PUBACK, sends them again. Of QoS 2 each step waits for the commit of the one before, in both
// directions, so that a crash between any two of them neither doubles nor loses a message.
//
// Functions never block and never throw. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mqtt/alarms.h"
#include "mqtt/authoriser.h"
#include "mqtt/codec.h"
#include "mqtt/effect.h"
#include "mqtt/figures.h"
#include "mqtt/keeper.h"
#include "mqtt/limits.h"
#include "mqtt/message.h"
#include "mqtt/retained.h"
#include "mqtt/session.h"
#include "mqtt/subscription_tree.h"
#include "mqtt/sys_topics.h"

namespace mig::mqtt {

class Broker {
 public:
  struct Options {
    Limits limits;
    // Makes a client identifier that nobody can guess, for a client without one.
    std::function<std::string()> new_client_id;
    // How often those who subscribed to $SYS topics hear of changes; zero: there are none.
    std::chrono::seconds sys_interval{0};
  };

  // `authoriser` outlives the broker.
  Broker(const Authoriser& authoriser, Options options);
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  // Takes in what the store kept, before anything else.
  void Restore(Snapshot snapshot, UtcTime now);

  void Open(ConnectionId connection, Peer peer, UtcTime now);
  // True if the sender may wait for these bytes to arrive before it sends more: false after nothing
  // but QoS 0 messages.
  bool Receive(ConnectionId connection, BytesView bytes, UtcTime now);
  // So many bytes of what was to be sent have left.
  void Sent(ConnectionId connection, std::size_t bytes, UtcTime now);
  // The connection is gone, not by our Close.
  void Closed(ConnectionId connection, UtcTime now);

  // The store's answers.
  void Committed(std::uint64_t batch, UtcTime now);
  void Paged(Page page, UtcTime now);
  void Expired(const std::vector<ExpiredRow>& rows);
  // False: what must be stored is refused until it can be again.
  void StoreWritable(bool writable) { store_writable_ = writable; }

  // Ends a connection for a reason that the rim knows. Nothing happens if it is gone.
  void Expel(ConnectionId connection, Reason reason, std::string detail, UtcTime now);

  // Looks at what is due; see WakeAt.
  void Tick(UtcTime now);

  // Tells everybody (DISCONNECT 0x8B) and closes all connections. Wills are not sent; durable
  // sessions keep theirs.
  void Shutdown(UtcTime now);

  // What is to be done, in order. To be called after each of the above.
  // `spare` is a vector that is done with: its memory serves for the next ones.
  std::vector<Effect> TakeEffects(std::vector<Effect> spare = {});

  const BrokerCounters& counters() const { return counters_; }
  BrokerFigures Figures(UtcTime now) const;
  const LoadAverages& loads() const { return loads_; }
  // The `count` queues that hold most bytes, the largest first; empty ones are left out. Looks at
  // every session.
  std::vector<QueueFigures> LargestQueues(std::size_t count) const;
  // True once the connection's CONNECT was accepted.
  bool Knows(ConnectionId connection) const;
  // The client identifier behind it; empty if it is not known.
  std::string ClientOf(ConnectionId connection) const;
  std::size_t connections() const { return connections_.size(); }
  std::size_t sessions() const { return sessions_.size(); }
  const QueueTotals& queued() const { return queued_; }

 private:
  // What goes out when a batch is committed.
  struct Waiting {
    enum class Kind : std::uint8_t {
      kAnswer,   // `bytes`
      kConnAck,  // `bytes`; after it the session's messages
      kPubAck,   // `bytes`, the end of a PUBLISH: PUBACK, or a PUBREC that refuses
      kPubRec,   // `bytes`; the PUBLISH stays open
      kSubAck,   // `bytes`; after it the messages of groups that the session joined
      kPublish,  // what is in flight under `packet_id`
    };
    ConnectionId connection = 0;
    Kind kind = Kind::kAnswer;
    std::uint16_t packet_id = 0;
    Bytes bytes;                            // empty: larger than the client takes
    std::vector<std::string> retained_for;  // filters whose retained messages follow the answer
  };
  enum class Parting { kClean, kAbnormal, kShutdown };
  enum class Delivery { kDone, kStored, kFull, kSkipped };
  struct Outcome {
    bool matched = false;
    bool full = false;        // a receiver had no room
    std::uint64_t batch = 0;  // which makes it safe; 0: nothing has to be
  };
  // What became of a client's PUBLISH.
  struct Taken {
    Reason reason = Reason::kSuccess;
    std::uint64_t batch = 0;  // as in Outcome
    std::string detail;       // of a refusal
    bool failed = false;      // the connection is gone
  };

  // broker.cpp: connections
  Connection* Find(ConnectionId id);
  Connection* ConnectionOf(const Session& session);
  std::size_t Process(ConnectionId id, BytesView bytes, UtcTime now);
  void Handle(Connection& connection, BytesView packet, UtcTime now);
  void HandlePacket(Connection& connection, Packet& packet, UtcTime now);
  void HandleDisconnect(Connection& connection, const Disconnect& disconnect, UtcTime now);
  bool MustWait(const Connection& connection, PacketType type) const;
  bool MustSlowDown(Connection& connection, const FixedHeader& header, UtcTime now);
  void Pause(Connection& connection, std::optional<UtcTime> until);
  void Resume(ConnectionId id, UtcTime now);
  void ResumePaused(UtcTime now);
  void FailHoarder(Connection& last, UtcTime now);
  void Fail(Connection& connection, Reason reason, std::string detail, UtcTime now);
  void End(Connection& connection, Parting parting, UtcTime now);
  void CheckSilence(Connection& connection, UtcTime now);
  void SendBytes(Connection& connection, Bytes bytes);
  void SendPacket(Connection& connection, const Packet& packet);
  template <typename T>
  Bytes EncodeFor(const Connection& connection, T packet) const;
  void Answer(Connection& connection, Waiting waiting, std::uint64_t batch, UtcTime now);
  void Release(Waiting& waiting, UtcTime now);
  void AddNote(std::string_view what, const Connection& connection, std::string detail);
  void AddRefusal(std::string_view what, Reason reason, const Connection& connection,
                  std::string detail);

  // Adds to the open batch, and returns its number.
  std::uint64_t KeepOne(KeepOperation operation);
  void CloseBatch();

  // broker_session.cpp: sessions and wills
  void HandleConnect(Connection& connection, Connect& connect, UtcTime now);
  std::chrono::seconds ExpiryOf(const Connect& connect) const;
  Reason CheckConnect(const Connection& connection, const Connect& connect,
                      std::string& detail) const;
  void Refuse(Connection& connection, const std::string& client_id, Reason reason,
              std::string detail, UtcTime now);
  Session& CreateSession(std::string client_id, const Peer& owner, std::chrono::seconds expiry);
  void ResumeSession(Session& session, Connection& connection);
  Properties ConnAckProperties(const Connection& connection, const Connect& connect,
                               const Session& session, bool assigned) const;
  std::uint64_t KeepSession(const Session& session);
  void Detach(Session& session, Parting parting, UtcTime now);
  std::uint64_t EndSession(Session& session, UtcTime now);
  void SendWill(Session& session, UtcTime now);
  void SetSessionAlarm(Session& session);
  void RestoreExchanges(const Snapshot& snapshot);
  void CheckSession(Session& session, UtcTime now);

  // broker_publish.cpp: from publishers to queues
  void HandlePublish(Connection& connection, Publish& publish, UtcTime now);
  bool CheckPublish(Connection& connection, Publish& publish, UtcTime now);
  bool ResolveAlias(Connection& connection, Publish& publish, UtcTime now);
  bool IsRepeated(Connection& connection, const Publish& publish);
  Taken Take(Connection& connection, Publish& publish, UtcTime now);
  Reason Refusal(const Connection& connection, const Publish& publish, const Message& message,
                 UtcTime now);
  bool HasRoomFor(const Message& message, const Session& publisher);
  bool NeedsStore(const Message& message);
  void HandlePubRel(Connection& connection, const Ack& ack, UtcTime now);
  Outcome Accept(const MessageRef& message, const Session* publisher, const Peer& owner,
                 UtcTime now);
  void Retain(const MessageRef& message, const Peer& owner, Outcome& outcome, UtcTime now);
  void Route(const MessageRef& message, const Session* publisher, Outcome& outcome, UtcTime now);
  Delivery Deliver(const Subscription& subscription, std::vector<std::uint32_t> identifiers,
                   const MessageRef& message, bool retain, std::vector<Destination>& rows,
                   UtcTime now);
  Delivery Enter(MessageQueue& queue, bool reading, bool is_service, QueueEntry entry,
                 std::vector<Destination>& rows);
  std::uint64_t KeepRows(const MessageRef& message, std::vector<Destination> rows, UtcTime now);
  void RequestSweep(UtcTime now);
  void MayExpire(UtcTime now);

  // broker_deliver.cpp: from queues to receivers
  bool CanTake(const Session& session);
  bool CanTakeFromGroup(const Session& session, Qos qos);
  bool IsFull(const MessageQueue& queue, bool is_service, std::size_t size) const;
  void SendQos0(Session& session, const MessageRef& message, bool retain,
                std::vector<std::uint32_t> identifiers, UtcTime now);
  void SendEntry(Session& session, MessageQueue& source, QueueEntry entry, UtcTime now);
  QueueEntry Adopt(Session& session, MessageQueue& group, QueueEntry entry);
  bool Resend(Session& session, QueueEntry& entry, UtcTime now);
  void SendPublish(Connection& connection, const QueueEntry& entry, std::uint16_t packet_id,
                   bool dup, UtcTime now);
  bool Fits(const Connection& connection, const QueueEntry& entry, UtcTime now);
  void SetAlias(Connection& connection, const std::string& topic, DeliveryForm& form);
  void SendReleases(Session& session, Connection& connection);
  void FinishEntry(MessageQueue& queue, std::uint64_t sequence, MessageId message,
                   std::size_t size);
  void HandlePubAck(Connection& connection, const Ack& ack, UtcTime now);
  void HandlePubRec(Connection& connection, const Ack& ack, UtcTime now);
  void HandlePubComp(Connection& connection, const Ack& ack, UtcTime now);
  void Pump(Session& session, UtcTime now);
  void PumpOwn(Session& session, UtcTime now);
  void PumpGroup(ShareGroup& group, UtcTime now);
  Session* NextMember(ShareGroup& group, Qos qos, const ShareGroup::Member*& member);
  bool HasReader(const ShareGroup& group);
  void AskForPage(MessageQueue& queue);
  MessageQueue* QueueOf(QueueId id);

  // broker_subscribe.cpp
  void HandleSubscribe(Connection& connection, Subscribe& subscribe, UtcTime now);
  void HandleUnsubscribe(Connection& connection, Unsubscribe& unsubscribe, UtcTime now);
  Reason CheckSubscription(const Connection& connection, const Subscribe::Entry& entry) const;
  std::uint64_t AddSubscription(Session& session, const std::string& filter,
                                const Subscription& subscription, bool keep);
  std::uint64_t RemoveSubscription(Session& session, std::string_view filter, bool keep);
  std::uint64_t JoinGroup(Session& session, const std::string& filter,
                          const Subscription& subscription, bool keep);
  std::uint64_t LeaveGroup(Session& session, std::string_view filter);
  void SetJointOptions(const ShareGroup& group);
  void SendRetained(Connection& connection, const std::vector<std::string>& filters, UtcTime now);
  void SendRetainedOne(Session& session, const Subscription& subscription,
                       const MessageRef& message, UtcTime now);

  // broker_figures.cpp
  bool MayPublish(const Peer& peer, std::string_view topic, bool retain) const;
  void StartSysTopics(UtcTime now);
  void UpdateSysTopics(UtcTime now);
  void SendSysTopics(Session& session, const std::string& filter, const Subscription& subscription,
                     UtcTime now);

  const Authoriser& authoriser_;
  const Options options_;
  const Limits& limits_;

  QueueTotals queued_;  // outlives the queues
  std::unordered_map<ConnectionId, std::unique_ptr<Connection>> connections_;
  std::unordered_map<QueueId, std::unique_ptr<Session>> sessions_;
  std::unordered_map<std::string, QueueId> session_ids_;  // by client identifier
  std::unordered_map<QueueId, std::unique_ptr<ShareGroup>> groups_;
  std::map<std::string, QueueId, std::less<>> group_ids_;  // by `$share/NAME/FILTER`
  SubscriptionTree tree_;
  RetainedMessages retained_;
  QueueId last_queue_ = 0;
  MessageId last_message_ = 0;

  Alarms alarms_;
  std::optional<UtcTime> announced_wake_;
  bool may_expire_ = false;  // something durable has an expiry, so that sweeping makes sense
  bool sweep_alarm_ = false;
  UtcTime last_sweep_{};

  // One batch holds all that follows from one event: each is committed whole.
  std::vector<KeepOperation> open_batch_;
  std::vector<PageRequest> page_requests_;  // made when the batch is closed
  std::optional<UtcTime> sweep_request_;    // the same
  std::uint64_t open_batch_number_ = 1;
  std::uint64_t committed_ = 0;
  bool store_writable_ = true;
  std::deque<std::pair<std::uint64_t, std::size_t>> uncommitted_;  // batch, operations
  std::size_t uncommitted_operations_ = 0;
  std::map<std::uint64_t, std::vector<Waiting>> waiting_;  // by batch
  std::vector<ConnectionId> paused_;

  std::size_t partial_bytes_ = 0;
  bool is_waited_for_ = false;  // what Receive returns
  FrameCache frames_;
  std::vector<std::span<const Subscription>> matches_;  // scratch of Route
  std::vector<Effect> effects_;
  BrokerCounters counters_;
  UtcTime started_{};
  std::size_t clients_ = 0;  // with an accepted CONNECT
  std::size_t most_clients_ = 0;
  std::size_t subscriptions_ = 0;  // the shared ones included
  std::size_t shared_subscriptions_ = 0;
  LoadAverages loads_;
  UtcTime loads_at_{};
  std::map<std::string, std::string, std::less<>> sys_values_;  // as last sent to subscribers
};

}  // namespace mig::mqtt
