#include "store/relay_statements.h"

#include <optional>

#include "mqtt/property.h"
#include "mqtt/wire.h"

namespace mig::store {
namespace {

// Rows of dropped queues that go at once, in the same transaction; others follow.
constexpr std::size_t kDroppedRows = 1000;

std::int64_t Milliseconds(UtcTime time) { return time.time_since_epoch().count(); }

std::optional<std::int64_t> Milliseconds(const std::optional<UtcTime>& time) {
  if (!time) return std::nullopt;
  return Milliseconds(*time);
}

Bytes EncodeIdentifiers(const std::vector<std::uint32_t>& identifiers) {
  Bytes out;
  for (const std::uint32_t identifier : identifiers) mqtt::AppendFourBytes(out, identifier);
  return out;
}

std::vector<std::uint32_t> DecodeIdentifiers(const Bytes& bytes) {
  mqtt::Reader reader(bytes);
  std::vector<std::uint32_t> identifiers;
  while (reader.Remaining() >= 4) identifiers.push_back(reader.FourBytes());
  return identifiers;
}

}  // namespace

Expected<std::unique_ptr<RelayDb::Statements>> RelayDb::Statements::Prepare(Database& database) {
  auto all = std::make_unique<Statements>();
  all->database_ = &database;
  struct Line {
    Statement* statement;
    const char* sql;
  };
  for (const Line& line : {
           Line{&all->put_session_,
                "INSERT INTO sessions (id, client_id, role, peer, expiry, away_since, will_topic,"
                " will_payload, will_qos, will_retain, will_properties)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET expiry = excluded.expiry,"
                " away_since = excluded.away_since, will_topic = excluded.will_topic,"
                " will_payload = excluded.will_payload, will_qos = excluded.will_qos,"
                " will_retain = excluded.will_retain, will_properties = excluded.will_properties"},
           Line{&all->drop_session_, "DELETE FROM sessions WHERE id = ?"},
           Line{&all->drop_subscriptions_, "DELETE FROM subscriptions WHERE session = ?"},
           Line{&all->put_subscription_,
                "INSERT INTO subscriptions (session, filter, options, identifier)"
                " VALUES (?, ?, ?, ?) ON CONFLICT (session, filter) DO UPDATE"
                " SET options = excluded.options, identifier = excluded.identifier"},
           Line{&all->drop_subscription_,
                "DELETE FROM subscriptions WHERE session = ? AND filter = ?"},
           Line{&all->put_group_, "INSERT OR REPLACE INTO share_groups (id, filter) VALUES (?, ?)"},
           Line{&all->drop_group_, "DELETE FROM share_groups WHERE id = ?"},
           // A retained message that is queued again may have had a row before, or still have it.
           Line{&all->put_message_,
                "INSERT INTO messages (id, topic, payload, properties, qos, retain, expires_at,"
                " refs, stored_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET refs = refs + excluded.refs"},
           Line{&all->put_row_,
                "INSERT INTO queue (queue, sequence, message, qos, retain, identifiers, size,"
                " expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"},
           Line{&all->drop_row_, "DELETE FROM queue WHERE queue = ? AND sequence = ?"},
           Line{&all->rows_of_queue_,
                "SELECT sequence, message FROM queue WHERE queue = ? ORDER BY sequence LIMIT ?"},
           Line{&all->drop_rows_, "DELETE FROM queue WHERE queue = ? AND sequence <= ?"},
           Line{&all->put_dropped_,
                "INSERT INTO dropped_queues (queue) VALUES (?) ON CONFLICT DO NOTHING"},
           Line{&all->drop_dropped_, "DELETE FROM dropped_queues WHERE queue = ?"},
           Line{&all->dropped_queues_, "SELECT queue FROM dropped_queues ORDER BY queue"},
           Line{&all->release_, "UPDATE messages SET refs = refs - ?2 WHERE id = ?1"},
           Line{&all->drop_message_, "DELETE FROM messages WHERE id = ? AND refs <= 0"},
           Line{&all->put_retained_,
                "INSERT OR REPLACE INTO retained (topic, message, payload, properties, qos,"
                " expires_at, role, peer) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"},
           Line{&all->drop_retained_, "DELETE FROM retained WHERE topic = ?"},
           Line{&all->put_received_,
                "INSERT INTO received (session, packet_id) VALUES (?, ?) ON CONFLICT DO NOTHING"},
           Line{&all->drop_received_, "DELETE FROM received WHERE session = ? AND packet_id = ?"},
           Line{&all->drop_all_received_, "DELETE FROM received WHERE session = ?"},
           Line{&all->put_sending_,
                "INSERT INTO sending (session, packet_id, sequence) VALUES (?, ?, ?)"
                " ON CONFLICT (session, packet_id) DO UPDATE SET sequence = excluded.sequence"},
           Line{&all->drop_sending_, "DELETE FROM sending WHERE session = ? AND packet_id = ?"},
           Line{&all->drop_all_sending_, "DELETE FROM sending WHERE session = ?"},
           Line{&all->page_,
                "SELECT q.sequence, q.message, q.qos, q.retain, q.identifiers, m.topic, m.payload,"
                " m.properties, m.qos, m.retain, m.expires_at"
                " FROM queue q JOIN messages m ON m.id = q.message"
                " WHERE q.queue = ? AND q.sequence > ? ORDER BY q.sequence LIMIT ?"},
           Line{&all->expired_,
                "SELECT queue, sequence, size, message FROM queue AS q WHERE expires_at <= ?"
                " AND NOT EXISTS (SELECT 1 FROM sending AS s WHERE s.session = q.queue"
                " AND s.sequence = q.sequence) LIMIT ?"},
       }) {
    auto statement = database.Prepare(line.sql);
    if (!statement) return std::move(statement).error();
    *line.statement = std::move(*statement);
  }
  return all;
}

Expected<void> RelayDb::Statements::Apply(const std::vector<mqtt::KeepBatch>& batches) {
  released_.clear();
  elided_.clear();
  received_.clear();
  sending_.clear();
  dropped_.clear();
  may_drop_ = kDroppedRows;
  now_ = Milliseconds(Now());
  // Who is connected acknowledges within milliseconds; such a row need not touch the disk.
  std::set<RowKey> queued;
  const auto done_with = [&](mqtt::QueueId queue, std::uint64_t sequence) {
    const RowKey key{queue, sequence};
    if (queued.contains(key)) elided_.insert(key);
  };
  for (const mqtt::KeepBatch& batch : batches) {
    for (const mqtt::KeepOperation& operation : batch.operations) {
      if (const auto* enqueue = std::get_if<mqtt::Enqueue>(&operation)) {
        for (const mqtt::Destination& d : enqueue->destinations) {
          queued.emplace(d.queue, d.sequence);
        }
      } else if (const auto* dequeue = std::get_if<mqtt::Dequeue>(&operation)) {
        done_with(dequeue->queue, dequeue->sequence);
      } else if (const auto* released = std::get_if<mqtt::PutReleased>(&operation)) {
        done_with(released->session, released->sequence);
      }
    }
  }
  for (const mqtt::KeepBatch& batch : batches) {
    for (const mqtt::KeepOperation& operation : batch.operations) {
      auto done = std::visit([this](const auto& op) { return Apply(op); }, operation);
      if (!done) return done;
    }
  }
  if (auto done = WriteExchanges(); !done) return done;
  return ReleaseMessages();
}

Expected<void> RelayDb::Statements::Apply(const mqtt::PutSession& op) {
  const mqtt::SessionRecord& session = op.session;
  const auto away = Milliseconds(session.away_since);
  if (!session.will) {
    return put_session_
        .Bind(session.id, session.client_id, session.role, session.peer_id,
              static_cast<std::int64_t>(session.expiry.count()), away, nullptr, nullptr, nullptr,
              nullptr, nullptr)
        .Run();
  }
  Bytes properties;
  mqtt::AppendPropertyList(properties, session.will->properties);
  return put_session_
      .Bind(session.id, session.client_id, session.role, session.peer_id,
            static_cast<std::int64_t>(session.expiry.count()), away, session.will->topic,
            Blob{session.will->payload}, static_cast<int>(session.will->qos), session.will->retain,
            Blob{properties})
      .Run();
}

Expected<void> RelayDb::Statements::Apply(const mqtt::DropSession& op) {
  if (auto done = drop_session_.Bind(op.id).Run(); !done) return done;
  for (Statement* statement : {&drop_subscriptions_, &drop_all_received_, &drop_all_sending_}) {
    if (auto done = statement->Bind(op.id).Run(); !done) return done;
  }
  const auto of_session = [&op](const auto& each) { return each.first.first == op.id; };
  std::erase_if(received_, of_session);
  std::erase_if(sending_, of_session);
  return DropQueue(op.id);
}

Expected<void> RelayDb::Statements::Apply(const mqtt::PutSubscription& op) {
  const mqtt::SubscriptionRecord& s = op.subscription;
  return put_subscription_
      .Bind(s.session, s.filter, static_cast<int>(mqtt::EncodeOptions(s.options)), s.identifier)
      .Run();
}

Expected<void> RelayDb::Statements::Apply(const mqtt::DropSubscription& op) {
  return drop_subscription_.Bind(op.session, op.filter).Run();
}

Expected<void> RelayDb::Statements::Apply(const mqtt::PutGroup& op) {
  return put_group_.Bind(op.group.id, op.group.filter).Run();
}

Expected<void> RelayDb::Statements::Apply(const mqtt::DropGroup& op) {
  if (auto done = drop_group_.Bind(op.id).Run(); !done) return done;
  return DropQueue(op.id);
}

Expected<void> RelayDb::Statements::Apply(const mqtt::Enqueue& op) {
  std::int64_t rows = 0;
  const mqtt::Message& message = *op.message;
  const auto expires = Milliseconds(message.expires_at);
  for (const mqtt::Destination& d : op.destinations) {
    if (elided_.contains({d.queue, d.sequence})) continue;
    auto done = put_row_
                    .Bind(d.queue, d.sequence, message.id, static_cast<int>(d.qos), d.retain,
                          Blob{EncodeIdentifiers(d.identifiers)}, message.Size(), expires)
                    .Run();
    if (!done) return done;
    ++rows;
  }
  if (rows == 0) return {};
  return put_message_
      .Bind(message.id, message.topic, Blob{message.payload}, Blob{message.properties},
            static_cast<int>(message.qos), message.retain, expires, rows, now_)
      .Run();
}

Expected<void> RelayDb::Statements::Apply(const mqtt::Dequeue& op) {
  if (elided_.contains({op.queue, op.sequence})) return {};
  if (auto done = drop_row_.Bind(op.queue, op.sequence).Run(); !done) return done;
  // It may have expired, or have gone with its queue, before.
  if (database_->Changes() > 0) ++released_[op.message];
  return {};
}

Expected<void> RelayDb::Statements::Apply(const mqtt::PutRetained& op) {
  const mqtt::Message& message = *op.retained.message;
  return put_retained_
      .Bind(message.topic, message.id, Blob{message.payload}, Blob{message.properties},
            static_cast<int>(message.qos), Milliseconds(message.expires_at), op.retained.role,
            op.retained.peer_id)
      .Run();
}

Expected<void> RelayDb::Statements::Apply(const mqtt::DropRetained& op) {
  return drop_retained_.Bind(op.topic).Run();
}

Expected<void> RelayDb::Statements::Apply(const mqtt::PutReceived& op) {
  received_[{op.session, op.packet_id}] = true;
  return {};
}

Expected<void> RelayDb::Statements::Apply(const mqtt::DropReceived& op) {
  received_[{op.session, op.packet_id}] = false;
  return {};
}

Expected<void> RelayDb::Statements::Apply(const mqtt::PutSending& op) {
  sending_[{op.session, op.packet_id}] = op.sequence;
  return {};
}

Expected<void> RelayDb::Statements::Apply(const mqtt::PutReleased& op) {
  sending_[{op.session, op.packet_id}] = 0;
  return Apply(mqtt::Dequeue{op.session, op.sequence, op.message});
}

Expected<void> RelayDb::Statements::Apply(const mqtt::DropSending& op) {
  sending_[{op.session, op.packet_id}] = std::nullopt;
  return {};
}

Expected<void> RelayDb::Statements::WriteExchanges() {
  for (const auto& [key, there] : received_) {
    Statement& statement = there ? put_received_ : drop_received_;
    if (auto done = statement.Bind(key.first, int{key.second}).Run(); !done) return done;
  }
  for (const auto& [key, sequence] : sending_) {
    auto done = sequence ? put_sending_.Bind(key.first, int{key.second}, *sequence).Run()
                         : drop_sending_.Bind(key.first, int{key.second}).Run();
    if (!done) return done;
  }
  return {};
}

Expected<void> RelayDb::Statements::DropQueue(mqtt::QueueId id) {
  auto rows = DropRows(id, may_drop_);
  if (!rows) return std::move(rows).error();
  may_drop_ -= *rows;
  if (may_drop_ > 0) return {};
  dropped_.push_back(id);
  return put_dropped_.Bind(id).Run();
}

Expected<std::size_t> RelayDb::Statements::DropRows(mqtt::QueueId id, std::size_t limit) {
  std::size_t count = 0;
  std::int64_t last = 0;
  rows_of_queue_.Bind(id, limit);
  for (;;) {
    auto row = rows_of_queue_.Step();
    if (!row) return std::move(row).error();
    if (!*row) break;
    last = rows_of_queue_.Integer(0);
    ++released_[static_cast<mqtt::MessageId>(rows_of_queue_.Integer(1))];
    ++count;
  }
  rows_of_queue_.Reset();
  if (count == 0) return count;
  if (auto done = drop_rows_.Bind(id, last).Run(); !done) return std::move(done).error();
  return count;
}

Expected<bool> RelayDb::Statements::DropSlice(mqtt::QueueId id, std::size_t limit) {
  released_.clear();
  auto rows = DropRows(id, limit);
  if (!rows) return std::move(rows).error();
  if (auto done = ReleaseMessages(); !done) return std::move(done).error();
  if (*rows == limit) return false;
  if (auto done = drop_dropped_.Bind(id).Run(); !done) return std::move(done).error();
  return true;
}

Expected<std::vector<mqtt::QueueId>> RelayDb::Statements::DroppedQueues() {
  std::vector<mqtt::QueueId> ids;
  dropped_queues_.Bind();
  for (;;) {
    auto row = dropped_queues_.Step();
    if (!row) return std::move(row).error();
    if (!*row) break;
    ids.push_back(static_cast<mqtt::QueueId>(dropped_queues_.Integer(0)));
  }
  dropped_queues_.Reset();
  return ids;
}

Expected<void> RelayDb::Statements::ReleaseMessages() {
  for (const auto& [id, count] : released_) {
    if (auto done = release_.Bind(id, count).Run(); !done) return done;
    if (auto done = drop_message_.Bind(id).Run(); !done) return done;
  }
  released_.clear();
  return {};
}

Expected<mqtt::Page> RelayDb::Statements::Page(const mqtt::PageRequest& request) {
  mqtt::Page page{request, {}};
  page_.Bind(request.queue, request.after, request.entries);
  for (;;) {
    auto row = page_.Step();
    if (!row) return std::move(row).error();
    if (!*row) break;
    auto message = std::make_shared<mqtt::Message>();
    message->id = static_cast<mqtt::MessageId>(page_.Integer(1));
    message->topic = page_.Text(5);
    message->payload = page_.BlobAt(6);
    message->properties = page_.BlobAt(7);
    message->qos = static_cast<mqtt::Qos>(page_.Integer(8));
    message->retain = page_.Integer(9) != 0;
    if (!page_.IsNull(10)) {
      message->expires_at = TimeFromMillis(page_.Integer(10));
    }
    mqtt::QueueEntry entry;
    entry.sequence = static_cast<std::uint64_t>(page_.Integer(0));
    entry.message = std::move(message);
    entry.qos = static_cast<mqtt::Qos>(page_.Integer(2));
    entry.retain = page_.Integer(3) != 0;
    entry.identifiers = DecodeIdentifiers(page_.BlobAt(4));
    page.rows.push_back(std::move(entry));
  }
  page_.Reset();
  return page;
}

Expected<std::vector<mqtt::ExpiredRow>> RelayDb::Statements::Expire(UtcTime now,
                                                                    std::size_t limit) {
  std::vector<mqtt::ExpiredRow> rows;
  released_.clear();
  expired_.Bind(Milliseconds(now), limit);
  for (;;) {
    auto row = expired_.Step();
    if (!row) return std::move(row).error();
    if (!*row) break;
    rows.push_back({static_cast<mqtt::QueueId>(expired_.Integer(0)),
                    static_cast<std::uint64_t>(expired_.Integer(1)),
                    static_cast<std::size_t>(expired_.Integer(2))});
    ++released_[static_cast<mqtt::MessageId>(expired_.Integer(3))];
  }
  expired_.Reset();
  for (const mqtt::ExpiredRow& row : rows) {
    if (auto done = drop_row_.Bind(row.queue, row.sequence).Run(); !done) {
      return std::move(done).error();
    }
  }
  if (auto done = ReleaseMessages(); !done) return std::move(done).error();
  return rows;
}

}  // namespace mig::store
