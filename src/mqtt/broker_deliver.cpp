// From a queue to its receiver: what is in flight, acknowledgements, pages from the store, and
// whose turn it is in a group of shared subscribers.
#include <algorithm>
#include <cassert>

#include "mqtt/broker.h"

namespace mig::mqtt {

MessageQueue* Broker::QueueOf(QueueId id) {
  if (const auto session = sessions_.find(id); session != sessions_.end()) {
    return &session->second->queue;
  }
  const auto group = groups_.find(id);
  return group == groups_.end() ? nullptr : &group->second->queue;
}

bool Broker::CanTake(const Session& session) {
  const Connection* connection = ConnectionOf(session);
  return connection != nullptr && connection->state == ConnectionState::kConnected &&
         session.outstanding < connection->in_flight_limit &&
         connection->unsent_bytes < limits_.unsent_bytes;
}

// Exactly once ties a message to one member (Adopt), which its own queue must be able to follow.
bool Broker::CanTakeFromGroup(const Session& session, Qos qos) {
  return CanTake(session) && (qos != Qos::kExactlyOnce || session.queue.TailInMemory());
}

// "Where a Packet is too large to send, the Server MUST discard it" [MQTT-3.1.2-25]
bool Broker::Fits(const Connection& connection, const QueueEntry& entry, UtcTime now) {
  if (connection.max_packet_bytes == 0xFFFFFFFF) return true;
  const DeliveryForm form{connection.version, entry.qos, entry.retain, entry.identifiers};
  return frames_.Get(entry.message, form, now)->bytes.size() <= connection.max_packet_bytes;
}

// Topic aliases go to the topics that come first; they are kept as long as the connection.
void Broker::SetAlias(Connection& connection, const std::string& topic, DeliveryForm& form) {
  std::vector<std::string>& known = connection.sent_aliases;
  const auto found = std::ranges::find(known, topic);
  form.alias_known = found != known.end();
  if (!form.alias_known) {
    if (known.size() >= connection.alias_limit) return;
    known.push_back(topic);
    form.alias = static_cast<std::uint16_t>(known.size());
  } else {
    form.alias = static_cast<std::uint16_t>(found - known.begin() + 1);
  }
}

// Requires: Fits().
void Broker::SendPublish(Connection& connection, const QueueEntry& entry, std::uint16_t packet_id,
                         bool dup, UtcTime now) {
  DeliveryForm form{connection.version, entry.qos, entry.retain, entry.identifiers};
  if (connection.alias_limit > 0) SetAlias(connection, entry.message->topic, form);
  Send send;
  send.connection = connection.id;
  send.frame = frames_.Get(entry.message, form, now);
  if (send.frame->bytes.size() > connection.max_packet_bytes) {
    // The alias makes it too large, beside its topic or in place of a short one.
    if (!form.alias_known) connection.sent_aliases.pop_back();
    form.alias = 0;
    form.alias_known = false;
    send.frame = frames_.Get(entry.message, form, now);
  }
  send.packet_id = packet_id;
  send.dup = dup;
  connection.unsent_bytes += send.frame->bytes.size();
  ++counters_.delivered;
  counters_.delivered_bytes += entry.message->payload.size();
  ++counters_.packets_sent;
  counters_.bytes_sent += send.frame->bytes.size();
  effects_.emplace_back(std::move(send));
}

void Broker::SendQos0(Session& session, const MessageRef& message, bool retain,
                      std::vector<std::uint32_t> identifiers, UtcTime now) {
  Connection* connection = ConnectionOf(session);
  if (connection == nullptr || connection->state != ConnectionState::kConnected) return;
  if (message->Expired(now)) {
    ++counters_.dropped_expired;
    return;
  }
  if (connection->unsent_bytes >= limits_.unsent_bytes) {
    ++counters_.dropped_slow;
    return;
  }
  const QueueEntry entry{0, message, Qos::kAtMostOnce, retain, std::move(identifiers)};
  if (Fits(*connection, entry, now)) SendPublish(*connection, entry, 0, false, now);
}

void Broker::FinishEntry(MessageQueue& queue, std::uint64_t sequence, MessageId message,
                         std::size_t size) {
  queue.Done(size);
  if (queue.durable()) KeepOne(Dequeue{queue.id(), sequence, message});
}

// A group's QoS 2 message belongs to the member to whom it is sent, and to nobody else from then
// on ([MQTT-4.8.2-4], [MQTT-4.8.2-5]): it moves into that member's own queue.
QueueEntry Broker::Adopt(Session& session, MessageQueue& group, QueueEntry entry) {
  const std::uint64_t old = entry.sequence;
  const std::size_t size = entry.message->Size();
  entry.sequence = session.queue.NextSequence();
  session.queue.Adopt(entry.sequence, size);
  if (session.durable()) {
    KeepOne(Enqueue{entry.message,
                    {{session.id(), entry.sequence, entry.qos, entry.retain, entry.identifiers}}});
  }
  FinishEntry(group, old, entry.message->id, size);
  return entry;
}

// Sends one entry of the session's own queue or of a group's. Requires: CanTake(session).
void Broker::SendEntry(Session& session, MessageQueue& source, QueueEntry entry, UtcTime now) {
  Connection& connection = *ConnectionOf(session);
  const std::size_t size = entry.message->Size();
  const MessageId message_id = entry.message->id;
  if (entry.message->Expired(now)) {
    ++counters_.dropped_expired;
    return FinishEntry(source, entry.sequence, message_id, size);
  }
  if (session.lost_a_right && source.id() == session.id() &&
      !authoriser_.MaySubscribe(session.owner, entry.message->topic)) {
    ++counters_.refused;
    return FinishEntry(source, entry.sequence, message_id, size);
  }
  if (entry.qos == Qos::kAtMostOnce) {  // a group's member that wants no more
    SendQos0(session, entry.message, entry.retain, entry.identifiers, now);
    return FinishEntry(source, entry.sequence, message_id, size);
  }
  if (!Fits(connection, entry, now)) {
    return FinishEntry(source, entry.sequence, message_id, size);
  }
  const bool is_qos2 = entry.qos == Qos::kExactlyOnce;
  InFlight flight;
  flight.source = is_qos2 ? session.id() : source.id();
  if (flight.source != source.id()) entry = Adopt(session, source, std::move(entry));
  // The next identifier that is free; at most `in_flight` of 65,535 are not.
  const auto in_use = [&session](std::uint16_t id) {
    return std::ranges::find(session.in_flight, id, &InFlight::packet_id) !=
           session.in_flight.end();
  };
  do {
    ++session.last_packet_id;
  } while (session.last_packet_id == 0 || in_use(session.last_packet_id));
  flight.packet_id = session.last_packet_id;
  flight.message_id = message_id;
  flight.size = size;
  flight.entry = std::move(entry);
  ++session.outstanding;
  if (is_qos2 && session.durable()) {
    // After a crash the receiver must get it under the same identifier, or it would take it twice.
    flight.stage = InFlight::Stage::kCommitting;
    const std::uint64_t batch =
        KeepOne(PutSending{session.id(), flight.packet_id, flight.entry.sequence});
    Waiting waiting;
    waiting.kind = Waiting::Kind::kPublish;
    waiting.packet_id = flight.packet_id;
    session.in_flight.push_back(std::move(flight));
    return Answer(connection, std::move(waiting), batch, now);
  }
  SendPublish(connection, flight.entry, flight.packet_id, false, now);
  session.in_flight.push_back(std::move(flight));
}

// Sends again what the session had in flight when its connection broke, "using their original
// Packet Identifiers" [MQTT-4.4.0-1]. False: the entry is not of that kind.
bool Broker::Resend(Session& session, QueueEntry& entry, UtcTime now) {
  const auto flight = std::ranges::find_if(session.in_flight, [&](const InFlight& f) {
    return f.source == session.id() && f.stage != InFlight::Stage::kReleased &&
           f.entry.message == nullptr && f.entry.sequence == entry.sequence;
  });
  if (flight == session.in_flight.end()) return false;
  Connection& connection = *ConnectionOf(session);
  const bool is_qos2 = entry.qos == Qos::kExactlyOnce;
  // What expires under way of QoS 2 goes on: its receiver knows the identifier, and would take the
  // next message under it for this one.
  if ((entry.message->Expired(now) && !is_qos2) || !Fits(connection, entry, now)) {
    FinishEntry(session.queue, entry.sequence, flight->message_id, flight->size);
    if (is_qos2 && session.durable()) KeepOne(DropSending{session.id(), flight->packet_id});
    session.in_flight.erase(flight);
    return true;
  }
  ++session.outstanding;
  flight->entry = std::move(entry);
  SendPublish(connection, flight->entry, flight->packet_id, flight->repeated, now);
  return true;
}

// Says again what was released when the connection broke.
void Broker::SendReleases(Session& session, Connection& connection) {
  for (const InFlight& flight : session.in_flight) {
    if (flight.stage != InFlight::Stage::kReleased) continue;
    ++session.outstanding;
    SendPacket(connection, Ack{PacketType::kPubRel, flight.packet_id, Reason::kSuccess, {}});
  }
}

void Broker::Pump(Session& session, UtcTime now) {
  PumpOwn(session, now);
  for (const QueueId id : session.groups) {
    if (const auto group = groups_.find(id); group != groups_.end()) {
      PumpGroup(*group->second, now);
    }
  }
}

void Broker::PumpOwn(Session& session, UtcTime now) {
  while (CanTake(session)) {
    auto entry = session.queue.Pop();
    if (!entry) break;
    if (!Resend(session, *entry, now)) SendEntry(session, session.queue, std::move(*entry), now);
  }
  const Connection* connection = ConnectionOf(session);
  if (connection != nullptr && connection->state == ConnectionState::kConnected) {
    AskForPage(session.queue);
  }
}

bool Broker::HasReader(const ShareGroup& group) {
  return std::ranges::any_of(group.members, [this](const ShareGroup::Member& member) {
    const auto session = sessions_.find(member.session);
    return session != sessions_.end() && session->second->connection != 0;
  });
}

// The next in turn who can take a message; null if none.
Session* Broker::NextMember(ShareGroup& group, Qos qos, const ShareGroup::Member*& member) {
  for (std::size_t i = 0; i < group.members.size(); ++i) {
    group.next = (group.next + 1) % group.members.size();
    member = &group.members[group.next];
    const auto found = sessions_.find(member->session);
    if (found == sessions_.end()) continue;
    if (CanTakeFromGroup(*found->second, std::min(qos, member->options.qos))) {
      return found->second.get();
    }
  }
  return nullptr;
}

void Broker::PumpGroup(ShareGroup& group, UtcTime now) {
  while (const QueueEntry* front = group.queue.Front()) {
    const ShareGroup::Member* member = nullptr;
    Session* session = NextMember(group, front->qos, member);
    if (session == nullptr) break;
    auto entry = group.queue.Pop();
    entry->qos = std::min(entry->qos, member->options.qos);
    entry->retain = member->options.retain_as_published && entry->message->retain;
    entry->identifiers.clear();
    if (member->identifier != 0) entry->identifiers.push_back(member->identifier);
    SendEntry(*session, group.queue, std::move(*entry), now);
  }
  if (HasReader(group)) AskForPage(group.queue);
}

void Broker::AskForPage(MessageQueue& queue) {
  if (!queue.NeedsPage()) return;
  queue.AskedForPage();
  page_requests_.push_back({queue.id(), queue.PageAfter(), kPageEntries});
}

void Broker::Paged(Page page, UtcTime now) {
  MessageQueue* queue = QueueOf(page.request.queue);
  if (queue == nullptr || !queue->Paged(page.request.after, std::move(page.rows))) return;
  if (const auto session = sessions_.find(page.request.queue); session != sessions_.end()) {
    Pump(*session->second, now);  // its groups too: they may have waited for its tail
  } else if (const auto group = groups_.find(page.request.queue); group != groups_.end()) {
    PumpGroup(*group->second, now);
  }
}

}  // namespace mig::mqtt
