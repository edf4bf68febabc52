#include "mqtt/broker.h"

#include <algorithm>
#include <cassert>
#include <type_traits>
#include <utility>

namespace mig::mqtt {
namespace {

// 3.1.1 has no Receive Maximum; so many messages of one client may wait for the store before it is
// not read any more.
constexpr std::size_t kUnacknowledged311 = 1024;

// A connection's alarm is at most this far away, so that alarms of connections that are gone do not
// pile up.
constexpr std::chrono::seconds kFarthestAlarm{60};

// Of a CONNECT that does not decode: whether its sender would understand an answer of 5.0.
bool SaysVersion5(BytesView connect) {
  using namespace std::string_view_literals;
  const auto header = ReadFixedHeader(connect);
  return header && *header && connect.substr((*header)->header_bytes).starts_with("\0\4MQTT\5"sv);
}

}  // namespace

Broker::Broker(const Authoriser& authoriser, Options options)
    : authoriser_(authoriser),
      options_(std::move(options)),
      limits_(options_.limits),
      retained_(limits_.retained_messages, limits_.retained_bytes) {}

Broker::~Broker() = default;

Connection* Broker::Find(ConnectionId id) {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : found->second.get();
}

bool Broker::Knows(ConnectionId id) const {
  const auto found = connections_.find(id);
  return found != connections_.end() && found->second->session != nullptr;
}

std::string Broker::ClientOf(ConnectionId id) const {
  const auto found = connections_.find(id);
  if (found == connections_.end() || found->second->session == nullptr) return {};
  return found->second->session->client_id;
}

Connection* Broker::ConnectionOf(const Session& session) {
  return session.connection == 0 ? nullptr : Find(session.connection);
}

void Broker::Open(ConnectionId id, Peer peer, UtcTime now) {
  auto connection = std::make_unique<Connection>();
  connection->id = id;
  connection->peer = std::move(peer);
  connection->last_heard = now;
  connection->silence_limit = limits_.connect_within;
  alarms_.Set(now + limits_.connect_within, AlarmKind::kConnection, id);
  [[maybe_unused]] const bool is_new = connections_.emplace(id, std::move(connection)).second;
  ++counters_.opened;
  assert(is_new);  // the rim never uses an id twice
}

bool Broker::Receive(ConnectionId id, BytesView bytes, UtcTime now) {
  Connection* connection = Find(id);
  if (connection == nullptr) return false;
  is_waited_for_ = false;
  counters_.bytes_received += bytes.size();
  if (connection->partial.empty()) {
    const std::size_t used = Process(id, bytes, now);
    bytes.remove_prefix(used);
    connection = Find(id);
    if (connection == nullptr) return false;
    if (bytes.empty()) return is_waited_for_;
    connection->partial.assign(bytes);
    partial_bytes_ += bytes.size();
  } else {
    // The buffer grows by what has arrived, never by what a header announces.
    connection->partial.append(bytes);
    partial_bytes_ += bytes.size();
    // Handling a packet may destroy the connection, hence its buffer.
    Bytes buffer = std::move(connection->partial);
    connection->partial.clear();
    partial_bytes_ -= buffer.size();
    const std::size_t used = Process(id, buffer, now);
    connection = Find(id);
    if (connection == nullptr) return false;
    if (used == buffer.size()) return is_waited_for_;
    buffer.erase(0, used);
    partial_bytes_ += buffer.size();
    connection->partial = std::move(buffer);
  }
  if (partial_bytes_ > limits_.partial_bytes) FailHoarder(*connection, now);
  return true;
}

// Closes whoever holds most of the memory for incomplete packets; not who happens to come last,
// or a few with a megabyte each would keep out everybody else.
void Broker::FailHoarder(Connection& last, UtcTime now) {
  Connection* most = &last;
  for (const auto& [id, connection] : connections_) {
    if (connection->partial.size() > most->partial.size()) most = connection.get();
  }
  Fail(*most, Reason::kQuotaExceeded, "incomplete packets use up their memory", now);
}

std::size_t Broker::Process(ConnectionId id, BytesView bytes, UtcTime now) {
  std::size_t used = 0;
  while (used < bytes.size()) {
    Connection* connection = Find(id);
    if (connection == nullptr) break;
    const auto header = ReadFixedHeader(bytes.substr(used));
    if (!header) {
      Fail(*connection, Reason::kMalformedPacket, header.error().message(), now);
      break;
    }
    if (connection->state == ConnectionState::kNew &&
        static_cast<std::uint8_t>(bytes[used]) >> 4 !=
            static_cast<std::uint8_t>(PacketType::kConnect)) {
      // Another protocol, perhaps: it gets no answer.
      Fail(*connection, Reason::kProtocolError, "the first packet is not CONNECT", now);
      break;
    }
    if (!*header) break;
    if (connection->state != ConnectionState::kNew && (*header)->type() == PacketType::kConnect) {
      // Whatever it says: its version is no longer the question [MQTT-3.1.0-2].
      Fail(*connection, Reason::kProtocolError, "a second CONNECT", now);
      break;
    }
    const bool is_new = connection->state == ConnectionState::kNew;
    const std::size_t limit = is_new ? limits_.connect_bytes : limits_.packet_bytes;
    const std::size_t size = (*header)->PacketBytes();
    if (size > limit) {
      Fail(*connection, Reason::kPacketTooLarge,
           "a packet of " + std::to_string(size) + " bytes; the limit is " + std::to_string(limit),
           now);
      break;
    }
    if (bytes.size() - used < size) break;
    if (MustWait(*connection, (*header)->type())) {
      Pause(*connection, std::nullopt);
      break;
    }
    if (MustSlowDown(*connection, **header, now)) break;
    connection->last_heard = now;
    ++counters_.packets_received;
    // After QoS 0 nobody waits.
    is_waited_for_ = is_waited_for_ || (*header)->type() != PacketType::kPublish ||
                     ((*header)->first_byte & 0x06) != 0;
    Handle(*connection, bytes.substr(used, size), now);
    used += size;
  }
  return used;
}

bool Broker::MustWait(const Connection& connection, PacketType type) const {
  if (connection.state == ConnectionState::kCommitting) return true;
  if (type != PacketType::kPublish) return false;  // acknowledgements and pings always pass
  return uncommitted_operations_ + open_batch_.size() >= limits_.uncommitted ||
         (connection.version == Version::k311 && connection.unacknowledged >= kUnacknowledged311);
}

// Who publishes faster than it may is not read for a while: TCP tells it to wait, and nothing is
// lost. Whoever may go on has used up what the packet costs.
bool Broker::MustSlowDown(Connection& connection, const FixedHeader& header, UtcTime now) {
  const PacketType type = header.type();
  if (type != PacketType::kPublish && type != PacketType::kSubscribe &&
      type != PacketType::kUnsubscribe) {
    return false;
  }
  const Rate messages{limits_.publish_messages_per_second, limits_.publish_burst};
  const Rate bytes{limits_.publish_bytes_per_second, limits_.publish_burst};
  if ((!messages.bounded() && !bytes.bounded()) || authoriser_.IsService(connection.peer)) {
    return false;
  }
  Session& session = *connection.session;
  const auto wait = std::max(session.messages.Wait(messages, now), session.bytes.Wait(bytes, now));
  if (wait.count() == 0) {
    session.messages.Use(messages, 1, now);
    session.bytes.Use(bytes, header.PacketBytes(), now);
    return false;
  }
  ++counters_.slowed_down;
  Pause(connection, now + wait);
  return true;
}

// Until then, or until the store has caught up.
void Broker::Pause(Connection& connection, std::optional<UtcTime> until) {
  if (connection.paused) return;
  connection.paused = true;
  if (until) {
    alarms_.Set(*until, AlarmKind::kPaced, connection.id);
  } else {
    paused_.push_back(connection.id);
  }
  effects_.emplace_back(SetReading{connection.id, false});
}

void Broker::Resume(ConnectionId id, UtcTime now) {
  Connection* connection = Find(id);
  if (connection == nullptr || !connection->paused) return;
  connection->paused = false;
  if (!connection->partial.empty()) Receive(id, {}, now);  // pauses again if it must
  connection = Find(id);
  if (connection != nullptr && !connection->paused) {
    effects_.emplace_back(SetReading{id, true});
  }
}

void Broker::ResumePaused(UtcTime now) {
  for (const ConnectionId id : std::exchange(paused_, {})) Resume(id, now);
}

void Broker::Handle(Connection& connection, BytesView packet, UtcTime now) {
  auto decoded = Decode(packet, connection.version);
  if (decoded) {
    HandlePacket(connection, *decoded, now);
    return;
  }
  const Reason reason = ReasonOf(decoded.error());
  if (connection.state == ConnectionState::kNew && decoded.error().code() == Errc::kUnsupported) {
    // The one answer that clients of all versions understand (3.1.1 section 3.1.2.2).
    SendBytes(connection, Encode(ConnAck{false, 1, {}}, Version::k311));
  } else if (connection.state == ConnectionState::kNew && SaysVersion5(packet)) {
    // 5.0 section 4.13.1; 3.1.1 has no code for it, and closes.
    SendBytes(connection,
              Encode(ConnAck{false, static_cast<std::uint8_t>(reason), {}}, Version::k5));
  }
  Fail(connection, reason, decoded.error().message(), now);
}

void Broker::HandlePacket(Connection& connection, Packet& packet, UtcTime now) {
  if (auto* connect = std::get_if<Connect>(&packet)) {
    return HandleConnect(connection, *connect, now);
  }
  if (auto* publish = std::get_if<Publish>(&packet)) {
    return HandlePublish(connection, *publish, now);
  }
  if (const auto* ack = std::get_if<Ack>(&packet)) {
    switch (ack->type) {
      case PacketType::kPubAck:
        return HandlePubAck(connection, *ack, now);
      case PacketType::kPubRec:
        return HandlePubRec(connection, *ack, now);
      case PacketType::kPubRel:
        return HandlePubRel(connection, *ack, now);
      default:
        return HandlePubComp(connection, *ack, now);
    }
  }
  if (auto* subscribe = std::get_if<Subscribe>(&packet)) {
    return HandleSubscribe(connection, *subscribe, now);
  }
  if (auto* unsubscribe = std::get_if<Unsubscribe>(&packet)) {
    return HandleUnsubscribe(connection, *unsubscribe, now);
  }
  if (std::holds_alternative<PingReq>(packet)) return SendPacket(connection, PingResp{});
  if (const auto* disconnect = std::get_if<Disconnect>(&packet)) {
    return HandleDisconnect(connection, *disconnect, now);
  }
  if (std::holds_alternative<Auth>(packet)) {
    return Fail(connection, Reason::kProtocolError, "AUTH without an authentication method", now);
  }
  Fail(connection, Reason::kProtocolError, "a packet that only servers send", now);
}

void Broker::HandleDisconnect(Connection& connection, const Disconnect& disconnect, UtcTime now) {
  Session& session = *connection.session;
  if (const auto wanted = disconnect.properties.Number(PropertyId::kSessionExpiryInterval)) {
    if (session.expiry.count() == 0 && *wanted != 0) {  // section 3.14.2.2.2
      return Fail(connection, Reason::kProtocolError, "a session expiry where there was none", now);
    }
    session.expiry = std::min(std::chrono::seconds(*wanted), limits_.max_session_expiry);
  }
  const bool clean = disconnect.reason == Reason::kSuccess;
  const ConnectionId id = connection.id;
  End(connection, clean ? Parting::kClean : Parting::kAbnormal, now);
  effects_.emplace_back(Close{id});
}

void Broker::Fail(Connection& connection, Reason reason, std::string detail, UtcTime now) {
  AddRefusal("closed", reason, connection, detail);
  if (connection.state == ConnectionState::kConnected && connection.version == Version::k5) {
    Disconnect farewell{reason, {}};
    if (!detail.empty()) farewell.properties.Add(PropertyId::kReasonString, detail);
    SendBytes(connection, EncodeFor(connection, std::move(farewell)));
  }
  const ConnectionId id = connection.id;
  End(connection, Parting::kAbnormal, now);
  effects_.emplace_back(Close{id});
}

void Broker::Closed(ConnectionId id, UtcTime now) {
  Connection* connection = Find(id);
  if (connection != nullptr) End(*connection, Parting::kAbnormal, now);
}

void Broker::Expel(ConnectionId id, Reason reason, std::string detail, UtcTime now) {
  if (Connection* connection = Find(id)) Fail(*connection, reason, std::move(detail), now);
}

void Broker::End(Connection& connection, Parting parting, UtcTime now) {
  partial_bytes_ -= connection.partial.size();
  Session* session = connection.session;
  if (session != nullptr) AddNote("disconnected", connection, {});
  if (session != nullptr) --clients_;
  connections_.erase(connection.id);  // `connection` is gone from here on
  if (session != nullptr) Detach(*session, parting, now);
}

void Broker::CheckSilence(Connection& connection, UtcTime now) {
  const UtcTime deadline = connection.last_heard + connection.silence_limit;
  if (connection.state == ConnectionState::kConnected && connection.paused) {
    // We are the silent one: it could not be heard.
    alarms_.Set(now + kFarthestAlarm, AlarmKind::kConnection, connection.id);
    return;
  }
  if (now < deadline) {
    alarms_.Set(std::min<UtcTime>(deadline, now + kFarthestAlarm), AlarmKind::kConnection,
                connection.id);
    return;
  }
  if (connection.state == ConnectionState::kNew) {
    return Fail(connection, Reason::kMaximumConnectTime, "no CONNECT in time", now);
  }
  Fail(connection, Reason::kKeepAliveTimeout, {}, now);
}

void Broker::Sent(ConnectionId id, std::size_t bytes, UtcTime now) {
  Connection* connection = Find(id);
  if (connection == nullptr) return;
  const bool was_full = connection->unsent_bytes >= limits_.unsent_bytes;
  connection->unsent_bytes -= std::min(connection->unsent_bytes, bytes);
  if (was_full && connection->unsent_bytes < limits_.unsent_bytes &&
      connection->session != nullptr) {
    Pump(*connection->session, now);
  }
}

// Without its reason string, where the client wants none or takes no packet of that size
// ([MQTT-3.1.2-29], [MQTT-3.4.2-2] and its likes); empty where it takes none even so
// [MQTT-3.1.2-24].
template <typename T>
Bytes Broker::EncodeFor(const Connection& connection, T packet) const {
  constexpr bool is_always_allowed = std::is_same_v<T, ConnAck> || std::is_same_v<T, Disconnect>;
  if (!is_always_allowed && !connection.wants_reason_strings) {
    packet.properties.Remove(PropertyId::kReasonString);
  }
  Bytes bytes = Encode(packet, connection.version);
  if (bytes.size() <= connection.max_packet_bytes) return bytes;
  packet.properties.Remove(PropertyId::kReasonString);
  bytes = Encode(packet, connection.version);
  if (bytes.size() > connection.max_packet_bytes) bytes.clear();
  return bytes;
}

template Bytes Broker::EncodeFor(const Connection&, ConnAck) const;
template Bytes Broker::EncodeFor(const Connection&, Ack) const;
template Bytes Broker::EncodeFor(const Connection&, SubAck) const;
template Bytes Broker::EncodeFor(const Connection&, UnsubAck) const;
template Bytes Broker::EncodeFor(const Connection&, Disconnect) const;

void Broker::SendBytes(Connection& connection, Bytes bytes) {
  if (bytes.empty()) return;
  ++counters_.packets_sent;
  counters_.bytes_sent += bytes.size();
  connection.unsent_bytes += bytes.size();
  Send send;
  send.connection = connection.id;
  send.bytes = std::move(bytes);
  effects_.emplace_back(std::move(send));
}

void Broker::SendPacket(Connection& connection, const Packet& packet) {
  SendBytes(connection, Encode(packet, connection.version));
}

void Broker::Answer(Connection& connection, Waiting waiting, std::uint64_t batch, UtcTime now) {
  waiting.connection = connection.id;
  // Answers to one client keep their order, even if only the earlier one has to wait
  // (PUBACKs: [MQTT-4.6.0-2]).
  batch = std::max(batch, connection.waits_for);
  if (batch <= committed_) return Release(waiting, now);
  connection.waits_for = batch;
  waiting_[batch].push_back(std::move(waiting));
}

void Broker::Release(Waiting& waiting, UtcTime now) {
  Connection* connection = Find(waiting.connection);
  if (connection == nullptr) return;
  using Kind = Waiting::Kind;
  if (waiting.kind == Kind::kPublish) {
    const auto flight =
        std::ranges::find(connection->session->in_flight, waiting.packet_id, &InFlight::packet_id);
    assert(flight != connection->session->in_flight.end());  // nothing ends it before it is sent
    flight->stage = InFlight::Stage::kSent;
    return SendPublish(*connection, flight->entry, flight->packet_id, false, now);
  }
  if (waiting.bytes.empty()) {
    return Fail(*connection, Reason::kPacketTooLarge, "an answer larger than the client takes",
                now);
  }
  SendBytes(*connection, std::move(waiting.bytes));
  if (waiting.kind == Kind::kPubAck || waiting.kind == Kind::kPubRec) --connection->unacknowledged;
  if (waiting.kind == Kind::kPubAck) --connection->open_publishes;
  if (!waiting.retained_for.empty()) SendRetained(*connection, waiting.retained_for, now);
  // A group that it joined may have messages for which no other member has room.
  if (waiting.kind == Kind::kSubAck) Pump(*connection->session, now);
  if (waiting.kind == Kind::kConnAck) {
    connection->state = ConnectionState::kConnected;
    SendReleases(*connection->session, *connection);
    Pump(*connection->session, now);
  }
}

void Broker::Committed(std::uint64_t batch, UtcTime now) {
  committed_ = std::max(committed_, batch);
  while (!uncommitted_.empty() && uncommitted_.front().first <= batch) {
    uncommitted_operations_ -= uncommitted_.front().second;
    uncommitted_.pop_front();
  }
  while (!waiting_.empty() && waiting_.begin()->first <= batch) {
    auto node = waiting_.extract(waiting_.begin());
    for (Waiting& waiting : node.mapped()) Release(waiting, now);
  }
  ResumePaused(now);
}

std::uint64_t Broker::KeepOne(KeepOperation operation) {
  open_batch_.push_back(std::move(operation));
  return open_batch_number_;
}

void Broker::CloseBatch() {
  if (open_batch_.empty()) return;
  uncommitted_.emplace_back(open_batch_number_, open_batch_.size());
  uncommitted_operations_ += open_batch_.size();
  effects_.emplace_back(Keep{KeepBatch{open_batch_number_++, std::exchange(open_batch_, {})}});
}

void Broker::Tick(UtcTime now) {
  announced_wake_.reset();  // called early, it must be called again
  while (const auto alarm = alarms_.TakeDue(now)) {
    switch (alarm->kind) {
      case AlarmKind::kConnection:
        if (Connection* connection = Find(alarm->id)) CheckSilence(*connection, now);
        break;
      case AlarmKind::kPaced:
        Resume(alarm->id, now);
        break;
      case AlarmKind::kSession: {
        const auto found = sessions_.find(alarm->id);
        if (found != sessions_.end()) CheckSession(*found->second, now);
        break;
      }
      case AlarmKind::kSweep:
        sweep_alarm_ = false;
        RequestSweep(now);
        break;
      case AlarmKind::kSysTopics:
        UpdateSysTopics(now);
        break;
    }
  }
}

void Broker::Shutdown(UtcTime now) {
  std::vector<ConnectionId> ids;
  for (const auto& [id, connection] : connections_) ids.push_back(id);
  for (const ConnectionId id : ids) {
    Connection& connection = *connections_.at(id);
    if (connection.state == ConnectionState::kConnected && connection.version == Version::k5) {
      Disconnect farewell{Reason::kServerShuttingDown, {}};
      if (!limits_.server_reference.empty()) {
        farewell.reason = Reason::kUseAnotherServer;
        farewell.properties.Add(PropertyId::kServerReference, limits_.server_reference);
      }
      SendBytes(connection, EncodeFor(connection, std::move(farewell)));
    }
    End(connection, Parting::kShutdown, now);
    effects_.emplace_back(Close{id});
  }
}

std::vector<Effect> Broker::TakeEffects(std::vector<Effect> spare) {
  CloseBatch();
  // The store must have the rows before it reads or sweeps them.
  for (const PageRequest& request : page_requests_) effects_.emplace_back(ReadPage{request});
  page_requests_.clear();
  if (sweep_request_) effects_.emplace_back(Sweep{*sweep_request_});
  sweep_request_.reset();
  const auto next = alarms_.Next();
  if (next && (!announced_wake_ || *next != *announced_wake_)) {
    announced_wake_ = next;
    effects_.emplace_back(WakeAt{*next});
  }
  spare.clear();
  return std::exchange(effects_, std::move(spare));
}

void Broker::AddRefusal(std::string_view what, Reason reason, const Connection& connection,
                        std::string detail) {
  AddNote(what, connection, std::move(detail));
  Note& note = std::get<Note>(effects_.back());
  note.serious = true;
  note.reason = ReasonName(reason);
  note.code = static_cast<std::uint8_t>(reason);
}

void Broker::AddNote(std::string_view what, const Connection& connection, std::string detail) {
  Note note;
  note.what = what;
  if (connection.session != nullptr) note.client = connection.session->client_id;
  note.certificate = connection.peer.Name();
  note.address = connection.peer.address;
  note.detail = std::move(detail);
  effects_.emplace_back(std::move(note));
}

}  // namespace mig::mqtt
