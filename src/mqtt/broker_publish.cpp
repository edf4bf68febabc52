// PUBLISH from clients and wills: rights, retained messages, and the way to each receiver's queue.
#include <algorithm>

#include "mqtt/broker.h"
#include "mqtt/topic.h"

namespace mig::mqtt {
namespace {

// After a queue was found full, expired messages are looked for at most this often.
constexpr std::chrono::seconds kSweepPause{1};
constexpr std::chrono::seconds kSweepPeriod{60};

std::size_t UserPropertyBytes(const Properties& properties, std::size_t& count) {
  std::size_t bytes = 0;
  for (const Property& property : properties) {
    if (property.id != PropertyId::kUserProperty) continue;
    ++count;
    bytes += property.text.size() + property.value.size();
  }
  return bytes;
}

}  // namespace

// False: the connection has been failed.
bool Broker::ResolveAlias(Connection& connection, Publish& publish, UtcTime now) {
  const auto alias = publish.properties.Number(PropertyId::kTopicAlias);
  if (!alias) return true;
  if (*alias == 0 || *alias > limits_.topic_alias_maximum) {  // [MQTT-3.3.2-8], [MQTT-3.3.2-9]
    Fail(connection, Reason::kTopicAliasInvalid, "topic alias " + std::to_string(*alias), now);
    return false;
  }
  if (connection.aliases.size() < *alias) connection.aliases.resize(*alias);
  std::string& known = connection.aliases[*alias - 1];
  if (!publish.topic.empty()) {
    known = publish.topic;
  } else if (!known.empty()) {
    publish.topic = known;
  } else {
    Fail(connection, Reason::kProtocolError, "a topic alias that was never set", now);
    return false;
  }
  return true;
}

// Whether the packet keeps the rules; false: the connection has been failed.
bool Broker::CheckPublish(Connection& connection, Publish& publish, UtcTime now) {
  const auto fail = [&](Reason reason, std::string detail) {
    Fail(connection, reason, std::move(detail), now);
    return false;
  };
  if (auto ok = publish.topic.empty() ? Expected<void>() : CheckTopicName(publish.topic); !ok) {
    return fail(Reason::kTopicNameInvalid, ok.error().message());
  }
  if (publish.topic.size() > limits_.topic_bytes ||
      CountLevels(publish.topic) > limits_.topic_levels) {
    return fail(Reason::kTopicNameInvalid, "topic name too long");
  }
  if (!ResolveAlias(connection, publish, now)) return false;
  if (publish.properties.Find(PropertyId::kSubscriptionIdentifier) != nullptr) {
    // [MQTT-3.3.4-6]
    return fail(Reason::kProtocolError, "a subscription identifier from a client");
  }
  if (const auto response = publish.properties.Text(PropertyId::kResponseTopic);
      response && !CheckTopicName(*response)) {
    return fail(Reason::kProtocolError, "response topic");  // [MQTT-3.3.2-14]
  }
  std::size_t user_properties = 0;
  if (UserPropertyBytes(publish.properties, user_properties) > limits_.user_property_bytes ||
      user_properties > limits_.user_properties) {
    return fail(Reason::kQuotaExceeded, "too many user properties");
  }
  return true;
}

// True for a QoS 2 message that was passed on already, and whose PUBREL has not come yet.
bool Broker::IsRepeated(Connection& connection, const Publish& publish) {
  if (publish.qos != Qos::kExactlyOnce) return false;
  std::vector<Received>& received = connection.session->received;
  const auto found =
      std::ranges::lower_bound(received, publish.packet_id, {}, &Received::packet_id);
  if (found == received.end() || found->packet_id != publish.packet_id) return false;
  if (found->connection != connection.id) {
    found->connection = connection.id;
    ++connection.open_publishes;
  }
  return true;
}

// Why a message is not taken at all; kSuccess if it is.
Reason Broker::Refusal(const Connection& connection, const Publish& publish, const Message& message,
                       UtcTime now) {
  if (!MayPublish(connection.peer, message.topic, message.retain)) {
    return Reason::kNotAuthorized;
  }
  if (!KeepsPayloadFormat(publish.properties, message.payload)) {
    return Reason::kPayloadFormatInvalid;
  }
  // 3.1.1 knows no refusal, only silence: there the message waits until the store can be written.
  if (connection.version == Version::k311 || message.qos == Qos::kAtMostOnce) {
    return Reason::kSuccess;
  }
  if (!store_writable_ && NeedsStore(message)) return Reason::kQuotaExceeded;
  // Exactly once is for all receivers or for none: a publisher who is told that one had no room
  // will send it again.
  if (message.qos == Qos::kExactlyOnce && !HasRoomFor(message, *connection.session)) {
    ++counters_.dropped_full;
    RequestSweep(now);
    return Reason::kQuotaExceeded;
  }
  return Reason::kSuccess;
}

// True if any part of the message's way leads over the disk.
bool Broker::NeedsStore(const Message& message) {
  if (message.retain) return true;
  matches_.clear();
  tree_.Match(message.topic, matches_);
  for (const auto& list : matches_) {
    for (const Subscription& subscription : list) {
      const MessageQueue* queue = QueueOf(subscription.subscriber);
      if (queue != nullptr && queue->durable() && subscription.options.qos > Qos::kAtMostOnce) {
        return true;
      }
    }
  }
  return false;
}

// True if every receiver has.
bool Broker::HasRoomFor(const Message& message, const Session& publisher) {
  if (message.retain && !message.payload.empty() && !retained_.HasRoomFor(message)) return false;
  const std::size_t size = message.Size();
  std::size_t receivers = 0;
  matches_.clear();
  tree_.Match(message.topic, matches_);
  for (const auto& list : matches_) {
    for (const Subscription& subscription : list) {
      const bool is_own = subscription.subscriber == publisher.id();
      if (subscription.options.qos == Qos::kAtMostOnce ||
          (is_own && subscription.options.no_local)) {
        continue;
      }
      ++receivers;
      const auto session = sessions_.find(subscription.subscriber);
      const bool is_service =
          session == sessions_.end() || authoriser_.IsService(session->second->owner);
      const MessageQueue* queue = QueueOf(subscription.subscriber);
      if (queue != nullptr && IsFull(*queue, is_service, size)) return false;
    }
  }
  return queued_.messages + receivers <= limits_.total_queue_messages &&
         queued_.bytes + receivers * size <= limits_.total_queue_bytes;
}

void Broker::HandlePublish(Connection& connection, Publish& publish, UtcTime now) {
  if (!CheckPublish(connection, publish, now)) return;
  const bool is_new = !IsRepeated(connection, publish);
  if (publish.qos != Qos::kAtMostOnce) {
    if (is_new && connection.version == Version::k5 &&
        connection.open_publishes >= limits_.receive_maximum) {  // section 4.9
      return Fail(connection, Reason::kReceiveMaximumExceeded, {}, now);
    }
    ++connection.unacknowledged;
    if (is_new) ++connection.open_publishes;
  }
  Taken taken;
  if (is_new) taken = Take(connection, publish, now);
  if (publish.qos == Qos::kAtMostOnce || taken.failed) return;
  const bool is_qos2 = publish.qos == Qos::kExactlyOnce;
  Ack ack{is_qos2 ? PacketType::kPubRec : PacketType::kPubAck, publish.packet_id, taken.reason, {}};
  if (!taken.detail.empty()) {
    ack.properties.Add(PropertyId::kReasonString,
                       taken.detail + ": " + std::string(ReasonName(taken.reason)));
  }
  Waiting waiting;
  waiting.bytes = EncodeFor(connection, std::move(ack));
  waiting.kind =
      is_qos2 && !IsError(taken.reason) ? Waiting::Kind::kPubRec : Waiting::Kind::kPubAck;
  Answer(connection, std::move(waiting), taken.batch, now);
}

// Passes a client's message on, or says why not. The topic and payload of `publish` are moved.
Broker::Taken Broker::Take(Connection& connection, Publish& publish, UtcTime now) {
  auto message = std::make_shared<Message>();
  message->topic = std::move(publish.topic);
  message->payload = std::move(publish.payload);
  message->properties = ForwardedProperties(publish.properties);
  message->qos = publish.qos;
  message->retain = publish.retain;
  if (const auto expiry = publish.properties.Number(PropertyId::kMessageExpiryInterval)) {
    message->expires_at = now + std::chrono::seconds(*expiry);
  }
  Taken taken;
  taken.reason = Refusal(connection, publish, *message, now);
  if (taken.reason == Reason::kNotAuthorized || taken.reason == Reason::kPayloadFormatInvalid) {
    ++counters_.refused;
    taken.detail = "publish to " + Quoted(message->topic);
    // 3.1.1 cannot say no: the connection is closed (section 3.3.5 there). Nor can anybody say it
    // of QoS 0; but who has no right is not told more by being cut off.
    if (connection.version == Version::k311 ||
        (publish.qos == Qos::kAtMostOnce && taken.reason == Reason::kPayloadFormatInvalid)) {
      taken.failed = true;
      Fail(connection, taken.reason, std::move(taken.detail), now);
      return taken;
    }
    AddRefusal("refused", taken.reason, connection, taken.detail);
  }
  if (IsError(taken.reason)) return taken;

  Session& session = *connection.session;
  message->id = ++last_message_;
  if (publish.qos == Qos::kExactlyOnce) {
    const auto place =
        std::ranges::lower_bound(session.received, publish.packet_id, {}, &Received::packet_id);
    session.received.insert(place, Received{publish.packet_id, connection.id});
    if (session.durable()) taken.batch = KeepOne(PutReceived{session.id(), publish.packet_id});
  }
  const Outcome outcome = Accept(message, &session, connection.peer, now);
  taken.batch = std::max(taken.batch, outcome.batch);
  if (connection.version == Version::k5) {
    if (!outcome.matched) taken.reason = Reason::kNoMatchingSubscribers;
    // Somebody did not get it: that is no success. (Of QoS 2 this was seen before.)
    if (outcome.full && publish.qos == Qos::kAtLeastOnce) taken.reason = Reason::kQuotaExceeded;
  }
  return taken;
}

// The publisher will not send the message again: its identifier is free.
void Broker::HandlePubRel(Connection& connection, const Ack& ack, UtcTime now) {
  Session& session = *connection.session;
  const auto found =
      std::ranges::lower_bound(session.received, ack.packet_id, {}, &Received::packet_id);
  Ack answer{PacketType::kPubComp, ack.packet_id, Reason::kSuccess, {}};
  std::uint64_t batch = 0;
  if (found == session.received.end() || found->packet_id != ack.packet_id) {
    answer.reason = Reason::kPacketIdentifierNotFound;
  } else {
    if (found->connection == connection.id) --connection.open_publishes;
    session.received.erase(found);
    // Told before it is on disk, a crash would make the next message under this identifier look
    // like a repetition.
    if (session.durable()) batch = KeepOne(DropReceived{session.id(), ack.packet_id});
  }
  Waiting waiting;
  waiting.bytes = EncodeFor(connection, std::move(answer));
  Answer(connection, std::move(waiting), batch, now);
}

Broker::Outcome Broker::Accept(const MessageRef& message, const Session* publisher,
                               const Peer& owner, UtcTime now) {
  ++counters_.published;
  counters_.published_bytes += message->payload.size();
  Outcome outcome;
  if (message->retain) Retain(message, owner, outcome, now);
  Route(message, publisher, outcome, now);
  return outcome;
}

void Broker::Retain(const MessageRef& message, const Peer& owner, Outcome& outcome, UtcTime now) {
  if (message->payload.empty()) {  // "any existing retained message is removed" [MQTT-3.3.1-6]
    if (retained_.Remove(message->topic)) {
      outcome.batch = KeepOne(DropRetained{message->topic});
    }
    return;
  }
  RetainedRecord record{message, owner.role, owner.id};
  if (retained_.Put(record)) {
    outcome.batch = KeepOne(PutRetained{std::move(record)});
    if (message->expires_at) MayExpire(now);
  } else {
    ++counters_.dropped_full;
    outcome.full = true;
  }
}

void Broker::Route(const MessageRef& message, const Session* publisher, Outcome& outcome,
                   UtcTime now) {
  matches_.clear();
  tree_.Match(message->topic, matches_);
  std::vector<Destination> rows;
  const auto is_excluded = [publisher](const Subscription& subscription) {
    return subscription.options.no_local && publisher != nullptr &&
           subscription.subscriber == publisher->id();  // [MQTT-3.8.3-3]
  };
  const auto deliver = [&](const Subscription& subscription,
                           std::vector<std::uint32_t> identifiers) {
    outcome.matched = true;
    const bool retain = subscription.options.retain_as_published && message->retain;
    const Delivery delivery =
        Deliver(subscription, std::move(identifiers), message, retain, rows, now);
    outcome.full = outcome.full || delivery == Delivery::kFull;
  };
  const auto identifiers_of = [](const Subscription& subscription) {
    return subscription.identifier == 0 ? std::vector<std::uint32_t>{}
                                        : std::vector<std::uint32_t>{subscription.identifier};
  };
  if (matches_.size() == 1) {
    for (const Subscription& subscription : matches_[0]) {
      if (!is_excluded(subscription)) deliver(subscription, identifiers_of(subscription));
    }
  } else if (matches_.size() > 1) {
    // A client with several filters that match gets one copy, with the highest QoS of them and all
    // their identifiers (section 3.3.4).
    std::vector<Subscription> all;
    for (const auto& list : matches_) all.insert(all.end(), list.begin(), list.end());
    // What does not match must not lend its QoS and identifier to what does.
    std::erase_if(all, is_excluded);
    std::ranges::stable_sort(all, {}, &Subscription::subscriber);
    for (std::size_t i = 0; i < all.size();) {
      Subscription merged = all[i];
      std::vector<std::uint32_t> identifiers = identifiers_of(merged);
      for (++i; i < all.size() && all[i].subscriber == merged.subscriber; ++i) {
        merged.options.qos = std::max(merged.options.qos, all[i].options.qos);
        merged.options.retain_as_published =
            merged.options.retain_as_published || all[i].options.retain_as_published;
        if (all[i].identifier != 0) identifiers.push_back(all[i].identifier);
      }
      deliver(merged, std::move(identifiers));
    }
  }
  if (outcome.full) RequestSweep(now);
  if (rows.empty()) return;
  outcome.batch = KeepRows(message, std::move(rows), now);
}

// Deliveries of durable queues begin only here, so that no Dequeue stands before its Enqueue.
std::uint64_t Broker::KeepRows(const MessageRef& message, std::vector<Destination> rows,
                               UtcTime now) {
  std::vector<QueueId> queues;
  queues.reserve(rows.size());
  for (const Destination& row : rows) queues.push_back(row.queue);
  if (message->expires_at) MayExpire(now);
  const std::uint64_t batch = KeepOne(Enqueue{message, std::move(rows)});
  for (const QueueId id : queues) {
    if (const auto session = sessions_.find(id); session != sessions_.end()) {
      PumpOwn(*session->second, now);
    } else if (const auto group = groups_.find(id); group != groups_.end()) {
      PumpGroup(*group->second, now);
    }
  }
  return batch;
}

Broker::Delivery Broker::Deliver(const Subscription& subscription,
                                 std::vector<std::uint32_t> identifiers, const MessageRef& message,
                                 bool retain, std::vector<Destination>& rows, UtcTime now) {
  QueueEntry entry;
  entry.message = message;
  entry.qos = std::min(message->qos, subscription.options.qos);
  entry.retain = retain;
  entry.identifiers = std::move(identifiers);

  if (const auto found = sessions_.find(subscription.subscriber); found != sessions_.end()) {
    Session& session = *found->second;
    if (entry.qos == Qos::kAtMostOnce) {
      SendQos0(session, message, retain, std::move(entry.identifiers), now);
      return Delivery::kDone;
    }
    const Delivery delivery = Enter(session.queue, session.connection != 0,
                                    authoriser_.IsService(session.owner), std::move(entry), rows);
    if (delivery == Delivery::kDone) PumpOwn(session, now);
    return delivery;
  }
  const auto found = groups_.find(subscription.subscriber);
  if (found == groups_.end()) return Delivery::kSkipped;
  ShareGroup& group = *found->second;
  if (entry.qos == Qos::kAtMostOnce) {
    const ShareGroup::Member* member = nullptr;
    Session* session = NextMember(group, Qos::kAtMostOnce, member);
    if (session == nullptr) return Delivery::kSkipped;
    std::vector<std::uint32_t> own;
    if (member->identifier != 0) own.push_back(member->identifier);
    SendQos0(*session, message, retain && member->options.retain_as_published, std::move(own), now);
    return Delivery::kDone;
  }
  const Delivery delivery = Enter(group.queue, HasReader(group), true, std::move(entry), rows);
  if (delivery == Delivery::kDone) PumpGroup(group, now);
  return delivery;
}

bool Broker::IsFull(const MessageQueue& queue, bool is_service, std::size_t size) const {
  const std::size_t max_messages =
      is_service ? limits_.service_queue_messages : limits_.queue_messages;
  const std::size_t max_bytes = is_service ? limits_.service_queue_bytes : limits_.queue_bytes;
  return queue.messages() >= max_messages || queue.bytes() + size > max_bytes ||
         queued_.messages >= limits_.total_queue_messages ||
         queued_.bytes + size > limits_.total_queue_bytes;
}

Broker::Delivery Broker::Enter(MessageQueue& queue, bool reading, bool is_service, QueueEntry entry,
                               std::vector<Destination>& rows) {
  if (IsFull(queue, is_service, entry.message->Size())) {
    ++counters_.dropped_full;
    return Delivery::kFull;
  }
  entry.sequence = queue.NextSequence();
  if (queue.durable()) {
    rows.push_back({queue.id(), entry.sequence, entry.qos, entry.retain, entry.identifiers});
  }
  const bool durable = queue.durable();
  queue.Push(std::move(entry), reading);
  return durable ? Delivery::kStored : Delivery::kDone;
}

void Broker::RequestSweep(UtcTime now) {
  if (!may_expire_ || now - last_sweep_ < kSweepPause) return;
  last_sweep_ = now;
  for (const std::string& topic : retained_.TakeExpired(now)) KeepOne(DropRetained{topic});
  sweep_request_ = now;
  MayExpire(now);
}

void Broker::MayExpire(UtcTime now) {
  may_expire_ = true;
  if (sweep_alarm_) return;
  sweep_alarm_ = true;
  alarms_.Set(now + kSweepPeriod, AlarmKind::kSweep, 0);
}

void Broker::Expired(const std::vector<ExpiredRow>& rows) {
  for (const ExpiredRow& row : rows) {
    MessageQueue* queue = QueueOf(row.queue);
    // What is in memory is looked at when its turn comes.
    if (queue == nullptr || !queue->OnlyOnDisk(row.sequence)) continue;
    queue->ExpiredOnDisk(row.size);
    ++counters_.dropped_expired;
    if (const auto session = sessions_.find(row.queue); session != sessions_.end()) {
      std::erase_if(session->second->in_flight, [&row](const InFlight& flight) {
        return flight.source == row.queue && flight.entry.sequence == row.sequence;
      });
    }
  }
}

}  // namespace mig::mqtt
