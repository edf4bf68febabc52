// SUBSCRIBE and UNSUBSCRIBE, groups of shared subscribers, and retained messages for newcomers.
#include <algorithm>

#include "mqtt/broker.h"
#include "mqtt/topic.h"

namespace mig::mqtt {

Reason Broker::CheckSubscription(const Connection& connection,
                                 const Subscribe::Entry& entry) const {
  if (!CheckFilter(entry.filter) || entry.filter.size() > limits_.topic_bytes ||
      CountLevels(entry.filter) > limits_.topic_levels) {
    return Reason::kTopicFilterInvalid;
  }
  if (!authoriser_.MaySubscribe(connection.peer, entry.filter)) return Reason::kNotAuthorized;
  const auto& subscriptions = connection.session->subscriptions;
  if (subscriptions.size() >= limits_.subscriptions && !subscriptions.contains(entry.filter)) {
    return Reason::kQuotaExceeded;
  }
  return Reason::kSuccess;
}

void Broker::HandleSubscribe(Connection& connection, Subscribe& subscribe, UtcTime now) {
  Session& session = *connection.session;
  for (const Subscribe::Entry& entry : subscribe.entries) {
    if (entry.options.no_local && entry.filter.starts_with("$share/")) {  // [MQTT-3.8.3-4]
      return Fail(connection, Reason::kProtocolError, "no local on a shared subscription", now);
    }
  }
  const std::uint32_t identifier =
      subscribe.properties.Number(PropertyId::kSubscriptionIdentifier).value_or(0);
  SubAck ack;
  ack.packet_id = subscribe.packet_id;
  Waiting waiting;
  waiting.kind = Waiting::Kind::kSubAck;
  std::uint64_t batch = 0;
  for (Subscribe::Entry& entry : subscribe.entries) {
    const Reason reason = CheckSubscription(connection, entry);
    if (IsError(reason)) {
      ++counters_.refused;
      AddRefusal("refused", reason, connection, "subscribe to " + Quoted(entry.filter));
      ack.reasons.push_back(reason);
      if (ack.properties.empty()) {
        ack.properties.Add(PropertyId::kReasonString,
                           Quoted(entry.filter) + ": " + std::string(ReasonName(reason)));
      }
      continue;
    }
    ack.reasons.push_back(static_cast<Reason>(entry.options.qos));
    const bool is_new = !session.subscriptions.contains(entry.filter);
    batch = std::max(batch,
                     AddSubscription(session, entry.filter,
                                     Subscription{session.id(), entry.options, identifier}, true));
    // Shared subscriptions get no retained messages (section 4.8.2).
    const RetainHandling handling = entry.options.retain_handling;
    if (!SplitShared(entry.filter) &&
        (handling == RetainHandling::kSend || (handling == RetainHandling::kSendIfNew && is_new))) {
      waiting.retained_for.push_back(entry.filter);
    }
  }
  waiting.bytes = EncodeFor(connection, std::move(ack));
  Answer(connection, std::move(waiting), batch, now);
}

void Broker::HandleUnsubscribe(Connection& connection, Unsubscribe& unsubscribe, UtcTime now) {
  Session& session = *connection.session;
  UnsubAck ack;
  ack.packet_id = unsubscribe.packet_id;
  std::uint64_t batch = 0;
  for (const std::string& filter : unsubscribe.filters) {
    if (!CheckFilter(filter)) {
      ack.reasons.push_back(Reason::kTopicFilterInvalid);
    } else if (!session.subscriptions.contains(filter)) {
      ack.reasons.push_back(Reason::kNoSubscriptionExisted);
    } else {
      batch = std::max(batch, RemoveSubscription(session, filter, true));
      ack.reasons.push_back(Reason::kSuccess);
    }
  }
  Waiting waiting;
  waiting.bytes = EncodeFor(connection, std::move(ack));
  Answer(connection, std::move(waiting), batch, now);
}

// These return the batch that makes the change final; 0: nothing is on disk. `keep` false: the
// store knows already, or drops it together with the session.
std::uint64_t Broker::AddSubscription(Session& session, const std::string& filter,
                                      const Subscription& subscription, bool keep) {
  std::uint64_t batch = 0;
  const bool is_new = session.subscriptions.insert_or_assign(filter, subscription).second;
  if (is_new) ++subscriptions_;
  if (SplitShared(filter)) {
    if (is_new) ++shared_subscriptions_;
    batch = JoinGroup(session, filter, subscription, keep);
  } else {
    tree_.Put(filter, subscription);
  }
  if (keep && session.durable()) {
    batch = KeepOne(
        PutSubscription{{session.id(), filter, subscription.options, subscription.identifier}});
  }
  return batch;
}

std::uint64_t Broker::RemoveSubscription(Session& session, std::string_view filter, bool keep) {
  const auto found = session.subscriptions.find(filter);
  if (found == session.subscriptions.end()) return 0;
  const std::string text = found->first;
  session.subscriptions.erase(found);
  --subscriptions_;
  std::uint64_t batch = 0;
  if (SplitShared(text)) {
    --shared_subscriptions_;
    batch = LeaveGroup(session, text);
  } else {
    tree_.Remove(text, session.id());
  }
  if (keep && session.durable()) batch = KeepOne(DropSubscription{session.id(), text});
  return batch;
}

std::uint64_t Broker::JoinGroup(Session& session, const std::string& filter,
                                const Subscription& subscription, bool keep) {
  std::uint64_t batch = 0;
  auto known = group_ids_.find(filter);
  if (known == group_ids_.end()) {
    const QueueId id = ++last_queue_;
    auto created = std::make_unique<ShareGroup>(id, queued_);
    created->filter = filter;
    groups_.emplace(id, std::move(created));
    known = group_ids_.emplace(filter, id).first;
  }
  ShareGroup& group = *groups_.at(known->second);
  if (session.durable() && !group.queue.durable()) {
    group.queue.MakeDurable();
    if (keep) batch = KeepOne(PutGroup{{known->second, filter}});
    const auto keep_entry = [&](const QueueEntry& entry) {
      KeepOne(Enqueue{entry.message,
                      {{group.queue.id(), entry.sequence, entry.qos, entry.message->retain, {}}}});
    };
    for (const QueueEntry& entry : group.queue.Window()) keep_entry(entry);
    for (const ShareGroup::Member& each : group.members) {
      for (const InFlight& flight : sessions_.at(each.session)->in_flight) {
        if (flight.source == group.queue.id()) keep_entry(flight.entry);
      }
    }
  }
  const auto member = std::ranges::find(group.members, session.id(), &ShareGroup::Member::session);
  const ShareGroup::Member wanted{session.id(), subscription.options, subscription.identifier};
  if (member == group.members.end()) {
    group.members.push_back(wanted);
    session.groups.push_back(known->second);
  } else {
    *member = wanted;
  }
  SetJointOptions(group);
  return batch;
}

// The group's queue holds messages at the highest QoS that a member wants, and with RETAIN as they
// were published; each member gets its own QoS at most, and RETAIN as it asked (PumpGroup).
void Broker::SetJointOptions(const ShareGroup& group) {
  Subscription joint;
  joint.subscriber = group.queue.id();
  joint.options.qos = Qos::kAtMostOnce;
  for (const ShareGroup::Member& each : group.members) {
    joint.options.qos = std::max(joint.options.qos, each.options.qos);
  }
  joint.options.retain_as_published = true;
  tree_.Put(SplitShared(group.filter)->filter, joint);
}

std::uint64_t Broker::LeaveGroup(Session& session, std::string_view filter) {
  const auto known = group_ids_.find(filter);
  if (known == group_ids_.end()) return 0;
  const QueueId id = known->second;
  ShareGroup& group = *groups_.at(id);
  // What it has begun to receive is its own from now on: the group may end before it acknowledges
  // [MQTT-3.10.4-3]. (Unless its own queue's tail is on disk, where nothing can be put before it:
  // then the group gets it back if it breaks off.)
  for (InFlight& flight : session.in_flight) {
    if (flight.source != id || !session.queue.TailInMemory()) continue;
    flight.entry = Adopt(session, group.queue, std::move(flight.entry));
    flight.source = session.id();
  }
  std::erase_if(group.members,
                [&session](const ShareGroup::Member& m) { return m.session == session.id(); });
  std::erase(session.groups, id);
  if (!group.members.empty()) {
    SetJointOptions(group);
    return 0;
  }
  tree_.Remove(SplitShared(group.filter)->filter, id);
  const bool durable = group.queue.durable();
  groups_.erase(id);
  group_ids_.erase(known);
  // A group lives in the store as long as it has a member; its row goes apart from the session's.
  return durable ? KeepOne(DropGroup{id}) : 0;
}

void Broker::SendRetained(Connection& connection, const std::vector<std::string>& filters,
                          UtcTime now) {
  Session& session = *connection.session;
  for (const std::string& filter : filters) {
    const auto found = session.subscriptions.find(filter);
    if (found == session.subscriptions.end()) continue;  // unsubscribed while the answer waited
    const Subscription subscription = found->second;
    SendSysTopics(session, filter, subscription, now);
    for (const RetainedRecord& retained : retained_.Match(filter, now)) {
      // Its publisher may have lost the right since.
      const Peer owner{retained.role, retained.peer_id, {}};
      if (!MayPublish(owner, retained.message->topic, true)) {
        ++counters_.refused;
        effects_.emplace_back(Note{.serious = true,
                                   .what = "retained message withheld",
                                   .reason = ReasonName(Reason::kNotAuthorized),
                                   .code = static_cast<std::uint8_t>(Reason::kNotAuthorized),
                                   .certificate = owner.Name(),
                                   .detail = retained.message->topic});
        continue;
      }
      SendRetainedOne(session, subscription, retained.message, now);
    }
  }
}

void Broker::SendRetainedOne(Session& session, const Subscription& subscription,
                             const MessageRef& message, UtcTime now) {
  QueueEntry entry;
  entry.message = message;
  entry.qos = std::min(message->qos, subscription.options.qos);
  entry.retain = true;  // [MQTT-3.3.1-8]
  if (subscription.identifier != 0) entry.identifiers.push_back(subscription.identifier);
  if (entry.qos == Qos::kAtMostOnce) {
    return SendQos0(session, message, true, entry.identifiers, now);
  }
  std::vector<Destination> rows;
  const Delivery delivery = Enter(session.queue, session.connection != 0,
                                  authoriser_.IsService(session.owner), std::move(entry), rows);
  if (delivery == Delivery::kDone) PumpOwn(session, now);
  if (delivery == Delivery::kStored) KeepRows(message, std::move(rows), now);
}

}  // namespace mig::mqtt
