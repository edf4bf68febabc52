#include "store/relay_db.h"

#include <algorithm>
#include <utility>

#include "mqtt/packet.h"
#include "mqtt/property.h"
#include "store/relay_sql.h"
#include "store/relay_statements.h"
#include "util/crash_point.h"
#include "util/log.h"

namespace mig::store {
namespace {

constexpr std::chrono::seconds kRetryAfter{1};

// Moves the database and its journal files out of the way.
Expected<std::filesystem::path> MoveAside(const std::filesystem::path& file) {
  const std::string stamp = FormatRfc3339(Now());
  const std::filesystem::path target = file.string() + ".unreadable-" + stamp;
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::error_code error;
    std::filesystem::rename(file.string() + suffix, target.string() + suffix, error);
    if (error && error != std::errc::no_such_file_or_directory) {
      return Error(Errc::kIo, "move " + file.string() + suffix + " aside: " + error.message());
    }
  }
  return target;
}

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

RelayDb::RelayDb(RelayDbOptions options, Database database)
    : options_(std::move(options)), database_(std::move(database)) {}

RelayDb::~RelayDb() { Stop(); }

Expected<std::unique_ptr<RelayDb>> RelayDb::Open(RelayDbOptions options) {
  std::optional<std::filesystem::path> moved;
  for (;;) {
    const auto attempt = [&]() -> Expected<std::unique_ptr<RelayDb>> {
      auto database = Database::Open(options.file);
      if (!database) return std::move(database).error();
      std::unique_ptr<RelayDb> db(new RelayDb(options, std::move(*database)));
      if (auto prepared = db->Prepare(); !prepared) return std::move(prepared).error();
      if (auto loaded = db->Load(); !loaded) return std::move(loaded).error();
      return db;
    };
    auto db = attempt();
    if (db) {
      (*db)->moved_aside_ = moved;
      return db;
    }
    if (db.error().code() != Errc::kMalformed || moved) return std::move(db).error();
    auto target = MoveAside(options.file);
    if (!target) return std::move(target).error();
    log::Error("the relay's database cannot be read; starting empty",
               {{"error", db.error().message()}, {"moved to", target->string()}});
    moved = *target;
  }
}

Expected<void> RelayDb::Prepare() {
  // One relay, one database: a second process finds it locked instead of delivering twice.
  if (auto done = database_.Execute("PRAGMA locking_mode=EXCLUSIVE"); !done) return done;
  if (auto done = database_.Migrate(kRelaySql); !done) return done;
  if (auto done = database_.Execute("PRAGMA wal_autocheckpoint=" +
                                    std::to_string(options_.checkpoint_pages));
      !done) {
    return done;
  }
  if (auto done = database_.Check(); !done) return done;
  auto statements = Statements::Prepare(database_);
  if (!statements) return std::move(statements).error();
  statements_ = std::move(*statements);
  return {};
}

Expected<void> RelayDb::Load() {
  mqtt::Snapshot& s = snapshot_;
  if (auto done = ForEach(database_,
                          "SELECT id, client_id, role, peer, expiry, away_since, will_topic,"
                          " will_payload, will_qos, will_retain, will_properties FROM sessions",
                          [&s](const Statement& row) { return TakeSession(row, s); });
      !done) {
    return done;
  }
  if (auto done =
          ForEach(database_, "SELECT session, filter, options, identifier FROM subscriptions",
                  [&s](const Statement& row) { return TakeSubscription(row, s); });
      !done) {
    return done;
  }
  if (auto done = ForEach(database_, "SELECT id, filter FROM share_groups",
                          [&s](const Statement& row) -> Expected<void> {
                            const auto id = static_cast<mqtt::QueueId>(row.Integer(0));
                            s.last_queue = std::max(s.last_queue, id);
                            s.groups.push_back({id, row.Text(1)});
                            return {};
                          });
      !done) {
    return done;
  }
  if (auto done = ForEach(database_,
                          "SELECT queue, count(*), sum(size), max(sequence) FROM queue"
                          " GROUP BY queue",
                          [&s](const Statement& row) -> Expected<void> {
                            s.queues.push_back({static_cast<mqtt::QueueId>(row.Integer(0)),
                                                static_cast<std::size_t>(row.Integer(1)),
                                                static_cast<std::size_t>(row.Integer(2)),
                                                static_cast<std::uint64_t>(row.Integer(3))});
                            return {};
                          });
      !done) {
    return done;
  }
  if (auto done = ForEach(database_, "SELECT max(id) FROM messages",
                          [&s](const Statement& row) -> Expected<void> {
                            s.last_message = static_cast<mqtt::MessageId>(row.Integer(0));
                            return {};
                          });
      !done) {
    return done;
  }
  if (auto done = ForEach(database_, "SELECT session, packet_id FROM received",
                          [&s](const Statement& row) -> Expected<void> {
                            s.received.push_back({static_cast<mqtt::QueueId>(row.Integer(0)),
                                                  static_cast<std::uint16_t>(row.Integer(1))});
                            return {};
                          });
      !done) {
    return done;
  }
  // Without its row, which is damage, there is nothing left to send under the identifier.
  if (auto done = ForEach(database_,
                          "SELECT s.session, s.packet_id, s.sequence, q.message, q.size"
                          " FROM sending AS s LEFT JOIN queue AS q"
                          " ON q.queue = s.session AND q.sequence = s.sequence"
                          " WHERE s.sequence = 0 OR q.message IS NOT NULL",
                          [&s](const Statement& row) { return TakeSending(row, s); });
      !done) {
    return done;
  }
  return ForEach(database_,
                 "SELECT topic, message, payload, properties, qos, expires_at, role, peer"
                 " FROM retained",
                 [&s](const Statement& row) { return TakeRetained(row, s); });
}

void RelayDb::Start(Answers answers) {
  answers_ = std::move(answers);
  thread_ = std::thread([this] { Run(); });
}

void RelayDb::Keep(mqtt::KeepBatch batch) {
  const std::size_t operations = batch.operations.size();
  Add(std::move(batch), operations);
}

void RelayDb::Read(mqtt::PageRequest request) { Add(request, 0); }

void RelayDb::DropExpired(UtcTime now) { Add(SweepRequest{now}, 0); }

void RelayDb::Add(Work work, std::size_t operations) {
  const std::lock_guard lock(mutex_);
  if (work_.empty()) oldest_ = std::chrono::steady_clock::now();
  in_a_hurry_ = in_a_hurry_ || operations == 0;
  const bool was_idle = work_.empty();
  work_.push_back(std::move(work));
  waiting_operations_ += operations;
  // Woken for the first, which starts the clock, and for what ends the wait early.
  if (was_idle || in_a_hurry_ || waiting_operations_ >= options_.group_operations) {
    changed_.notify_one();
  }
}

void RelayDb::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void RelayDb::Run() {
  for (;;) {
    std::deque<Work> work;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !work_.empty(); });
      if (work_.empty()) return;
      changed_.wait_until(lock, oldest_ + options_.group_for, [this] {
        return stopping_ || in_a_hurry_ || waiting_operations_ >= options_.group_operations;
      });
      work = std::exchange(work_, {});
      waiting_operations_ = 0;
      in_a_hurry_ = false;
    }
    Perform(std::move(work));
  }
}

