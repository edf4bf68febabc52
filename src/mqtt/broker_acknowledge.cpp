// What receivers say of what was sent to them: PUBACK, PUBREC and PUBCOMP.
#include <algorithm>

#include "mqtt/broker.h"

namespace mig::mqtt {
namespace {

// What was sent on the present connection under this identifier. What was sent on an earlier one
// does not count until it is sent again: its row may be on its way from the store.
auto FindSent(Session& session, std::uint16_t packet_id) {
  const auto found = std::ranges::find(session.in_flight, packet_id, &InFlight::packet_id);
  if (found == session.in_flight.end()) return found;
  const bool is_sent = found->stage == InFlight::Stage::kReleased ||
                       (found->stage == InFlight::Stage::kSent && found->entry.message != nullptr);
  return is_sent ? found : session.in_flight.end();
}

}  // namespace

void Broker::HandlePubAck(Connection& connection, const Ack& ack, UtcTime now) {
  Session& session = *connection.session;
  const auto found = FindSent(session, ack.packet_id);
  if (found == session.in_flight.end()) return;  // late, after a restart: it does no harm
  if (found->entry.qos != Qos::kAtLeastOnce) {
    return Fail(connection, Reason::kProtocolError, "PUBACK for a message of QoS 2", now);
  }
  const InFlight flight = std::move(*found);
  session.in_flight.erase(found);
  --session.outstanding;
  // Acknowledged with a reason of failure is acknowledged: the receiver does not want it again
  // ([MQTT-4.4.0-2], [MQTT-4.8.2-6]).
  if (MessageQueue* source = QueueOf(flight.source)) {
    FinishEntry(*source, flight.entry.sequence, flight.message_id, flight.size);
  }
  Pump(session, now);
}

void Broker::HandlePubRec(Connection& connection, const Ack& ack, UtcTime now) {
  Session& session = *connection.session;
  const auto found = FindSent(session, ack.packet_id);
  Ack answer{PacketType::kPubRel, ack.packet_id, Reason::kSuccess, {}};
  if (found == session.in_flight.end()) {
    answer.reason = Reason::kPacketIdentifierNotFound;
    return SendBytes(connection, EncodeFor(connection, std::move(answer)));
  }
  if (found->entry.qos != Qos::kExactlyOnce) {
    return Fail(connection, Reason::kProtocolError, "PUBREC for a message of QoS 1", now);
  }
  std::uint64_t batch = 0;
  if (found->stage == InFlight::Stage::kSent) {
    const std::uint64_t sequence = found->entry.sequence;
    if (IsError(ack.reason)) {  // it does not want the message: that is the end of it
      FinishEntry(session.queue, sequence, found->message_id, found->size);
      if (session.durable()) KeepOne(DropSending{session.id(), ack.packet_id});
      session.in_flight.erase(found);
      --session.outstanding;
      return Pump(session, now);
    }
    session.queue.Done(found->size);
    found->stage = InFlight::Stage::kReleased;
    found->entry.message.reset();
    found->entry.identifiers = {};
    // PUBREL lets the receiver forget the identifier: never before we are sure not to send the
    // message again.
    if (session.durable()) {
      batch = KeepOne(PutReleased{session.id(), ack.packet_id, sequence, found->message_id});
    }
  }
  Waiting waiting;
  waiting.bytes = EncodeFor(connection, std::move(answer));
  Answer(connection, std::move(waiting), batch, now);
}

void Broker::HandlePubComp(Connection& connection, const Ack& ack, UtcTime now) {
  Session& session = *connection.session;
  const auto found = FindSent(session, ack.packet_id);
  if (found == session.in_flight.end() || found->stage != InFlight::Stage::kReleased) return;
  session.in_flight.erase(found);
  --session.outstanding;
  if (session.durable()) KeepOne(DropSending{session.id(), ack.packet_id});
  Pump(session, now);
}

}  // namespace mig::mqtt
