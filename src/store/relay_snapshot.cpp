#include "store/relay_snapshot.h"

#include <algorithm>

#include "mqtt/packet.h"
#include "mqtt/property.h"

namespace mig::store {
namespace {

std::optional<UtcTime> TimeAt(const Statement& row, int column) {
  if (row.IsNull(column)) return std::nullopt;
  return TimeFromMillis(row.Integer(column));
}

// Calls `take` for each row.
template <typename Take>
Expected<void> ForEach(Database& database, std::string_view sql, Take take) {
  auto query = database.Prepare(sql);
  if (!query) return std::move(query).error();
  for (;;) {
    auto row = query->Step();
    if (!row) return std::move(row).error();
    if (!*row) return {};
    if (Expected<void> taken = take(*query); !taken) return taken;
  }
}

Expected<void> TakeSession(const Statement& row, mqtt::Snapshot& snapshot) {
  mqtt::SessionRecord session;
  session.id = static_cast<mqtt::QueueId>(row.Integer(0));
  session.client_id = row.Text(1);
  session.role = row.Text(2);
  session.peer_id = row.Text(3);
  session.expiry = std::chrono::seconds(std::clamp<std::int64_t>(row.Integer(4), 0, UINT32_MAX));
  session.away_since = TimeAt(row, 5);
  if (!row.IsNull(6)) {
    auto properties = mqtt::DecodeProperties(row.BlobAt(10), mqtt::PropertyPlace::kWill);
    if (!properties) return std::move(properties).error().During("the will of a session");
    session.will = mqtt::Will{row.Text(6), row.BlobAt(7), static_cast<mqtt::Qos>(row.Integer(8)),
                              row.Integer(9) != 0, std::move(*properties)};
  }
  snapshot.last_queue = std::max(snapshot.last_queue, session.id);
  snapshot.sessions.push_back(std::move(session));
  return {};
}

Expected<void> TakeSubscription(const Statement& row, mqtt::Snapshot& snapshot) {
  auto options = mqtt::DecodeOptions(static_cast<std::uint8_t>(row.Integer(2)));
  if (!options) return std::move(options).error();
  snapshot.subscriptions.push_back({static_cast<mqtt::QueueId>(row.Integer(0)), row.Text(1),
                                    *options, static_cast<std::uint32_t>(row.Integer(3))});
  return {};
}

Expected<void> TakeRetained(const Statement& row, mqtt::Snapshot& snapshot) {
  auto message = std::make_shared<mqtt::Message>();
  message->topic = row.Text(0);
  message->id = static_cast<mqtt::MessageId>(row.Integer(1));
  message->payload = row.BlobAt(2);
  message->properties = row.BlobAt(3);
  message->qos = static_cast<mqtt::Qos>(row.Integer(4));
  message->retain = true;
  message->expires_at = TimeAt(row, 5);
  snapshot.last_message = std::max(snapshot.last_message, message->id);
  snapshot.retained.push_back({std::move(message), row.Text(6), row.Text(7)});
  return {};
}

Expected<void> TakeSending(const Statement& row, mqtt::Snapshot& snapshot) {
  mqtt::SendingRecord record;
  record.session = static_cast<mqtt::QueueId>(row.Integer(0));
  record.packet_id = static_cast<std::uint16_t>(row.Integer(1));
  record.sequence = static_cast<std::uint64_t>(row.Integer(2));
  record.message = static_cast<mqtt::MessageId>(row.Integer(3));
  record.size = static_cast<std::size_t>(row.Integer(4));
  snapshot.sending.push_back(record);
  return {};
}

}  // namespace

Expected<mqtt::Snapshot> LoadSnapshot(Database& database) {
  mqtt::Snapshot s;
  if (auto done = ForEach(database,
                          "SELECT id, client_id, role, peer, expiry, away_since, will_topic,"
                          " will_payload, will_qos, will_retain, will_properties FROM sessions",
                          [&s](const Statement& row) { return TakeSession(row, s); });
      !done) {
    return std::move(done).error();
  }
  if (auto done =
          ForEach(database, "SELECT session, filter, options, identifier FROM subscriptions",
                  [&s](const Statement& row) { return TakeSubscription(row, s); });
      !done) {
    return std::move(done).error();
  }
  if (auto done = ForEach(database, "SELECT id, filter FROM share_groups",
                          [&s](const Statement& row) -> Expected<void> {
                            const auto id = static_cast<mqtt::QueueId>(row.Integer(0));
                            s.last_queue = std::max(s.last_queue, id);
                            s.groups.push_back({id, row.Text(1)});
                            return {};
                          });
      !done) {
    return std::move(done).error();
  }
  if (auto done = ForEach(database,
                          "SELECT queue, count(*), sum(size), max(sequence) FROM queue"
                          " WHERE queue NOT IN (SELECT queue FROM dropped_queues) GROUP BY queue",
                          [&s](const Statement& row) -> Expected<void> {
                            s.queues.push_back({static_cast<mqtt::QueueId>(row.Integer(0)),
                                                static_cast<std::size_t>(row.Integer(1)),
                                                static_cast<std::size_t>(row.Integer(2)),
                                                static_cast<std::uint64_t>(row.Integer(3))});
                            return {};
                          });
      !done) {
    return std::move(done).error();
  }
  if (auto done = ForEach(database, "SELECT max(id) FROM messages",
                          [&s](const Statement& row) -> Expected<void> {
                            s.last_message = static_cast<mqtt::MessageId>(row.Integer(0));
                            return {};
                          });
      !done) {
    return std::move(done).error();
  }
  if (auto done = ForEach(database, "SELECT session, packet_id FROM received",
                          [&s](const Statement& row) -> Expected<void> {
                            s.received.push_back({static_cast<mqtt::QueueId>(row.Integer(0)),
                                                  static_cast<std::uint16_t>(row.Integer(1))});
                            return {};
                          });
      !done) {
    return std::move(done).error();
  }
  // Without its row, which is damage, there is nothing left to send under the identifier.
  if (auto done = ForEach(database,
                          "SELECT s.session, s.packet_id, s.sequence, q.message, q.size"
                          " FROM sending AS s LEFT JOIN queue AS q"
                          " ON q.queue = s.session AND q.sequence = s.sequence"
                          " WHERE s.sequence = 0 OR q.message IS NOT NULL",
                          [&s](const Statement& row) { return TakeSending(row, s); });
      !done) {
    return std::move(done).error();
  }
  // The id of a queue whose rows are still being deleted is not free.
  if (auto done = ForEach(database, "SELECT max(queue) FROM dropped_queues",
                          [&s](const Statement& row) -> Expected<void> {
                            const auto id = static_cast<mqtt::QueueId>(row.Integer(0));
                            s.last_queue = std::max(s.last_queue, id);
                            return {};
                          });
      !done) {
    return std::move(done).error();
  }
  auto done = ForEach(database,
                      "SELECT topic, message, payload, properties, qos, expires_at, role, peer"
                      " FROM retained",
                      [&s](const Statement& row) { return TakeRetained(row, s); });
  if (!done) return std::move(done).error();
  return s;
}

}  // namespace mig::store