// Batches that follow each other are one transaction; a question is answered by what stands before
// it.
void RelayDb::Perform(std::deque<Work> work) {
  std::vector<mqtt::KeepBatch> batches;
  const auto fail = [this](Error error) {
    log::Error("the relay's database has failed", {{"error", error.message()}});
    answers_.failed(std::move(error));
  };
  for (Work& each : work) {
    if (auto* batch = std::get_if<mqtt::KeepBatch>(&each)) {
      batches.push_back(std::move(*batch));
      continue;
    }
    if (!CommitUntilDone(batches)) return;
    batches.clear();
    if (const auto* request = std::get_if<mqtt::PageRequest>(&each)) {
      auto page = ReadPage(*request);
      if (!page) return fail(std::move(page).error());
      answers_.page(std::move(*page));
    } else {
      auto expired = DeleteExpired(std::get<SweepRequest>(each).now);
      if (!expired) {
        log::Warning("expired messages could not be deleted; trying again later",
                     {{"error", expired.error().message()}});
      } else if (!expired->empty()) {
        answers_.expired(std::move(*expired));
      }
    }
  }
  CommitUntilDone(batches);
}

bool RelayDb::CommitUntilDone(const std::vector<mqtt::KeepBatch>& batches) {
  if (batches.empty()) return true;
  for (;;) {
    auto done = Commit(batches);
    if (done) {
      if (!std::exchange(writable_, true)) answers_.writable(true);
      answers_.committed(batches.back().number);
      return true;
    }
    const Errc code = done.error().code();
    // Damage, or an operation that cannot be carried out, will be no better in a second.
    if (code != Errc::kFull && code != Errc::kIo && code != Errc::kUnavailable) {
      log::Error("the relay's database has failed", {{"error", done.error().message()}});
      answers_.failed(std::move(done).error());
      return false;
    }
    log::Error("the relay's database cannot be written; nothing is acknowledged until it can",
               {{"error", done.error().message()}});
    if (std::exchange(writable_, false)) answers_.writable(false);
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, kRetryAfter, [this] { return stopping_; })) return false;
  }
}

Expected<void> RelayDb::Commit(const std::vector<mqtt::KeepBatch>& batches) {
  CrashPoint("relay.store.received");
  auto transaction = Transaction::Begin(database_);
  if (!transaction) return std::move(transaction).error();
  if (auto done = statements_->Apply(batches); !done) return done;
  CrashPoint("relay.store.written");
  if (auto done = transaction->Commit(); !done) return done;
  CrashPoint("relay.store.committed");
  return {};
}

Expected<mqtt::Page> RelayDb::ReadPage(const mqtt::PageRequest& request) {
  return statements_->Page(request);
}

Expected<std::vector<mqtt::ExpiredRow>> RelayDb::DeleteExpired(UtcTime now) {
  auto transaction = Transaction::Begin(database_);
  if (!transaction) return std::move(transaction).error();
  auto rows = statements_->Expire(now);
  if (!rows) return rows;
  if (auto done = transaction->Commit(); !done) return std::move(done).error();
  return rows;
}

}  // namespace mig::store
