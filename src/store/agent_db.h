// What an agent must not forget when it is killed: which actions it accepted and how far they are,
// who stopped what, the results that nobody has acknowledged yet, the policy it believes, the time
// that signatures have shown, and its ledger. SQLite; who decides with it is roles/agent.
//
// Every function that changes something is one transaction, on disk when it returns, and carries
// the ledger's entry about itself: what happened and what the ledger says of it cannot differ.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proto/action.h"
#include "proto/result.h"
#include "trust/authorisation.h"
#include "trust/ledger.h"
#include "trust/ledger_audit.h"
#include "util/bytes.h"
#include "util/clock.h"
#include "util/expected.h"

namespace mig::store {

// Ids are forgotten this long after their action expired.
inline constexpr std::chrono::hours kMemoryAfterExpiry{24};

struct AgentDbOptions {
  // Bytes of parts kept, delivered and not. Beyond: delivered ones go, the oldest first; when all
  // are undelivered AddPart reports kFull.
  std::uint64_t outbox_bytes = std::uint64_t{256} << 20;
  // Taken ahead so that what was begun can be written to its end on a full disk.
  std::uint64_t reserve_bytes = std::uint64_t{8} << 20;
};

// What the ledger is told along with a change.
struct LedgerNote {
  UtcTime time;
  std::string event;
  json::object facts;
};

enum class RunState { kReceived, kStarted, kFinished };

// An accepted action as it is remembered.
struct RememberedAction {
  ActionId id;
  Kind kind = Kind::kInvestigate;
  UtcTime expireafter;
  RunState state = RunState::kReceived;
  std::uint32_t attempts = 0;
  std::optional<CommandStatus> status;  // when finished
  Bytes envelope;                       // as it came; empty when finished
};

// How far the parts of an action go: where a run that was cut off would go on.
struct PartsProgress {
  std::uint64_t next_seq = 0;
  Bytes last_digest;                   // empty before the first part
  std::uint32_t operations_ended = 0;  // those whose summary was stored, from 0 without a gap
  std::uint64_t open_parts = 0;        // stored parts of the operation after those
  std::optional<CommandStatus> first_failure;  // of the operations that ended
};

struct NewPart {
  ActionId action;
  std::uint64_t seq = 0;  // the next one of its action, else kInternal
  bool ends_operation = false;
  std::optional<CommandStatus> failure;  // of that operation, when it did not succeed
  Bytes digest;                          // SHA-256 of the payload
  Bytes envelope;                        // JSON
};

struct StoredPart {
  std::uint64_t number = 0;  // grows in the order of storing; never used twice
  ActionId action;
  std::uint64_t seq = 0;
  Bytes envelope;
};

// All functions: kFull when the disk is full (what carries an entry of the ledger is given the
// reserve first), kIo, kMalformed (damaged file); nothing has changed then. One thread at a time.
class AgentDb : public ReplayMemory {
 public:
  static Expected<std::unique_ptr<AgentDb>> Open(const std::filesystem::path& file,
                                                 const AgentDbOptions& options = {});
  ~AgentDb() override;

  // ---- Memory of actions.
  Expected<std::optional<Seen>> Find(const ActionId& id) const override;
  Expected<bool> IsStopped(const ActionId& id) const override;
  Expected<std::optional<RememberedAction>> Recall(const ActionId& id) const;
  // Those not finished, in the order in which they came.
  Expected<std::vector<RememberedAction>> Unfinished() const;

  // Remembers an accepted action as received; raises the time floor to `floor`. A kStop is finished
  // at once, and what it stops is remembered until it expires. Error: kFull when the reserve cannot
  // be taken (nothing may run that could not be written down; a stop runs nothing and does not need
  // it); kExists for an id that is there.
  Expected<void> Accept(const Accepted& accepted, BytesView envelope, UtcTime floor,
                        const LedgerNote& note);
  // Before a child starts.
  Expected<void> MarkStarted(const ActionId& id, const LedgerNote& note);

  // Drops ids and stops whose expiry lies kMemoryAfterExpiry before the time floor. The floor and
  // not the clock: a clock that once ran ahead would forget ids that could then be replayed.
  Expected<void> Forget();

  // ---- Outbox.
  Expected<PartsProgress> ProgressOf(const ActionId& action) const;
  // Error: kFull also when undelivered parts fill outbox_bytes.
  Expected<void> AddPart(const NewPart& part);
  // The last part, with which the action is finished: `outbox_bytes` does not hold for it, so that
  // a run that ended because the outbox is full can say so.
  Expected<void> Finish(const NewPart& last, CommandStatus status, const LedgerNote& note);
  // Unacknowledged parts after `number`, oldest first, of at most about `max_bytes` (at least one).
  Expected<std::vector<StoredPart>> Waiting(std::uint64_t after_number,
                                            std::uint64_t max_bytes) const;
  bool HasWaiting() const;
  Expected<void> Acknowledge(const ActionId& action, const std::vector<std::uint64_t>& seqs);
  // All parts of the action that are still kept wait to be sent again. Number of parts.
  Expected<std::uint64_t> Repeat(const ActionId& action);
  // Drops parts, delivered or not, of actions that expired kMemoryAfterExpiry before `now`: nobody
  // waits for them any more. Number of undelivered ones.
  Expected<std::uint64_t> DropStaleParts(UtcTime now);

  // ---- Trust.
  struct TrustState {
    UtcTime time_floor;
    std::uint64_t root_version = 0;  // highest seen
    std::uint64_t policy_version = 0;
    Bytes documents;  // what was stored with it; empty: none yet
    Bytes freshness;  // the statement about that policy; empty: none
  };
  Expected<TrustState> Trust() const;
  // What was said of the freshness of the policy before it is gone with it.
  // Error: kDenied when either version is lower than the highest seen.
  Expected<void> KeepPolicy(std::uint64_t root_version, std::uint64_t policy_version,
                            BytesView documents, UtcTime floor, const LedgerNote& note);
  // A statement about the policy that is kept. Not in the ledger: it comes every hour and says
  // nothing new.
  Expected<void> KeepFreshness(BytesView envelope);

  // The machine gets another key. What waits to be sent was signed with the one before, and is
  // dropped; what did not finish is interrupted; ids are remembered.
  Expected<void> ChangeIdentity(const LedgerNote& note);

  // ---- Ledger.
  Expected<void> AppendToLedger(const LedgerNote& note);
  const LedgerMark& ledger_mark() const;

 private:
  struct Impl;
  explicit AgentDb(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Reads the ledger of an agent that may be running, row by row, in order, until `take` returns
// false: as the rows lie there, for `mig agent report` to find out what is wrong with them. The
// file is not changed.
Expected<void> ReadLedgerRows(const std::filesystem::path& file,
                              const std::function<bool(const LedgerRow&)>& take);

// What the agent believes, read as ReadLedgerRows reads.
Expected<AgentDb::TrustState> ReadTrust(const std::filesystem::path& file);

// The newest result part that is still kept, delivered or not: an envelope. Nothing when none is.
Expected<std::optional<Bytes>> ReadNewestPart(const std::filesystem::path& file);

// As ReadLedgerRows, decoded. Error: kMalformed for a row that is no entry.
Expected<void> ReadLedger(const std::filesystem::path& file,
                          const std::function<bool(const LedgerEntry&)>& take);

}  // namespace mig::store
