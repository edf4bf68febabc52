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

void Broker::SendQos0(Session& session, const MessageRef& message, bool retain,
                      std::span<const std::uint32_t> identifiers, UtcTime now) {
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
  Send send;
  send.connection = connection->id;
  send.frame =
      frames_.Get(message, {connection->version, Qos::kAtMostOnce, retain, identifiers}, now);
  // "Where a Packet is too large to send, the Server MUST discard it" [MQTT-3.1.2-25]
  if (send.frame->bytes.size() > connection->max_packet_bytes) return;
  connection->unsent_bytes += send.frame->bytes.size();
  ++counters_.delivered;
  effects_.emplace_back(std::move(send));
}

void Broker::FinishEntry(MessageQueue& queue, std::uint64_t sequence, MessageId message,
                         std::size_t size) {
  queue.Done(size);
  if (queue.durable()) KeepOne(Dequeue{queue.id(), sequence, message});
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
  if (entry.qos == Qos::kAtMostOnce) {  // a group's member that wants no more
    SendQos0(session, entry.message, entry.retain, entry.identifiers, now);
    return FinishEntry(source, entry.sequence, message_id, size);
  }
  Send send;
  send.connection = connection.id;
  send.frame = frames_.Get(entry.message,
                           {connection.version, entry.qos, entry.retain, entry.identifiers}, now);
  if (send.frame->bytes.size() > connection.max_packet_bytes) {
    return FinishEntry(source, entry.sequence, message_id, size);  // [MQTT-3.1.2-25]
  }
  // The next identifier that is free; at most `in_flight` of 65,535 are not.
  const auto in_use = [&session](std::uint16_t id) {
    return std::ranges::find(session.in_flight, id, &InFlight::packet_id) !=
           session.in_flight.end();
  };
  do {
    ++session.last_packet_id;
  } while (session.last_packet_id == 0 || in_use(session.last_packet_id));
  send.packet_id = session.last_packet_id;
  connection.unsent_bytes += send.frame->bytes.size();
  ++counters_.delivered;
  ++session.outstanding;
  effects_.emplace_back(std::move(send));

  InFlight flight;
  flight.packet_id = session.last_packet_id;
  flight.source = source.id();
  flight.entry = std::move(entry);
  flight.message_id = message_id;
  flight.size = size;
  session.in_flight.push_back(std::move(flight));
}

// Sends again what the session had in flight when its connection broke, "using their original
// Packet Identifiers" [MQTT-4.4.0-1]. False: the entry is not of that kind.
bool Broker::Resend(Session& session, QueueEntry& entry, UtcTime now) {
  const auto flight = std::ranges::find_if(session.in_flight, [&](const InFlight& f) {
    return f.source == session.id() && f.entry.message == nullptr &&
           f.entry.sequence == entry.sequence;
  });
  if (flight == session.in_flight.end()) return false;
  Connection& connection = *ConnectionOf(session);
  Send send;
  send.connection = connection.id;
  send.frame = frames_.Get(entry.message,
                           {connection.version, entry.qos, entry.retain, entry.identifiers}, now);
  if (entry.message->Expired(now) || send.frame->bytes.size() > connection.max_packet_bytes) {
    FinishEntry(session.queue, entry.sequence, flight->message_id, flight->size);
    session.in_flight.erase(flight);
    return true;
  }
  send.packet_id = flight->packet_id;
  send.dup = true;
  connection.unsent_bytes += send.frame->bytes.size();
  ++counters_.delivered;
  ++session.outstanding;
  flight->entry = std::move(entry);
  effects_.emplace_back(std::move(send));
  return true;
}

void Broker::HandlePubAck(Connection& connection, const Ack& ack, UtcTime now) {
  Session& session = *connection.session;
  const auto found = std::ranges::find(session.in_flight, ack.packet_id, &InFlight::packet_id);
  if (found == session.in_flight.end()) return;  // late, after a restart: it does no harm
  if (found->entry.message != nullptr) --session.outstanding;
  const InFlight flight = std::move(*found);
  session.in_flight.erase(found);
  // Acknowledged with a reason of failure is acknowledged: the receiver does not want it again.
  if (MessageQueue* source = QueueOf(flight.source)) {
    FinishEntry(*source, flight.entry.sequence, flight.message_id, flight.size);
  }
  Pump(session, now);
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
Session* Broker::NextMember(ShareGroup& group, const ShareGroup::Member*& member) {
  for (std::size_t i = 0; i < group.members.size(); ++i) {
    group.next = (group.next + 1) % group.members.size();
    member = &group.members[group.next];
    const auto found = sessions_.find(member->session);
    if (found != sessions_.end() && CanTake(*found->second)) return found->second.get();
  }
  return nullptr;
}

void Broker::PumpGroup(ShareGroup& group, UtcTime now) {
  while (group.queue.Front() != nullptr) {
    const ShareGroup::Member* member = nullptr;
    Session* session = NextMember(group, member);
    if (session == nullptr) break;
    auto entry = group.queue.Pop();
    entry->qos = std::min(entry->qos, member->options.qos);
    entry->identifiers.clear();
    if (member->identifier != 0) entry->identifiers.push_back(member->identifier);
    SendEntry(*session, group.queue, std::move(*entry), now);
  }
  if (HasReader(group)) AskForPage(group.queue);
}

void Broker::AskForPage(MessageQueue& queue) {
  if (!queue.NeedsPage()) return;
  queue.AskedForPage();
  CloseBatch();  // the store must have the rows before it reads them
  effects_.emplace_back(ReadPage{{queue.id(), queue.PageAfter(), kPageEntries}});
}

void Broker::Paged(Page page, UtcTime now) {
  MessageQueue* queue = QueueOf(page.request.queue);
  if (queue == nullptr || !queue->Paged(page.request.after, std::move(page.rows))) return;
  if (const auto session = sessions_.find(page.request.queue); session != sessions_.end()) {
    PumpOwn(*session->second, now);
  } else if (const auto group = groups_.find(page.request.queue); group != groups_.end()) {
    PumpGroup(*group->second, now);
  }
}

}  // namespace mig::mqtt
