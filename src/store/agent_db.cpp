#include "store/agent_db.h"

#include <cassert>

#include "os/space_reserve.h"
#include "store/agent_sql.h"
#include "store/sqlite.h"

namespace mig::store {
namespace {

std::int64_t ToMillis(UtcTime time) { return time.time_since_epoch().count(); }

constexpr std::int64_t kMemoryMillis =
    std::chrono::duration_cast<std::chrono::milliseconds>(kMemoryAfterExpiry).count();

std::string_view StateName(RunState state) {
  switch (state) {
    case RunState::kReceived:
      return "received";
    case RunState::kStarted:
      return "started";
    case RunState::kFinished:
      break;
  }
  return "finished";
}

RunState StateFrom(std::string_view name) {
  if (name == "received") return RunState::kReceived;
  if (name == "started") return RunState::kStarted;
  return RunState::kFinished;  // the schema's CHECK allows no fourth
}

constexpr std::string_view kActionColumns =
    "SELECT id, kind, expireafter, state, attempts, status, envelope FROM actions ";

Expected<RememberedAction> ActionFrom(const Statement& row) {
  RememberedAction action;
  auto id = ActionId::FromBytes(row.BlobAt(0));
  auto kind = ParseKind(row.Text(1));
  if (!id || !kind) {
    return Error(Errc::kMalformed, "table actions: a row that this program did not write");
  }
  action.id = *id;
  action.kind = *kind;
  action.expireafter = TimeFromMillis(row.Integer(2));
  action.state = StateFrom(row.Text(3));
  action.attempts = static_cast<std::uint32_t>(row.Integer(4));
  if (!row.IsNull(5)) {
    auto status = ParseCommandStatus(row.Text(5));
    if (!status) return std::move(status).error().During("table actions");
    action.status = *status;
  }
  action.envelope = row.BlobAt(6);
  return action;
}

}  // namespace

struct AgentDb::Impl {
  Impl(Database opened, const AgentDbOptions& given)
      : database(std::move(opened)),
        options(given),
        reserve(database.file().string() + ".reserve", given.reserve_bytes) {}

  Database database;
  AgentDbOptions options;
  os::SpaceReserve reserve;
  LedgerMark mark;
  std::uint64_t waiting_parts = 0;
  std::uint64_t outbox_bytes = 0;

  // One statement that returns no rows.
  template <typename... Arguments>
  Expected<void> Run(std::string_view sql, const Arguments&... arguments) {
    auto statement = database.Prepare(sql);
    if (!statement) return std::move(statement).error();
    return statement->Bind(arguments...).Run();
  }

  // The first row of a query, which `read` gets; false when there is none.
  template <typename Read, typename... Arguments>
  Expected<bool> First(std::string_view sql, Read read, const Arguments&... arguments) {
    auto statement = database.Prepare(sql);
    if (!statement) return std::move(statement).error();
    auto row = statement->Bind(arguments...).Step();
    if (!row) return std::move(row).error();
    if (*row) read(*statement);
    return *row;
  }

  Expected<void> LoadCounters() {
    auto parts = First(
        "SELECT count(*) FILTER (WHERE acknowledged = 0), coalesce(sum(length(envelope)), 0)"
        " FROM parts",
        [&](const Statement& row) {
          waiting_parts = static_cast<std::uint64_t>(row.Integer(0));
          outbox_bytes = static_cast<std::uint64_t>(row.Integer(1));
        });
    if (!parts) return std::move(parts).error();
    return {};
  }

  Expected<void> LoadMark() {
    mark = LedgerMark{0, LedgerGenesis()};
    auto last = First("SELECT number, hash FROM ledger ORDER BY number DESC LIMIT 1",
                      [&](const Statement& row) {
                        mark.length = static_cast<std::uint64_t>(row.Integer(0));
                        mark.head = row.BlobAt(1);
                      });
    if (!last) return std::move(last).error();
    return {};
  }

