#include "store/relay_db.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <unordered_map>
#include <utility>

#include "store/relay_snapshot.h"
#include "store/relay_sql.h"
#include "store/relay_statements.h"
#include "util/crash_point.h"
#include "util/log.h"

namespace mig::store {
namespace {

constexpr std::chrono::seconds kRetryAfter{1};
constexpr std::chrono::seconds kChoresAfter{10};

// Operations in one transaction. Messages for thousands of clients change as many pages: of larger
// groups more fall on the same page (measured for 2,000 queues: 5.0 KB written for each message in
// groups of 1024, 3.0 KB in groups of 4096), and those who wait do so for a tenth of a second.
constexpr std::size_t kLargestGroup = 4096;
// Rows that a chore deletes at a time.
constexpr std::size_t kSlice = 1000;

// The log is cut to this after a transaction that made it larger.
constexpr std::size_t kLogBytes = std::size_t{64} << 20;
// Of pages. With four times as much the same bytes are written (2.7 to 2.9 KB for each message for
// one of 2,000 queues), and a hundred thousand queued messages would seem to cost 160 bytes each.
constexpr std::size_t kCacheKib = 4096;

// Beside the database while damage is suspected: some page of it could not be used.
std::filesystem::path SuspectFile(const std::filesystem::path& file) {
  return file.string() + "-suspect";
}

void MarkSuspect(const std::filesystem::path& file) {
  std::ofstream(SuspectFile(file)) << "damage was found; the next start reads the whole file\n";
}

// Moves the database and its journal files out of the way.
Expected<std::filesystem::path> MoveAside(const std::filesystem::path& file) {
  const std::string stamp = FormatRfc3339(Now());
  const std::filesystem::path target = file.string() + ".unreadable-" + stamp;
  for (const char* suffix : {"", "-wal", "-shm", "-suspect"}) {
    std::error_code error;
    std::filesystem::rename(file.string() + suffix, target.string() + suffix, error);
    if (error && error != std::errc::no_such_file_or_directory) {
      return Error(Errc::kIo, "move " + file.string() + suffix + " aside: " + error.message());
    }
  }
  return target;
}

}  // namespace

RelayDb::RelayDb(RelayDbOptions options, Database database)
    : options_(std::move(options)), database_(std::move(database)) {}

RelayDb::~RelayDb() { Stop(); }

Expected<std::unique_ptr<RelayDb>> RelayDb::Open(RelayDbOptions options) {
  std::optional<std::filesystem::path> moved;
  for (;;) {
    const auto attempt = [&]() -> Expected<std::unique_ptr<RelayDb>> {
      // One relay, one database: a second process finds it locked instead of delivering twice.
      auto database = Database::Open(options.file, Access::kAlone);
      if (!database) return std::move(database).error();
      std::unique_ptr<RelayDb> db(new RelayDb(options, std::move(*database)));
      if (auto prepared = db->Prepare(); !prepared) return std::move(prepared).error();
      auto snapshot = LoadSnapshot(db->database_);
      if (!snapshot) return std::move(snapshot).error();
      db->snapshot_ = std::move(*snapshot);
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
  if (auto done = database_.Migrate(kRelaySql); !done) return done;
  const std::string settings =
      "PRAGMA wal_autocheckpoint=" + std::to_string(options_.checkpoint_pages) +
      ";PRAGMA journal_size_limit=" + std::to_string(kLogBytes) + ";PRAGMA cache_size=-" +
      std::to_string(kCacheKib);
  if (auto done = database_.Execute(settings); !done) return done;
  if (auto done = CheckAtStart(); !done) return done;
  auto statements = Statements::Prepare(database_);
  if (!statements) return std::move(statements).error();
  statements_ = std::move(*statements);
  auto dropped = statements_->DroppedQueues();
  if (!dropped) return std::move(dropped).error();
  dropping_.assign(dropped->begin(), dropped->end());
  return {};
}

// Reading through gigabytes of payloads would keep everybody waiting at each start: of a large file
// only the tables are checked that the relay cannot do without. A page that turns out to be damaged
// later ends the relay, and the next start reads everything.
Expected<void> RelayDb::CheckAtStart() {
  std::error_code error;
  const bool is_suspect = std::filesystem::exists(SuspectFile(options_.file), error);
  if (is_suspect ||
      std::filesystem::file_size(options_.file, error) <= options_.read_through_bytes) {
    if (auto done = database_.Check(); !done) return done;
    std::filesystem::remove(SuspectFile(options_.file), error);  // else it is read again next time
    return {};
  }
  for (const char* table : {"sessions", "subscriptions", "share_groups", "queue", "retained",
                            "received", "sending", "dropped_queues"}) {
    if (auto done = database_.Check(table); !done) return done;
  }
  return {};
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
  if (work_.empty()) oldest_ = Clock::now();
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
    std::vector<mqtt::PageRequest> reads;
    std::deque<Work> group;
    bool stopping = false;
    {
      std::unique_lock lock(mutex_);
      WaitForWork(lock);
      stopping = stopping_;
      if (stopping && work_.empty()) return;
      reads = TakeReads();
      if (stopping || Clock::now() >= retry_at_) group = TakeGroup();
    }
    for (const mqtt::PageRequest& request : reads) {
      if (!Answer(request)) return;
    }
    if (!Perform(std::move(group))) return;
    if (!writable_ && stopping) return;  // what was not told need not be there
    if (writable_ && !stopping) DoChore();
  }
}

// Until there is something to do: a group that is ripe, a question, a chore, the next attempt.
void RelayDb::WaitForWork(std::unique_lock<std::mutex>& lock) {
  for (;;) {
    const bool retrying = !writable_;
    if (stopping_ || in_a_hurry_) return;
    if (!retrying && waiting_operations_ >= options_.group_operations) return;
    std::optional<Clock::time_point> until;
    if (retrying) {
      until = retry_at_;
    } else if (!work_.empty()) {
      until = oldest_ + options_.group_for;
    } else if (HasChores()) {
      until = chore_at_;
    }
    if (!until) {
      changed_.wait(lock);
    } else if (Clock::now() >= *until) {
      return;
    } else {
      changed_.wait_until(lock, *until);
    }
  }
}

// A client that returns must not wait for what is written for others: takes the questions out whose
// answers nothing that stands before them can change. Under mutex_.
std::vector<mqtt::PageRequest> RelayDb::TakeReads() {
  std::vector<mqtt::PageRequest> reads;
  if (!std::exchange(in_a_hurry_, false)) return reads;
  constexpr auto kAll = std::numeric_limits<std::uint64_t>::max();
  // The highest sequence number of each queue that is about to change.
  std::unordered_map<mqtt::QueueId, std::uint64_t> changing;
  const auto note = [&changing](mqtt::QueueId queue, std::uint64_t sequence) {
    std::uint64_t& highest = changing[queue];
    highest = std::max(highest, sequence);
  };
  const auto note_operation = [&note](const mqtt::KeepOperation& operation) {
    if (const auto* enqueue = std::get_if<mqtt::Enqueue>(&operation)) {
      for (const mqtt::Destination& d : enqueue->destinations) note(d.queue, kAll);
    } else if (const auto* dequeue = std::get_if<mqtt::Dequeue>(&operation)) {
      note(dequeue->queue, dequeue->sequence);
    } else if (const auto* released = std::get_if<mqtt::PutReleased>(&operation)) {
      note(released->session, released->sequence);
    } else if (const auto* session = std::get_if<mqtt::DropSession>(&operation)) {
      note(session->id, kAll);
    } else if (const auto* share = std::get_if<mqtt::DropGroup>(&operation)) {
      note(share->id, kAll);
    }
  };
  std::deque<Work> rest;
  for (Work& work : work_) {
    if (const auto* batch = std::get_if<mqtt::KeepBatch>(&work)) {
      for (const mqtt::KeepOperation& operation : batch->operations) note_operation(operation);
    } else if (const auto* request = std::get_if<mqtt::PageRequest>(&work)) {
      const auto found = changing.find(request->queue);
      if (found == changing.end() || found->second <= request->after) {
        reads.push_back(*request);
        continue;
      }
    }
    rest.push_back(std::move(work));
  }
  work_ = std::move(rest);
  return reads;
}

// What one transaction takes, more or less. Under mutex_.
std::deque<RelayDb::Work> RelayDb::TakeGroup() {
  std::deque<Work> group;
  std::size_t operations = 0;
  while (!work_.empty() && operations < kLargestGroup) {
    if (const auto* batch = std::get_if<mqtt::KeepBatch>(&work_.front())) {
      operations += batch->operations.size();
    }
    group.push_back(std::move(work_.front()));
    work_.pop_front();
  }
  waiting_operations_ -= operations;
  if (std::ranges::any_of(
          work_, [](const Work& work) { return !std::holds_alternative<mqtt::KeepBatch>(work); })) {
    in_a_hurry_ = true;
  }
  // What is left has waited already: `oldest_` stays.
  return group;
}

// Batches that follow each other are one transaction; a question is answered by what stands before
// it. False: stop, because a later batch must not be told committed when an earlier one is not.
bool RelayDb::Perform(std::deque<Work> group) {
  std::vector<mqtt::KeepBatch> batches;
  while (!group.empty()) {
    if (auto* batch = std::get_if<mqtt::KeepBatch>(&group.front())) {
      batches.push_back(std::move(*batch));
      group.pop_front();
      if (!group.empty()) continue;
    }
    if (!batches.empty()) {
      switch (CommitAll(batches)) {
        case Commitment::kDone:
          break;
        case Commitment::kLater:
          PutBack(std::move(batches), std::move(group));
          return true;
        case Commitment::kNever:
          return false;
      }
      batches.clear();
    }
    if (group.empty()) break;
    if (const auto* request = std::get_if<mqtt::PageRequest>(&group.front())) {
      if (!Answer(*request)) return false;
    } else {
      sweeping_ = std::get<SweepRequest>(group.front()).now;
      SweepSome();
    }
    group.pop_front();
  }
  return true;
}

void RelayDb::PutBack(std::vector<mqtt::KeepBatch> batches, std::deque<Work> rest) {
  const std::lock_guard lock(mutex_);
  for (auto work = rest.rbegin(); work != rest.rend(); ++work) {
    if (const auto* batch = std::get_if<mqtt::KeepBatch>(&*work)) {
      waiting_operations_ += batch->operations.size();
    }
    work_.push_front(std::move(*work));
  }
  for (auto batch = batches.rbegin(); batch != batches.rend(); ++batch) {
    waiting_operations_ += batch->operations.size();
    work_.push_front(std::move(*batch));
  }
}

RelayDb::Commitment RelayDb::CommitAll(const std::vector<mqtt::KeepBatch>& batches) {
  // On a full disk: what the log holds already goes to the database, and its room is free again.
  // If that fails as well, the commit will say so.
  if (!writable_) static_cast<void>(database_.Execute("PRAGMA wal_checkpoint"));
  auto done = Commit(batches);
  if (done) {
    if (!writable_) {
      writable_ = true;
      log::Info("the relay's database can be written again");
      answers_.writable(true);
    }
    for (const mqtt::QueueId id : statements_->TakeDropped()) dropping_.push_back(id);
    answers_.committed(batches.back().number);
    return Commitment::kDone;
  }
  const Errc code = done.error().code();
  // Damage, or an operation that cannot be carried out, will be no better in a second.
  if (code != Errc::kFull && code != Errc::kIo && code != Errc::kUnavailable) {
    Fail(std::move(done).error());
    return Commitment::kNever;
  }
  retry_at_ = Clock::now() + kRetryAfter;
  if (writable_) {
    writable_ = false;
    log::Error("the relay's database cannot be written; nothing is acknowledged until it can",
               {{"error", done.error().message()}});
    answers_.writable(false);
  }
  return Commitment::kLater;
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

bool RelayDb::Answer(const mqtt::PageRequest& request) {
  auto page = statements_->Page(request);
  if (!page) {
    Fail(std::move(page).error());
    return false;
  }
  answers_.page(std::move(*page));
  return true;
}

void RelayDb::Fail(Error error) {
  log::Error("the relay's database has failed", {{"error", error.message()}});
  if (error.code() == Errc::kMalformed) MarkSuspect(options_.file);
  answers_.failed(std::move(error));
}

// Chores: what can wait, a slice at a time, between the transactions that somebody waits for.
void RelayDb::DoChore() {
  if (!HasChores() || Clock::now() < chore_at_) return;
  sweeping_ ? SweepSome() : DropSome();
}

void RelayDb::SweepSome() {
  std::vector<mqtt::ExpiredRow> rows;
  const auto sweep = [&]() -> Expected<void> {
    auto transaction = Transaction::Begin(database_);
    if (!transaction) return std::move(transaction).error();
    auto expired = statements_->Expire(*sweeping_, kSlice);
    if (!expired) return std::move(expired).error();
    if (auto done = transaction->Commit(); !done) return done;
    rows = std::move(*expired);
    return {};
  };
  if (auto done = sweep(); !done) return Postpone(done.error());
  if (rows.size() < kSlice) sweeping_.reset();
  if (!rows.empty()) answers_.expired(std::move(rows));
}

void RelayDb::DropSome() {
  bool is_empty = false;
  const auto drop = [&]() -> Expected<void> {
    auto transaction = Transaction::Begin(database_);
    if (!transaction) return std::move(transaction).error();
    auto finished = statements_->DropSlice(dropping_.front(), kSlice);
    if (!finished) return std::move(finished).error();
    is_empty = *finished;
    return transaction->Commit();
  };
  if (auto done = drop(); !done) return Postpone(done.error());
  if (is_empty) dropping_.pop_front();
}

void RelayDb::Postpone(const Error& error) {
  log::Warning("old messages could not be deleted; trying again later",
               {{"error", error.message()}});
  chore_at_ = Clock::now() + kChoresAfter;
}

}  // namespace mig::store
