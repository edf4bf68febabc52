// CONNECT, the life of sessions, and wills.
#include <algorithm>
#include <cassert>

#include "mqtt/broker.h"
#include "mqtt/topic.h"

namespace mig::mqtt {
namespace {

// Of a 3.1.1 client with Clean Session 0, which cannot say how long: as long as sessions may last.
constexpr std::uint32_t kNoExpiry = 0xFFFFFFFF;

bool IsClientIdText(std::string_view id) {
  // `+` and `#` would widen access rules that are written with the client identifier in a topic
  // filter; control characters serve nobody.
  return std::ranges::none_of(
      id, [](unsigned char c) { return c < 0x20 || c == 0x7F || c == '+' || c == '#'; });
}

std::chrono::seconds WillDelay(const Will& will) {
  return std::chrono::seconds(will.properties.Number(PropertyId::kWillDelayInterval).value_or(0));
}

}  // namespace

// How long the session outlives the connection.
std::chrono::seconds Broker::ExpiryOf(const Connect& connect) const {
  const std::uint32_t wanted =
      connect.version == Version::k5
          ? connect.properties.Number(PropertyId::kSessionExpiryInterval).value_or(0)
          : (connect.clean_start ? 0 : kNoExpiry);
  return std::min(std::chrono::seconds(wanted), limits_.max_session_expiry);
}

Reason Broker::CheckConnect(const Connection& connection, const Connect& connect,
                            std::string& detail) const {
  const std::string& id = connect.client_id;
  if (id.empty() && connect.version == Version::k311 && !connect.clean_start) {
    detail = "no client identifier for a session that is to be kept";  // 3.1.1 [MQTT-3.1.3-8]
    return Reason::kClientIdentifierNotValid;
  }
  if (id.size() > limits_.client_id_bytes || !IsClientIdText(id)) {
    detail = "client identifier too long, or with `+`, `#` or a control character";
    return Reason::kClientIdentifierNotValid;
  }
  if (connect.properties.Find(PropertyId::kAuthenticationMethod) != nullptr) {
    detail = "no authentication method is known here";
    return Reason::kBadAuthenticationMethod;
  }
  if (!authoriser_.MayConnect(connection.peer, id)) {
    detail = "this certificate may not use client identifier " + Quoted(id);
    return Reason::kNotAuthorized;
  }
  if (const auto found = session_ids_.find(id); found != session_ids_.end()) {
    if (!sessions_.at(found->second)->owner.SamePrincipal(connection.peer)) {
      detail = "client identifier " + Quoted(id) + " is somebody else's";
      return Reason::kNotAuthorized;
    }
  } else if (sessions_.size() >= limits_.sessions) {
    detail = "no more sessions";
    return limits_.server_reference.empty() ? Reason::kQuotaExceeded : Reason::kUseAnotherServer;
  }
  if (!store_writable_ && ExpiryOf(connect).count() > 0) {
    detail = "the store cannot be written, so that no session can be kept";
    return Reason::kServerUnavailable;
  }
  if (!connect.will) return Reason::kSuccess;
  const Will& will = *connect.will;
  if (auto ok = CheckTopicName(will.topic); !ok) {
    detail = "will: " + ok.error().message();
    return Reason::kTopicNameInvalid;
  }
  if (will.topic.size() > limits_.topic_bytes || CountLevels(will.topic) > limits_.topic_levels) {
    detail = "will: topic name too long";
    return Reason::kTopicNameInvalid;
  }
  if (!KeepsPayloadFormat(will.properties, will.payload)) {
    detail = "will: the payload is not the UTF-8 text that it says it is";
    return Reason::kPayloadFormatInvalid;
  }
  if (const auto response = will.properties.Text(PropertyId::kResponseTopic);
      response && !CheckTopicName(*response)) {
    detail = "will: response topic";  // [MQTT-3.3.2-14]
    return Reason::kTopicNameInvalid;
  }
  if (!MayPublish(connection.peer, will.topic, will.retain)) {
    detail = "no right to publish the will to " + Quoted(will.topic);
    return Reason::kNotAuthorized;
  }
  return Reason::kSuccess;
}

void Broker::Refuse(Connection& connection, const std::string& client_id, Reason reason,
                    std::string detail, UtcTime now) {
  ++counters_.refused;
  ConnAck answer;
  answer.code = connection.version == Version::k5 ? static_cast<std::uint8_t>(reason)
                                                  : ConnectReturnCode(reason);
  answer.properties.Add(PropertyId::kReasonString, detail);
  if (reason == Reason::kUseAnotherServer) {
    answer.properties.Add(PropertyId::kServerReference, limits_.server_reference);
  }
  AddRefusal("refused", reason, connection, std::move(detail));
  // Which it claims; no more of it than a client identifier may have.
  std::get<Note>(effects_.back()).client = client_id.substr(0, limits_.client_id_bytes);
  SendBytes(connection, EncodeFor(connection, std::move(answer)));
  const ConnectionId id = connection.id;
  End(connection, Parting::kAbnormal, now);
  effects_.emplace_back(Close{id});  // a refused client is not left open
}

void Broker::HandleConnect(Connection& connection, Connect& connect, UtcTime now) {
  connection.version = connect.version;
  connection.max_packet_bytes =
      connect.properties.Number(PropertyId::kMaximumPacketSize).value_or(0xFFFFFFFF);
  connection.wants_reason_strings =
      connect.properties.Number(PropertyId::kRequestProblemInformation).value_or(1) != 0;
  std::string detail;
  if (const Reason reason = CheckConnect(connection, connect, detail); IsError(reason)) {
    return Refuse(connection, connect.client_id, reason, std::move(detail), now);
  }
  const bool assigned = connect.client_id.empty();
  if (assigned) connect.client_id = options_.new_client_id();

  const std::chrono::seconds expiry = ExpiryOf(connect);

  std::uint64_t batch = 0;
  Session* session = nullptr;
  if (const auto found = session_ids_.find(connect.client_id); found != session_ids_.end()) {
    session = sessions_.at(found->second).get();
    const QueueId id = session->id();
    if (Connection* old = ConnectionOf(*session)) {
      AddNote("taken over", *old, "by " + connection.peer.address);
      if (old->version == Version::k5 && old->state == ConnectionState::kConnected) {
        SendPacket(*old, Disconnect{Reason::kSessionTakenOver, {}});  // [MQTT-3.1.4-3]
      }
      const ConnectionId old_id = old->id;
      End(*old, Parting::kAbnormal, now);
      effects_.emplace_back(Close{old_id});
    }
    // The end of the old connection may have been the end of its session.
    const auto still = sessions_.find(id);
    session = still == sessions_.end() ? nullptr : still->second.get();
  }
  if (session != nullptr && connect.clean_start) {
    batch = EndSession(*session, now);
    session = nullptr;
  }
  const bool present = session != nullptr;
  if (!present) session = &CreateSession(connect.client_id, connection.peer, expiry);

  connection.session = session;
  ++counters_.connected;
  most_clients_ = std::max(most_clients_, ++clients_);
  connection.state = ConnectionState::kCommitting;
  connection.in_flight_limit = std::min<std::size_t>(
      limits_.in_flight, connect.properties.Number(PropertyId::kReceiveMaximum).value_or(0xFFFF));
  connection.alias_limit = static_cast<std::uint16_t>(
      std::min<std::uint32_t>(connect.properties.Number(PropertyId::kTopicAliasMaximum).value_or(0),
                              limits_.topic_alias_maximum));
  const std::chrono::seconds asked(connect.keep_alive_seconds);
  const auto keep_alive =
      asked.count() == 0 ? limits_.max_keep_alive : std::min(asked, limits_.max_keep_alive);
  // "one and a half times the Keep Alive time period" [MQTT-3.1.2-22]
  connection.silence_limit = std::chrono::milliseconds(keep_alive) * 3 / 2;
  alarms_.Set(
      now + std::min<std::chrono::milliseconds>(connection.silence_limit, std::chrono::seconds(60)),
      AlarmKind::kConnection, connection.id);

  session->connection = connection.id;
  session->expiry = expiry;
  session->owner = connection.peer;
  session->will = std::move(connect.will);
  session->will_at.reset();
  if (present) ResumeSession(*session, connection);
  if (session->durable()) batch = KeepSession(*session);

  AddNote("connected", connection, present ? "session present" : "new session");
  ConnAck ack{present, 0, {}};
  if (connect.version == Version::k5) {
    ack.properties = ConnAckProperties(connection, connect, *session, assigned);
  }
  Waiting waiting;
  waiting.bytes = EncodeFor(connection, std::move(ack));
  waiting.kind = Waiting::Kind::kConnAck;
  Answer(connection, std::move(waiting), batch, now);
}

Properties Broker::ConnAckProperties(const Connection& connection, const Connect& connect,
                                     const Session& session, bool assigned) const {
  Properties properties;
  const auto wanted = connect.properties.Number(PropertyId::kSessionExpiryInterval).value_or(0);
  if (session.expiry != std::chrono::seconds(wanted)) {
    properties.Add(PropertyId::kSessionExpiryInterval,
                   static_cast<std::uint32_t>(session.expiry.count()));
  }
  properties.Add(PropertyId::kReceiveMaximum, limits_.receive_maximum);
  properties.Add(PropertyId::kMaximumPacketSize, limits_.packet_bytes);
  if (assigned) properties.Add(PropertyId::kAssignedClientIdentifier, session.client_id);
  properties.Add(PropertyId::kTopicAliasMaximum, limits_.topic_alias_maximum);
  const auto keep_alive =
      std::chrono::duration_cast<std::chrono::seconds>(connection.silence_limit * 2 / 3);
  if (keep_alive.count() != connect.keep_alive_seconds) {
    properties.Add(PropertyId::kServerKeepAlive, static_cast<std::uint32_t>(keep_alive.count()));
  }
  return properties;
}

Session& Broker::CreateSession(std::string client_id, const Peer& owner,
                               std::chrono::seconds expiry) {
  const QueueId id = ++last_queue_;
  auto session = std::make_unique<Session>(id, queued_);
  session->client_id = std::move(client_id);
  session->owner = owner;
  session->expiry = expiry;
  if (expiry.count() > 0) session->queue.MakeDurable();
  session_ids_.emplace(session->client_id, id);
  return *sessions_.emplace(id, std::move(session)).first->second;
}

void Broker::ResumeSession(Session& session, Connection& connection) {
  // Rights may have been taken away since the client subscribed.
  std::vector<std::string> lost;
  for (const auto& [filter, subscription] : session.subscriptions) {
    if (!authoriser_.MaySubscribe(connection.peer, filter)) lost.push_back(filter);
  }
  for (const std::string& filter : lost) {
    AddRefusal("subscription withdrawn", Reason::kNotAuthorized, connection, filter);
    RemoveSubscription(session, filter, true);
    session.lost_a_right = true;
  }
}

std::uint64_t Broker::KeepSession(const Session& session) {
  SessionRecord record;
  record.id = session.id();
  record.client_id = session.client_id;
  record.role = session.owner.role;
  record.peer_id = session.owner.id;
  record.expiry = session.expiry;
  if (session.connection == 0) record.away_since = session.away_since;
  record.will = session.will;
  return KeepOne(PutSession{std::move(record)});
}

// The connection is gone already.
void Broker::Detach(Session& session, Parting parting, UtcTime now) {
  session.connection = 0;
  session.away_since = now;
  session.outstanding = 0;
  if (parting == Parting::kClean) session.will.reset();  // [MQTT-3.1.2-10]

  // What a group's member had not acknowledged goes to another member.
  const std::vector<QueueId> groups = session.groups;
  std::vector<InFlight> own;
  for (InFlight& flight : session.in_flight) {
    if (flight.source == session.id()) {
      own.push_back(std::move(flight));
    } else if (const auto group = groups_.find(flight.source); group != groups_.end()) {
      // The next member may take more, and want to know of RETAIN.
      flight.entry.qos = flight.entry.message->qos;
      flight.entry.retain = flight.entry.message->retain;
      group->second->queue.Return(std::move(flight.entry));
    }
  }
  session.in_flight = std::move(own);

  if (session.expiry.count() == 0) {
    if (parting == Parting::kShutdown) session.will.reset();
    EndSession(session, now);
  } else {
    // The rows have the messages; the identifiers under which they were sent are kept, because
    // they are sent again under the same ones [MQTT-4.4.0-1].
    for (InFlight& flight : session.in_flight) {
      flight.entry.message.reset();
      if (flight.stage == InFlight::Stage::kCommitting) {
        flight.stage = InFlight::Stage::kSent;  // will have been committed when the client is back
      } else {
        flight.repeated = true;
      }
    }
    session.queue.ToDisk();
    if (session.will && parting == Parting::kAbnormal) {
      session.will_at = now + std::min(WillDelay(*session.will), session.expiry);
    }
    KeepSession(session);
    if (session.will_at && *session.will_at <= now) SendWill(session, now);
    SetSessionAlarm(session);
  }
  for (const QueueId id : groups) {
    const auto found = groups_.find(id);
    if (found == groups_.end()) continue;
    ShareGroup& group = *found->second;
    if (HasReader(group)) {
      PumpGroup(group, now);
    } else if (group.queue.durable()) {
      group.queue.ToDisk();  // nobody reads: its messages wait there
    }
  }
}

// Returns the batch that makes it final; 0: there was nothing on disk.
std::uint64_t Broker::EndSession(Session& session, UtcTime now) {
  assert(session.connection == 0);
  SendWill(session, now);  // at the latest when the session ends (section 3.1.3.2.2)
  std::uint64_t batch = 0;
  while (!session.subscriptions.empty()) {
    // Dropping the session drops its subscriptions in the store; a group it leaves may end too.
    const std::string filter = session.subscriptions.begin()->first;
    batch = std::max(batch, RemoveSubscription(session, filter, false));
  }
  if (session.durable()) batch = KeepOne(DropSession{session.id()});
  const QueueId id = session.id();
  session_ids_.erase(session.client_id);
  sessions_.erase(id);
  return batch;
}

void Broker::SendWill(Session& session, UtcTime now) {
  session.will_at.reset();
  if (!session.will) return;
  const Will will = std::move(*session.will);
  session.will.reset();
  if (session.durable()) KeepSession(session);
  if (!MayPublish(session.owner, will.topic, will.retain)) {
    ++counters_.refused;
    effects_.emplace_back(Note{.serious = true,
                               .what = "refused",
                               .reason = ReasonName(Reason::kNotAuthorized),
                               .code = static_cast<std::uint8_t>(Reason::kNotAuthorized),
                               .client = session.client_id,
                               .certificate = session.owner.Name(),
                               .address = session.owner.address,
                               .detail = "will to " + Quoted(will.topic)});
    return;
  }
  auto message = std::make_shared<Message>();
  message->id = ++last_message_;
  message->topic = will.topic;
  message->payload = will.payload;
  message->properties = ForwardedProperties(will.properties);
  message->qos = will.qos;
  message->retain = will.retain;
  if (const auto expiry = will.properties.Number(PropertyId::kMessageExpiryInterval)) {
    message->expires_at = now + std::chrono::seconds(*expiry);
  }
  Accept(message, &session, session.owner, now);
}

void Broker::SetSessionAlarm(Session& session) {
  UtcTime deadline = session.away_since + session.expiry;
  if (session.will_at) deadline = std::min(deadline, *session.will_at);
  // One alarm a session, however often it comes and goes.
  if (session.alarm && *session.alarm <= deadline) return;
  session.alarm = deadline;
  alarms_.Set(deadline, AlarmKind::kSession, session.id());
}

void Broker::CheckSession(Session& session, UtcTime now) {
  if (session.alarm && *session.alarm <= now) session.alarm.reset();
  if (session.connection != 0) return;
  if (session.will_at && *session.will_at <= now) SendWill(session, now);
  if (now >= session.away_since + session.expiry) {
    Note note;
    note.what = "session expired";
    note.client = session.client_id;
    effects_.emplace_back(std::move(note));
    ++counters_.sessions_expired;
    EndSession(session, now);
    return;
  }
  SetSessionAlarm(session);
}

void Broker::Restore(Snapshot snapshot, UtcTime now) {
  assert(sessions_.empty() && connections_.empty());
  StartSysTopics(now);
  last_queue_ = snapshot.last_queue;
  last_message_ = snapshot.last_message;
  for (RetainedRecord& each : snapshot.retained) retained_.Put(std::move(each));
  std::vector<QueueId> ended;
  for (SessionRecord& record : snapshot.sessions) {
    auto session = std::make_unique<Session>(record.id, queued_);
    session->client_id = std::move(record.client_id);
    session->owner = Peer{std::move(record.role), std::move(record.peer_id), {}};
    session->expiry = record.expiry;
    session->queue.MakeDurable();
    session->will = std::move(record.will);
    // Who was connected when we stopped is away from now on, and has its will's delay to return.
    session->away_since = record.away_since.value_or(now);
    // Kept at once, or every further start would begin to count anew.
    if (!record.away_since) KeepSession(*session);
    if (session->will) session->will_at = session->away_since + WillDelay(*session->will);
    if (session->expiry.count() == 0) {
      ended.push_back(record.id);
    } else {
      SetSessionAlarm(*session);
    }
    session_ids_.emplace(session->client_id, record.id);
    sessions_.emplace(record.id, std::move(session));
  }
  for (GroupRecord& record : snapshot.groups) {
    auto group = std::make_unique<ShareGroup>(record.id, queued_);
    group->filter = record.filter;
    group->queue.MakeDurable();
    group_ids_.emplace(record.filter, record.id);
    groups_.emplace(record.id, std::move(group));
  }
  for (const SubscriptionRecord& record : snapshot.subscriptions) {
    const auto session = sessions_.find(record.session);
    if (session == sessions_.end() || !CheckFilter(record.filter)) continue;
    if (!authoriser_.MaySubscribe(session->second->owner, record.filter)) {
      KeepOne(DropSubscription{record.session, record.filter});
      session->second->lost_a_right = true;
      continue;
    }
    AddSubscription(*session->second, record.filter,
                    Subscription{record.session, record.options, record.identifier}, false);
  }
  for (const QueueSummary& summary : snapshot.queues) {
    if (MessageQueue* queue = QueueOf(summary.id)) {
      queue->Restore(summary.messages, summary.bytes, summary.last_sequence);
      if (summary.messages > 0) MayExpire(now);
    }
  }
  RestoreExchanges(snapshot);
  // A group whose last member is gone has no reason to be.
  std::vector<QueueId> empty;
  for (const auto& [id, group] : groups_) {
    if (!group->members.empty()) continue;
    empty.push_back(id);
    group_ids_.erase(group->filter);
    if (const auto shared = SplitShared(group->filter)) tree_.Remove(shared->filter, id);
    KeepOne(DropGroup{id});
  }
  for (const QueueId id : empty) groups_.erase(id);
  for (const QueueId id : ended) EndSession(*sessions_.at(id), now);
  if (may_expire_) RequestSweep(now);
}

// QoS 2 exchanges that were under way.
void Broker::RestoreExchanges(const Snapshot& snapshot) {
  for (const ReceivedRecord& record : snapshot.received) {
    const auto session = sessions_.find(record.session);
    if (session == sessions_.end()) continue;
    std::vector<Received>& received = session->second->received;
    const auto place =
        std::ranges::lower_bound(received, record.packet_id, {}, &Received::packet_id);
    received.insert(place, Received{record.packet_id, 0});
  }
  for (const SendingRecord& record : snapshot.sending) {
    const auto session = sessions_.find(record.session);
    if (session == sessions_.end()) continue;
    InFlight flight;
    flight.packet_id = record.packet_id;
    flight.stage = record.sequence == 0 ? InFlight::Stage::kReleased : InFlight::Stage::kSent;
    flight.repeated = true;
    flight.source = record.session;
    flight.entry.sequence = record.sequence;
    flight.entry.qos = Qos::kExactlyOnce;
    flight.message_id = record.message;
    flight.size = record.size;
    session->second->in_flight.push_back(std::move(flight));
  }
  for (const auto& [id, session] : sessions_) {  // in the order in which they were sent first
    std::ranges::sort(session->in_flight, {},
                      [](const InFlight& flight) { return flight.entry.sequence; });
  }
}

}  // namespace mig::mqtt
