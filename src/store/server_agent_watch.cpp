// What looks wrong with an agent in the server's database, and what a person does about it: ledgers
// that go back, and one identity on two machines (found in server_agents.cpp).
#include "store/server_statements.h"
#include "store/server_tx.h"

namespace mig::store {
namespace {

struct KnownLedger {
  std::uint64_t length = 0;
  Bytes head;
  std::int64_t time = 0;
  bool back = false;
};

// Words come late and in any order: only a later one can show that something is gone.
bool GoesBack(const KnownLedger& known, const LedgerMark& mark, UtcTime signed_at) {
  if (mark.length == known.length) return !known.head.empty() && mark.head != known.head;
  return mark.length < known.length && Millis(signed_at) > known.time;
}

}  // namespace

Expected<std::vector<TwinRow>> ServerReader::ListTwins(std::string_view host) {
  return statements().All(
      "SELECT id, name, pid, started FROM agents WHERE host = ? AND host != ''"
      " AND status != 'offline' ORDER BY started, id",
      [](Columns& in) {
        TwinRow row;
        row.id = in.ReadId<AgentId>();
        row.name = in.Text();
        row.pid = in.Unsigned<std::uint64_t>();
        row.started = in.Time();
        return row;
      },
      host);
}

Expected<bool> ServerTx::RecordLedger(const AgentId& agent, const LedgerMark& mark,
                                      UtcTime signed_at, UtcTime now) {
  auto known = statements().One(
      "SELECT ledger_length, ledger_head, ledger_time, ledger_back IS NOT NULL FROM agents"
      " WHERE id = ?",
      [](Columns& in) {
        KnownLedger ledger;
        ledger.length = in.Unsigned<std::uint64_t>();
        ledger.head = in.BlobValue();
        ledger.time = in.Integer();
        ledger.back = in.Bool();
        return ledger;
      },
      agent.Text());
  if (!known) return std::move(known).error();
  if (!*known) return Error(Errc::kNotFound, "agent " + agent.Text() + " is not enrolled");
  if (GoesBack(**known, mark, signed_at)) {
    if ((*known)->back) return false;
    auto done = statements().Run(
        "UPDATE agents SET ledger_back = ?2, ledger_before = ledger_length WHERE id = ?1",
        agent.Text(), Millis(now));
    if (!done) return std::move(done).error();
    return true;
  }
  if (mark.length < (*known)->length) return false;
  auto done = statements().Run(
      "UPDATE agents SET ledger_length = ?2, ledger_head = ?3, ledger_time = max(ledger_time, ?4)"
      " WHERE id = ?1",
      agent.Text(), mark.length, Blob{mark.head}, Millis(signed_at));
  if (!done) return std::move(done).error();
  return false;
}

Expected<void> ServerTx::ReleaseAgent(const AgentId& agent, UtcTime silent_since, UtcTime now) {
  auto row = FindAgent(agent);
  if (!row) return std::move(row).error();
  if (!*row) return Error(Errc::kNotFound, "agent " + agent.Text() + " is not enrolled");
  if (!(*row)->cloned && !(*row)->ledger_back) {
    return Error(Errc::kInvalid, "agent " + agent.Text() + " is not held, nor marked");
  }
  auto copies = ListCopies(agent);
  if (!copies) return std::move(copies).error();
  if ((*row)->cloned && copies->size() > 1 && (*copies)[1].last > silent_since) {
    return Error(Errc::kInvalid,
                 "two machines still speak with this identity: " + (*copies)[0].name + " and " +
                     (*copies)[1].name + ", which spoke at " + FormatRfc3339((*copies)[1].last) +
                     "; run `mig agent reset-identity` on one of them first");
  }
  auto forgotten = statements().Run(
      "DELETE FROM agent_boots WHERE agent = (SELECT row FROM agents WHERE id = ?1) AND boot != ?2",
      agent.Text(), copies->empty() ? std::string() : copies->front().boot);
  if (!forgotten) return std::move(forgotten).error();
  // The ledger begins with the next word: whatever was kept would be held against it again.
  auto done = statements().Run(
      "UPDATE agents SET cloned = NULL, boot_returns = 0, ledger_back = NULL, ledger_before = 0,"
      " ledger_length = 0, ledger_head = x'', ledger_time = 0 WHERE id = ?1",
      agent.Text());
  if (!done) return std::move(done).error();
  auto due = MakeDue(agent, now);
  if (!due) return std::move(due).error();
  return {};
}

}  // namespace mig::store
