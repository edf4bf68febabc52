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

void Broker::HandlePublish(Connection& connection, Publish& publish, UtcTime now) {
  if (publish.qos == Qos::kExactlyOnce) {  // Maximum QoS 1 was announced [MQTT-3.2.2-11]
    return Fail(connection, Reason::kQosNotSupported, "QoS 2", now);
  }
  if (auto ok = publish.topic.empty() ? Expected<void>() : CheckTopicName(publish.topic); !ok) {
    return Fail(connection, Reason::kTopicNameInvalid, ok.error().message(), now);
  }
  if (publish.topic.size() > limits_.topic_bytes ||
      CountLevels(publish.topic) > limits_.topic_levels) {
    return Fail(connection, Reason::kTopicNameInvalid, "topic name too long", now);
  }
  if (!ResolveAlias(connection, publish, now)) return;
  if (publish.properties.Find(PropertyId::kSubscriptionIdentifier) != nullptr) {
    return Fail(connection, Reason::kProtocolError, "a subscription identifier from a client",
                now);  // [MQTT-3.3.4-6]
  }
  if (const auto response = publish.properties.Text(PropertyId::kResponseTopic);
      response && !CheckTopicName(*response)) {
    return Fail(connection, Reason::kProtocolError, "response topic", now);  // [MQTT-3.3.2-14]
  }
  std::size_t user_properties = 0;
  if (UserPropertyBytes(publish.properties, user_properties) > limits_.user_property_bytes ||
      user_properties > limits_.user_properties) {
    return Fail(connection, Reason::kQuotaExceeded, "too many user properties", now);
  }

  const bool wants_ack = publish.qos == Qos::kAtLeastOnce;
  if (wants_ack) {
    if (connection.version == Version::k5 &&
        connection.unacknowledged >= limits_.receive_maximum) {  // section 4.9
      return Fail(connection, Reason::kReceiveMaximumExceeded, {}, now);
    }
    ++connection.unacknowledged;
  }

  Reason reason = Reason::kSuccess;
  std::uint64_t batch = 0;
  if (!authoriser_.MayPublish(connection.peer, publish.topic, publish.retain)) {
    ++counters_.refused;
    // 3.1.1 cannot say no: the connection is closed (section 3.3.5 there).
    if (connection.version == Version::k311) {
      return Fail(connection, Reason::kNotAuthorized, "publish to `" + publish.topic + "`", now);
    }
    AddRefusal("refused", Reason::kNotAuthorized, connection, "publish to `" + publish.topic + "`");
    reason = Reason::kNotAuthorized;
  } else {
    auto message = std::make_shared<Message>();
    message->id = ++last_message_;
    message->topic = std::move(publish.topic);
    message->payload = std::move(publish.payload);
    message->properties = ForwardedProperties(publish.properties);
    message->qos = publish.qos;
    message->retain = publish.retain;
    if (const auto expiry = publish.properties.Number(PropertyId::kMessageExpiryInterval)) {
      message->expires_at = now + std::chrono::seconds(*expiry);
    }
    const Outcome outcome = Accept(message, connection.session, now);
    batch = outcome.batch;
    if (outcome.full && connection.version == Version::k5) {
      reason = Reason::kQuotaExceeded;  // somebody did not get it: that is no success
    } else if (!outcome.matched && connection.version == Version::k5) {
      reason = Reason::kNoMatchingSubscribers;
    }
  }
  if (!wants_ack) return;
  Waiting waiting;
  waiting.bytes =
      Encode(Ack{PacketType::kPubAck, publish.packet_id, reason, {}}, connection.version);
  waiting.is_puback = true;
  Answer(connection, std::move(waiting), batch, now);
}

Broker::Outcome Broker::Accept(const MessageRef& message, const Session* publisher, UtcTime now) {
  ++counters_.published;
  Outcome outcome;
  if (message->retain) Retain(message, outcome, now);
  Route(message, publisher, outcome, now);
  return outcome;
}

void Broker::Retain(const MessageRef& message, Outcome& outcome, UtcTime now) {
  if (message->payload.empty()) {  // "any existing retained message is removed" [MQTT-3.3.1-6]
    if (retained_.Remove(message->topic)) {
      outcome.batch = KeepOne(DropRetained{message->topic});
    }
  } else if (retained_.Put(message)) {
    outcome.batch = KeepOne(PutRetained{{message, {}, {}}});
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
  const auto deliver = [&](const Subscription& subscription,
                           std::vector<std::uint32_t> identifiers) {
    if (subscription.options.no_local && publisher != nullptr &&
        subscription.subscriber == publisher->id()) {
      return;  // [MQTT-3.8.3-3]
    }
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
      deliver(subscription, identifiers_of(subscription));
    }
  } else if (matches_.size() > 1) {
    // A client with several filters that match gets one copy, with the highest QoS of them and all
    // their identifiers (section 3.3.4).
    std::vector<Subscription> all;
    for (const auto& list : matches_) all.insert(all.end(), list.begin(), list.end());
    std::ranges::stable_sort(all, {}, &Subscription::subscriber);
    for (std::size_t i = 0; i < all.size();) {
      Subscription merged = all[i];
      std::vector<std::uint32_t> identifiers = identifiers_of(merged);
      for (++i; i < all.size() && all[i].subscriber == merged.subscriber; ++i) {
        merged.options.qos = std::max(merged.options.qos, all[i].options.qos);
        merged.options.no_local = merged.options.no_local && all[i].options.no_local;
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
      SendQos0(session, message, retain, entry.identifiers, now);
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
    Session* session = NextMember(group, member);
    if (session == nullptr) return Delivery::kSkipped;
    const std::uint32_t identifier = member->identifier;
    SendQos0(*session, message, retain,
             identifier == 0 ? std::span<const std::uint32_t>() : std::span(&identifier, 1), now);
    return Delivery::kDone;
  }
  const Delivery delivery = Enter(group.queue, HasReader(group), true, std::move(entry), rows);
  if (delivery == Delivery::kDone) PumpGroup(group, now);
  return delivery;
}

Broker::Delivery Broker::Enter(MessageQueue& queue, bool reading, bool is_service, QueueEntry entry,
                               std::vector<Destination>& rows) {
  const std::size_t max_messages =
      is_service ? limits_.service_queue_messages : limits_.queue_messages;
  const std::size_t max_bytes = is_service ? limits_.service_queue_bytes : limits_.queue_bytes;
  const std::size_t size = entry.message->Size();
  if (queue.messages() >= max_messages || queue.bytes() + size > max_bytes ||
      queued_.messages >= limits_.total_queue_messages ||
      queued_.bytes + size > limits_.total_queue_bytes) {
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
  CloseBatch();  // what it may delete is asked for before
  effects_.emplace_back(Sweep{now});
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
