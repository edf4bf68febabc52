// Result parts in the server's database: stored once each, and what their arrival makes of the
// command.
#include "store/server_command_state.h"
#include "store/server_statements.h"
#include "store/server_tx.h"

namespace mig::store {
namespace {

// What one agent may have stored for an action beyond twice its limits.bytes (JSON and base64
// around the elements): the summaries of its operations.
constexpr std::uint64_t kSummaryBytes = std::uint64_t{4} << 20;

// Far beyond any real result, far below where arithmetic ends.
constexpr std::uint64_t kMaxSeq = std::uint64_t{1} << 40;

}  // namespace

Expected<std::vector<PartRow>> ServerReader::ListParts(const ActionId& action, std::int64_t after,
                                                       std::size_t limit, std::size_t bytes) {
  auto use = statements().Prepare(
      "SELECT r.row, x.id, a.id, a.name, r.seq, r.last, r.late, r.stored, r.envelope"
      " FROM results r JOIN actions x ON x.row = r.action JOIN agents a ON a.row = r.agent"
      " WHERE r.action = (SELECT row FROM actions WHERE id = ?) AND r.row > ?"
      " ORDER BY r.row LIMIT ?");
  if (!use) return std::move(use).error();
  (*use)->Bind(action.Text(), after, limit);
  std::vector<PartRow> parts;
  for (std::size_t total = 0; parts.empty() || total < bytes;) {
    auto there = (*use)->Step();
    if (!there) return std::move(there).error();
    if (!*there) break;
    Columns in(**use);
    PartRow row;
    row.row = in.Integer();
    row.action = in.ReadId<ActionId>();
    row.agent = in.ReadId<AgentId>();
    row.agent_name = in.Text();
    row.seq = in.Unsigned<std::uint64_t>();
    row.last = in.Bool();
    row.late = in.Bool();
    row.stored = in.Time();
    row.envelope = in.BlobValue();
    if (in.error()) return *in.error();
    total += row.envelope.size();
    parts.push_back(std::move(row));
  }
  return parts;
}

Expected<AddedPart> ServerTx::AddPart(const IncomingPart& part, UtcTime now) {
  AddedPart stored;
  auto found = FindCommandState(statements(), part.action, part.agent);
  if (!found) return std::move(found).error();
  if (!*found || (*found)->kind == Kind::kStop) return stored;  // kNoCommand
  CommandState& state = **found;

  const auto outcome = [&](PartOutcome value) {
    stored.outcome = value;
    return stored;
  };
  if (part.seq > kMaxSeq) return outcome(PartOutcome::kTooMuch);
  auto known = statements().One(
      "SELECT digest FROM results WHERE action = ? AND agent = ? AND seq = ?",
      [](Columns& in) { return in.BlobValue(); }, state.action, state.agent, part.seq);
  if (!known) return std::move(known).error();
  if (*known) {
    return outcome(**known == part.digest ? PartOutcome::kRepeated : PartOutcome::kConflict);
  }
  const auto seq = static_cast<std::int64_t>(part.seq);
  if (state.last_seq && (part.last || seq > *state.last_seq)) {
    return outcome(PartOutcome::kConflict);
  }
  if (part.last) {
    auto beyond = statements().One(
        "SELECT 1 FROM results WHERE action = ? AND agent = ? AND seq > ? LIMIT 1",
        [](Columns& in) { return in.Bool(); }, state.action, state.agent, seq);
    if (!beyond) return std::move(beyond).error();
    if (*beyond) return outcome(PartOutcome::kConflict);
  }
  // Beyond what the server ended itself, a final status means that all parts came, or that the
  // agent refused: it contradicts itself.
  const bool late = IsFinal(state.status);
  if (late && state.status != CommandStatus::kExpired && state.status != CommandStatus::kStopped) {
    return outcome(PartOutcome::kConflict);
  }
  if (state.bytes + part.envelope.size() > 2 * state.limit_bytes + kSummaryBytes) {
    return outcome(PartOutcome::kTooMuch);
  }

  auto inserted = statements().Run(
      "INSERT INTO results(action, agent, seq, last, late, stored, digest, envelope)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      state.action, state.agent, seq, part.last, late, Millis(now), Blob{part.digest},
      Blob{part.envelope});
  if (!inserted) return std::move(inserted).error();
  ++state.parts;
  if (part.last) {
    state.last_seq = seq;
    state.last_status = CommandStatusName(part.status.value_or(CommandStatus::kFailed));
  }
  const bool complete =
      state.last_seq && state.parts == static_cast<std::uint64_t>(*state.last_seq) + 1;
  // Known to have found something as soon as one part says so, nothing only when all are here.
  if (part.found) state.found = true;
  if (complete && !state.found) state.found = false;

  auto use = statements().Prepare(
      "UPDATE commands SET parts = ?2, bytes = bytes + ?3, answered = coalesce(answered, ?4),"
      " late = late OR ?5, status = CASE WHEN ?5 THEN status ELSE 'running' END, due = NULL,"
      " last_seq = CASE WHEN ?6 THEN ?7 ELSE last_seq END,"
      " last_status = CASE WHEN ?6 THEN ?8 ELSE last_status END, found = ?9 WHERE row = ?1");
  if (!use) return std::move(use).error();
  (*use)->Bind(state.row, state.parts, part.envelope.size(), Millis(now), late, part.last, seq,
               state.last_status);
  state.found ? (*use)->Append(*state.found) : (*use)->Append(nullptr);
  if (auto done = (*use)->Run(); !done) return std::move(done).error();

  stored.outcome = PartOutcome::kStored;
  stored.late = late;
  if (late && !state.late) {  // shows it to whoever follows the finished commands, once more
    auto finish = NextFinish(statements());
    if (!finish) return std::move(finish).error();
    auto done =
        statements().Run("UPDATE commands SET finish = ?2 WHERE row = ?1", state.row, *finish);
    if (!done) return std::move(done).error();
  }
  if (!late && complete) {
    auto status = ParseCommandStatus(state.last_status);
    if (!status) return std::move(status).error();
    auto done = FinishCommand(statements(), state.row, *status, "", "", now);
    if (!done) return std::move(done).error();
    stored.finished = true;
  }
  return stored;
}

}  // namespace mig::store