  // `body` and the ledger's entry in one transaction. On a full disk the reserve is given up for
  // what the ledger must tell, once; whoever accepts new work has to take it again first (Accept).
  // What goes without an entry (parts before the last) may not have it, or nothing would be left to
  // say that they did not fit.
  template <typename Body>
  Expected<void> Change(const LedgerNote* note, Body body) {
    auto done = TryChange(note, body);
    if (done || done.error().code() != Errc::kFull || note == nullptr || !reserve.held())
      return done;
    if (auto released = reserve.Release(); !released) return released;
    return TryChange(note, body);
  }

  template <typename Body>
  Expected<void> TryChange(const LedgerNote* note, Body& body) {
    auto transaction = Transaction::Begin(database);
    if (!transaction) return std::move(transaction).error();
    if (auto ok = body(); !ok) return ok;
    LedgerMark after = mark;
    if (note != nullptr) {
      const LedgerEntry entry =
          NextEntry(mark.length, mark.head, note->time, note->event, note->facts);
      if (auto ok = Run("INSERT INTO ledger (number, text, hash) VALUES (?, ?, ?)", entry.number,
                        Blob{LedgerText(entry)}, Blob{entry.hash});
          !ok) {
        return std::move(ok).error().During("ledger");
      }
      after = LedgerMark{entry.number, entry.hash};
    }
    if (auto ok = transaction->Commit(); !ok) return ok;
    mark = std::move(after);
    return {};
  }

  Expected<void> RaiseFloor(UtcTime floor) {
    return Run("UPDATE trust SET time_floor = max(time_floor, ?)", ToMillis(floor));
  }

  // Deletes delivered parts, the oldest first, until `bytes` more fit, and counts what that freed.
  // False: they do not fit even so. Inside a transaction.
  Expected<bool> MakeRoom(std::uint64_t bytes, std::uint64_t& freed) {
    freed = 0;
    while (outbox_bytes - freed + bytes > options.outbox_bytes) {
      std::int64_t number = 0;
      std::uint64_t size = 0;
      auto oldest = First(
          "SELECT number, length(envelope) FROM parts WHERE acknowledged = 1"
          " ORDER BY number LIMIT 1",
          [&](const Statement& row) {
            number = row.Integer(0);
            size = static_cast<std::uint64_t>(row.Integer(1));
          });
      if (!oldest) return std::move(oldest).error();
      if (!*oldest) return false;
      if (auto ok = Run("DELETE FROM parts WHERE number = ?", number); !ok) {
        return std::move(ok).error();
      }
      freed += size;
    }
    return true;
  }

  Expected<void> InsertPart(const NewPart& part) {
    if (auto ok = Run("UPDATE actions SET next_seq = next_seq + 1, last_digest = ?,"
                      " operations_ended = operations_ended + ?,"
                      " open_parts = CASE WHEN ? THEN 0 ELSE open_parts + 1 END"
                      " WHERE id = ? AND next_seq = ? AND state <> 'finished'",
                      Blob{part.digest}, part.ends_operation, part.ends_operation,
                      Blob{part.action.View()}, part.seq);
        !ok) {
      return ok;
    }
    if (database.Changes() != 1) {
      return Error(Errc::kInternal, "part " + std::to_string(part.seq) + " of action " +
                                        part.action.Text() + " does not follow the one before");
    }
    if (part.failure) {
      if (auto ok = Run("UPDATE actions SET first_failure = coalesce(first_failure, ?)"
                        " WHERE id = ?",
                        CommandStatusName(*part.failure), Blob{part.action.View()});
          !ok) {
        return ok;
      }
    }
    return Run("INSERT INTO parts (action, seq, envelope) VALUES (?, ?, ?)",
               Blob{part.action.View()}, part.seq, Blob{part.envelope});
  }
};

AgentDb::AgentDb(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AgentDb::~AgentDb() = default;

Expected<std::unique_ptr<AgentDb>> AgentDb::Open(const std::filesystem::path& file,
                                                 const AgentDbOptions& options) {
  auto database = Database::Open(file);
  if (!database) return std::move(database).error();
  // A burst of results must not leave a journal of its size behind for ever.
  if (auto ok = database->Execute("PRAGMA journal_size_limit=4194304"); !ok) {
    return std::move(ok).error();
  }
  if (auto ok = database->Migrate(kAgentSql); !ok) return std::move(ok).error();
  auto impl = std::make_unique<Impl>(std::move(*database), options);
  if (auto ok = impl->LoadCounters(); !ok) return std::move(ok).error();
  if (auto ok = impl->LoadMark(); !ok) return std::move(ok).error();
  return std::unique_ptr<AgentDb>(new AgentDb(std::move(impl)));
}

// ---- Memory of actions.

Expected<std::optional<ReplayMemory::Seen>> AgentDb::Find(const ActionId& id) const {
  std::optional<Seen> seen;
  auto found = impl_->First(
      "SELECT digest FROM actions WHERE id = ?",
      [&](const Statement& row) { seen = Seen{row.BlobAt(0)}; }, Blob{id.View()});
  if (!found) return std::move(found).error();
  return seen;
}

Expected<bool> AgentDb::IsStopped(const ActionId& id) const {
  return impl_->First(
      "SELECT 1 FROM stops WHERE action = ?", [](const Statement&) {}, Blob{id.View()});
}

Expected<std::optional<RememberedAction>> AgentDb::Recall(const ActionId& id) const {
  std::optional<Expected<RememberedAction>> action;
  auto found = impl_->First(
      std::string(kActionColumns) + "WHERE id = ?",
      [&](const Statement& row) { action = ActionFrom(row); }, Blob{id.View()});
  if (!found) return std::move(found).error();
  if (!action) return std::optional<RememberedAction>();
  if (!*action) return std::move(*action).error();
  return std::optional<RememberedAction>(std::move(**action));
}

Expected<std::vector<RememberedAction>> AgentDb::Unfinished() const {
  auto statement = impl_->database.Prepare(std::string(kActionColumns) +
                                           "WHERE state <> 'finished' ORDER BY arrival");
  if (!statement) return std::move(statement).error();
  std::vector<RememberedAction> actions;
  for (;;) {
    auto row = statement->Step();
    if (!row) return std::move(row).error();
    if (!*row) return actions;
    auto action = ActionFrom(*statement);
    if (!action) return std::move(action).error();
    actions.push_back(std::move(*action));
  }
}

Expected<void> AgentDb::Accept(const Accepted& accepted, BytesView envelope, UtcTime floor,
                               const LedgerNote& note) {
  const Action& action = accepted.action;
  const bool stop = action.kind == Kind::kStop;
  if (!stop) {
    if (auto ok = impl_->reserve.Take(); !ok) {
      return std::move(ok).error().During("space for the ledger");
    }
  }
  return impl_->Change(&note, [&]() -> Expected<void> {
    auto statement = impl_->database.Prepare(
        "INSERT INTO actions (id, digest, kind, expireafter, state, status, envelope)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)");
    if (!statement) return std::move(statement).error();
    const Blob id{action.id.View()};
    const Blob digest{accepted.digest};
    const std::string_view kind = KindName(action.kind);
    const std::int64_t expires = ToMillis(action.expireafter);
    auto inserted = stop ? statement
                               ->Bind(id, digest, kind, expires, StateName(RunState::kFinished),
                                      CommandStatusName(CommandStatus::kSuccess), nullptr)
                               .Run()
                         : statement
                               ->Bind(id, digest, kind, expires, StateName(RunState::kReceived),
                                      nullptr, Blob{envelope})
                               .Run();
    if (!inserted) return inserted;
    if (stop) {
      assert(action.stops && "the decoder demands it of a stop");
      if (auto ok = impl_->Run("INSERT INTO stops (action, until) VALUES (?1, ?2)"
                               " ON CONFLICT (action) DO UPDATE SET until = max(until, ?2)",
                               Blob{action.stops->View()}, expires);
          !ok) {
        return ok;
      }
    }
    return impl_->RaiseFloor(floor);
  });
}

Expected<void> AgentDb::MarkStarted(const ActionId& id, const LedgerNote& note) {
  return impl_->Change(&note, [&]() -> Expected<void> {
    if (auto ok = impl_->Run("UPDATE actions SET state = 'started', attempts = attempts + 1"
                             " WHERE id = ? AND state <> 'finished'",
                             Blob{id.View()});
        !ok) {
      return ok;
    }
    if (impl_->database.Changes() == 1) return {};
    return Error(Errc::kInternal, "action " + id.Text() + " is not there to be started");
  });
}

Expected<void> AgentDb::Forget() {
  auto done = impl_->Change(nullptr, [&]() -> Expected<void> {
    if (auto ok = impl_->Run("DELETE FROM actions WHERE state = 'finished' AND expireafter + ? <"
                             " (SELECT time_floor FROM trust)",
                             kMemoryMillis);
        !ok) {
      return ok;
    }
    return impl_->Run("DELETE FROM stops WHERE until + ? < (SELECT time_floor FROM trust)",
                      kMemoryMillis);
  });
  if (!done) return done;
  return impl_->LoadCounters();
}

// ---- Outbox.

Expected<PartsProgress> AgentDb::ProgressOf(const ActionId& action) const {
  PartsProgress progress;
  auto found = impl_->First(
      "SELECT next_seq, last_digest, operations_ended, open_parts, first_failure"
      " FROM actions WHERE id = ?",
      [&](const Statement& row) {
        progress.next_seq = static_cast<std::uint64_t>(row.Integer(0));
        progress.last_digest = row.BlobAt(1);
        progress.operations_ended = static_cast<std::uint32_t>(row.Integer(2));
        progress.open_parts = static_cast<std::uint64_t>(row.Integer(3));
        if (auto failure = ParseCommandStatus(row.Text(4))) progress.first_failure = *failure;
      },
      Blob{action.View()});
  if (!found) return std::move(found).error();
  if (!*found) return Error(Errc::kNotFound, "action " + action.Text() + " is not remembered");
  return progress;
}

Expected<void> AgentDb::AddPart(const NewPart& part) {
  std::uint64_t freed = 0;
  bool room = true;
  auto done = impl_->Change(nullptr, [&]() -> Expected<void> {
    auto made = impl_->MakeRoom(part.envelope.size(), freed);
    if (!made) return std::move(made).error();
    room = *made;
    if (!room) return {};  // what was freed stays so
    return impl_->InsertPart(part);
  });
  if (!done) return done;
  impl_->outbox_bytes -= freed;
  if (!room) {
    return Error(Errc::kFull, "outbox full: " + std::to_string(impl_->outbox_bytes) +
                                  " bytes of results wait to be acknowledged");
  }
  impl_->outbox_bytes += part.envelope.size();
  ++impl_->waiting_parts;
  return {};
}

Expected<void> AgentDb::Finish(const NewPart& last, CommandStatus status, const LedgerNote& note) {
  auto done = impl_->Change(&note, [&]() -> Expected<void> {
    if (auto ok = impl_->InsertPart(last); !ok) return ok;
    return impl_->Run(
        "UPDATE actions SET state = 'finished', status = ?, envelope = NULL"
        " WHERE id = ?",
        CommandStatusName(status), Blob{last.action.View()});
  });
  if (!done) return done;
  impl_->outbox_bytes += last.envelope.size();
  ++impl_->waiting_parts;
  return {};
}

Expected<std::vector<StoredPart>> AgentDb::Waiting(std::uint64_t after_number,
                                                   std::uint64_t max_bytes) const {
  auto statement = impl_->database.Prepare(
      "SELECT number, action, seq, envelope FROM parts WHERE acknowledged = 0 AND number > ?"
      " ORDER BY number");
  if (!statement) return std::move(statement).error();
  statement->Bind(after_number);
  std::vector<StoredPart> parts;
  std::uint64_t bytes = 0;
  while (bytes < max_bytes || parts.empty()) {
    auto row = statement->Step();
    if (!row) return std::move(row).error();
    if (!*row) break;
    StoredPart part;
    part.number = static_cast<std::uint64_t>(statement->Integer(0));
    auto action = ActionId::FromBytes(statement->BlobAt(1));
    if (!action) return std::move(action).error().During("table parts");
    part.action = *action;
    part.seq = static_cast<std::uint64_t>(statement->Integer(2));
    part.envelope = statement->BlobAt(3);
    bytes += part.envelope.size();
    parts.push_back(std::move(part));
  }
  return parts;
}

bool AgentDb::HasWaiting() const { return impl_->waiting_parts > 0; }

Expected<void> AgentDb::Acknowledge(const ActionId& action,
                                    const std::vector<std::uint64_t>& seqs) {
  std::uint64_t acknowledged = 0;
  auto done = impl_->Change(nullptr, [&]() -> Expected<void> {
    acknowledged = 0;
    for (const std::uint64_t seq : seqs) {
      if (auto ok = impl_->Run("UPDATE parts SET acknowledged = 1"
                               " WHERE action = ? AND seq = ? AND acknowledged = 0",
                               Blob{action.View()}, seq);
          !ok) {
        return ok;
      }
      acknowledged += static_cast<std::uint64_t>(impl_->database.Changes());
    }
    return {};
  });
  if (!done) return done;
  impl_->waiting_parts -= acknowledged;
  return {};
}

Expected<std::uint64_t> AgentDb::Repeat(const ActionId& action) {
  std::uint64_t repeated = 0;
  auto done = impl_->Change(nullptr, [&]() -> Expected<void> {
    auto ok = impl_->Run("UPDATE parts SET acknowledged = 0 WHERE action = ? AND acknowledged = 1",
                         Blob{action.View()});
    repeated = static_cast<std::uint64_t>(impl_->database.Changes());
    return ok;
  });
  if (!done) return std::move(done).error();
  impl_->waiting_parts += repeated;
  return repeated;
}

Expected<std::uint64_t> AgentDb::DropStaleParts(UtcTime now) {
  const std::uint64_t before = impl_->waiting_parts;
  auto done = impl_->Change(nullptr, [&]() -> Expected<void> {
    return impl_->Run(
        "DELETE FROM parts WHERE action IN (SELECT id FROM actions"
        " WHERE state = 'finished' AND expireafter + ? < ?)",
        kMemoryMillis, ToMillis(now));
  });
  if (!done) return std::move(done).error();
  if (auto ok = impl_->LoadCounters(); !ok) return std::move(ok).error();
  return before - impl_->waiting_parts;
}

// ---- Trust.

namespace {

constexpr std::string_view kSelectTrust =
    "SELECT time_floor, root_version, policy_version, documents, freshness FROM trust";

AgentDb::TrustState TrustIn(const Statement& row) {
  AgentDb::TrustState state;
  state.time_floor = TimeFromMillis(row.Integer(0));
  state.root_version = static_cast<std::uint64_t>(row.Integer(1));
  state.policy_version = static_cast<std::uint64_t>(row.Integer(2));
  state.documents = row.BlobAt(3);
  state.freshness = row.BlobAt(4);
  return state;
}

Error NoTrustRow() { return Error(Errc::kMalformed, "table trust has no row"); }

}  // namespace

Expected<AgentDb::TrustState> AgentDb::Trust() const {
  TrustState state;
  auto found = impl_->First(kSelectTrust, [&](const Statement& row) { state = TrustIn(row); });
  if (!found) return std::move(found).error();
  if (!*found) return NoTrustRow();
  return state;
}

Expected<void> AgentDb::KeepPolicy(std::uint64_t root_version, std::uint64_t policy_version,
                                   BytesView documents, UtcTime floor, const LedgerNote& note) {
  return impl_->Change(&note, [&]() -> Expected<void> {
    // The last guard, whatever the caller compared: versions never go back.
    if (auto ok = impl_->Run(
            "UPDATE trust SET root_version = ?1, policy_version = ?2,"
            " documents = ?3, freshness = NULL WHERE root_version <= ?1 AND policy_version <= ?2",
            root_version, policy_version, Blob{documents});
        !ok) {
      return ok;
    }
    if (impl_->database.Changes() != 1) {
      return Error(Errc::kDenied, "root version " + std::to_string(root_version) +
                                      " with policy version " + std::to_string(policy_version) +
                                      " is older than what this agent has seen");
    }
    return impl_->RaiseFloor(floor);
  });
}

Expected<void> AgentDb::ChangeIdentity(const LedgerNote& note) {
  auto done = impl_->Change(&note, [&]() -> Expected<void> {
    if (auto ok = impl_->Run("DELETE FROM parts"); !ok) return ok;
    return impl_->Run(
        "UPDATE actions SET state = 'finished', status = ?, envelope = NULL"
        " WHERE state <> 'finished'",
        CommandStatusName(CommandStatus::kInterrupted));
  });
  if (!done) return done;
  return impl_->LoadCounters();
}

Expected<void> AgentDb::KeepFreshness(BytesView envelope) {
  return impl_->Change(nullptr, [&]() -> Expected<void> {
    return impl_->Run("UPDATE trust SET freshness = ?1", Blob{envelope});
  });
}

// ---- Ledger.

Expected<void> AgentDb::AppendToLedger(const LedgerNote& note) {
  return impl_->Change(&note, []() -> Expected<void> { return {}; });
}

const LedgerMark& AgentDb::ledger_mark() const { return impl_->mark; }

Expected<void> ReadLedgerRows(const std::filesystem::path& file,
                              const std::function<bool(const LedgerRow&)>& take) {
  auto database = Database::Open(file, Access::kReadOnly);
  if (!database) return std::move(database).error();
  auto statement = database->Prepare("SELECT number, text, hash FROM ledger ORDER BY number");
  if (!statement) return std::move(statement).error();
  for (;;) {
    auto row = statement->Step();
    if (!row) return std::move(row).error();
    if (!*row) return {};
    const std::int64_t number = statement->Integer(0);
    if (number < 1) {
      return Error(Errc::kMalformed, file.string() + ": table ledger: a row with the number " +
                                         std::to_string(number));
    }
    if (!take({static_cast<std::uint64_t>(number), statement->BlobAt(1), statement->BlobAt(2)})) {
      return {};
    }
  }
}

Expected<AgentDb::TrustState> ReadTrust(const std::filesystem::path& file) {
  auto database = Database::Open(file, Access::kReadOnly);
  if (!database) return std::move(database).error();
  auto statement = database->Prepare(kSelectTrust);
  if (!statement) return std::move(statement).error();
  auto row = statement->Step();
  if (!row) return std::move(row).error();
  if (!*row) return NoTrustRow().During(file.string());
  return TrustIn(*statement);
}

Expected<std::optional<Bytes>> ReadNewestPart(const std::filesystem::path& file) {
  auto database = Database::Open(file, Access::kReadOnly);
  if (!database) return std::move(database).error();
  auto statement = database->Prepare("SELECT envelope FROM parts ORDER BY number DESC LIMIT 1");
  if (!statement) return std::move(statement).error();
  auto row = statement->Step();
  if (!row) return std::move(row).error();
  return *row ? std::optional<Bytes>(statement->BlobAt(0)) : std::nullopt;
}

Expected<void> ReadLedger(const std::filesystem::path& file,
                          const std::function<bool(const LedgerEntry&)>& take) {
  std::optional<Error> wrong;
  auto read = ReadLedgerRows(file, [&](const LedgerRow& row) {
    auto entry = ReadLedgerText(row.text);
    if (!entry) {
      wrong = std::move(entry).error().During(file.string());
      return false;
    }
    entry->hash = row.hash;  // as it stands there: whether it is right, the chain says
    return take(*entry);
  });
  if (wrong) return std::move(*wrong);
  return read;
}

}  // namespace mig::store
