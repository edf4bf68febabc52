// Actions, their signatures, and their way through DESIGN section 3, in the server's database. Each
// agent's share of an action is in server_commands.cpp.
#include <map>
#include <set>

#include "store/server_statements.h"
#include "store/server_tx.h"
#include "util/encoding.h"
#include "util/json.h"

namespace mig::store {
namespace {

#define MIG_ACTION_COLUMNS                                                                        \
  "row, id, status, kind, name, target, validfrom, expireafter, limit_bytes, stops, stopped_by, " \
  "received, started, finished, detail"

ActionRow ReadAction(Columns& in) {
  ActionRow row;
  row.row = in.Integer();
  row.id = in.ReadId<ActionId>();
  row.status = in.Parsed(ParseActionStatus(in.Text()));
  row.kind = in.Parsed(ParseKind(in.Text()));
  row.name = in.Text();
  row.target = in.Text();
  row.validfrom = in.Time();
  row.expireafter = in.Time();
  row.limit_bytes = in.Unsigned<std::uint64_t>();
  row.stops = in.OptionalId<ActionId>();
  row.stopped_by = in.OptionalId<ActionId>();
  row.received = in.Time();
  row.started = in.OptionalTime();
  row.finished = in.OptionalTime();
  row.detail = in.Text();
  return row;
}

// From where an action may go where. What is not here does not happen.
bool MayMove(ActionStatus from, ActionStatus to) {
  using enum ActionStatus;
  static const std::map<ActionStatus, std::set<ActionStatus>> kMoves = {
      {kPending, {kScheduled, kExpired, kStopped, kRefused, kInvalid}},
      {kScheduled, {kPreparing, kExpired, kStopped, kRefused, kInvalid}},
      {kPreparing, {kInflight, kStopped, kInvalid}},
      {kInflight, {kCompleted, kStopped}},
  };
  const auto moves = kMoves.find(from);
  return moves != kMoves.end() && moves->second.contains(to);
}

Expected<void> AddSignatureRows(ServerStatements& db, std::int64_t action,
                                std::span<const SignatureRow> signatures) {
  for (const SignatureRow& signature : signatures) {
    auto done = db.Run("INSERT OR IGNORE INTO signatures(action, person, key) VALUES (?, ?, ?)",
                       action, signature.person, signature.key.Text());
    if (!done) return std::move(done).error();
  }
  return {};
}

}  // namespace

// ---- reading

Expected<std::optional<ActionRow>> ServerReader::FindAction(const ActionId& id) {
  return statements().One("SELECT " MIG_ACTION_COLUMNS " FROM actions WHERE id = ?", ReadAction,
                          id.Text());
}

Expected<std::optional<Bytes>> ServerReader::FindActionEnvelope(const ActionId& id) {
  return statements().One(
      "SELECT envelope FROM actions WHERE id = ?", [](Columns& in) { return in.BlobValue(); },
      id.Text());
}

Expected<std::vector<ActionRow>> ServerReader::ListActions(std::int64_t before, std::size_t limit) {
  return statements().All("SELECT " MIG_ACTION_COLUMNS
                          " FROM actions WHERE ?1 = 0 OR row < ?1 ORDER BY row DESC LIMIT ?2",
                          ReadAction, before, limit);
}

Expected<std::vector<ActionRow>> ServerReader::ListOpenActions(std::int64_t after,
                                                               std::size_t limit) {
  return statements().All("SELECT " MIG_ACTION_COLUMNS
                          " FROM actions WHERE status IN " MIG_OPEN_ACTION
                          " AND row > ? ORDER BY row LIMIT ?",
                          ReadAction, after, limit);
}

Expected<std::vector<ActionRow>> ServerReader::ListPendingActions(std::int64_t after,
                                                                  std::size_t limit) {
  return statements().All("SELECT " MIG_ACTION_COLUMNS
                          " FROM actions WHERE status IN " MIG_OPEN_ACTION
                          " AND status = 'pending' AND row > ? ORDER BY row LIMIT ?",
                          ReadAction, after, limit);
}

Expected<std::optional<RejectionRow>> ServerReader::FindRejection(const ActionId& id) {
  return statements().One(
      "SELECT r.person, r.reason, r.time FROM rejections r JOIN actions x ON x.row = r.action"
      " WHERE x.id = ?",
      [](Columns& in) {
        RejectionRow row;
        row.person = in.Text();
        row.reason = in.Text();
        row.time = in.Time();
        return row;
      },
      id.Text());
}

Expected<std::optional<Bytes>> ServerReader::FindAudience(const ActionId& id) {
  auto ids = statements().One(
      "SELECT u.ids FROM audiences u JOIN actions x ON x.row = u.action WHERE x.id = ?",
      [](Columns& in) { return in.BlobValue(); }, id.Text());
  if (ids && *ids && (*ids)->size() % AgentId::kBytes != 0) {
    return Error(Errc::kMalformed, "the audience of " + id.Text() + " is damaged");
  }
  return ids;
}

Expected<std::optional<ActionRow>> ServerReader::FindActionToPrepare(std::string_view owner,
                                                                     UtcTime now) {
  return statements().One(
      "SELECT " MIG_ACTION_COLUMNS " FROM actions WHERE status IN " MIG_OPEN_ACTION
      " AND (status = 'preparing' OR (status = 'scheduled' AND validfrom <= ?2))"
      " AND expireafter > ?2"
      " AND (lease_owner IS NULL OR lease_owner = ?1 OR lease_until < ?2) ORDER BY row LIMIT 1",
      ReadAction, owner, Millis(now));
}

Expected<std::vector<SignatureRow>> ServerReader::ListSignatures(const ActionId& id) {
  return statements().All(
      "SELECT s.person, s.key FROM signatures s JOIN actions x ON x.row = s.action"
      " WHERE x.id = ? ORDER BY s.person, s.key",
      [](Columns& in) {
        SignatureRow row;
        row.person = in.Text();
        row.key = in.ReadId<KeyId>();
        return row;
      },
      id.Text());
}

Expected<ServerReader::Deadlines> ServerReader::NextDeadlines() {
  auto row = statements().One(
      "SELECT (SELECT min(due) FROM commands WHERE due IS NOT NULL),"
      " (SELECT min(validfrom) FROM actions WHERE status IN " MIG_OPEN_ACTION
      "  AND status = 'scheduled'),"
      " (SELECT min(expireafter) FROM actions WHERE status IN " MIG_OPEN_ACTION ")",
      [](Columns& in) {
        Deadlines deadlines;
        deadlines.due = in.OptionalTime();
        deadlines.valid = in.OptionalTime();
        deadlines.expiry = in.OptionalTime();
        return deadlines;
      });
  if (!row) return std::move(row).error();
  return **row;  // without FROM there is always one row
}

// ---- writing

Expected<bool> ServerTx::AddAction(const NewAction& action, std::string_view actor, UtcTime now) {
  auto known = statements().One(
      "SELECT digest FROM actions WHERE id = ?", [](Columns& in) { return in.BlobValue(); },
      action.id.Text());
  if (!known) return std::move(known).error();
  if (*known) {
    if (**known == action.digest) return false;
    return Error(Errc::kExists,
                 "action " + action.id.Text() + " is there already with other contents");
  }
  auto stop = statements().One(
      "SELECT id FROM actions WHERE stops = ? AND expireafter > ?"
      " AND status NOT IN ('pending', 'refused', 'invalid') LIMIT 1",
      [](Columns& in) { return in.Text(); }, action.id.Text(), Millis(now));
  if (!stop) return std::move(stop).error();
  const ActionStatus status = stop->has_value()       ? ActionStatus::kStopped
                              : action.weight_reached ? ActionStatus::kScheduled
                                                      : ActionStatus::kPending;
  const std::string detail = *stop ? "its stop " + **stop + " came first" : "";
  auto insert = statements().Prepare(
      "INSERT INTO actions(id, status, kind, name, target, validfrom, expireafter, limit_bytes,"
      " received, updated, detail, digest, envelope, stopped_by, finished, stops)"
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10, ?11, ?12, ?13,"
      " CASE WHEN ?13 IS NULL THEN NULL ELSE ?9 END, ?14)");
  if (!insert) return std::move(insert).error();
  Statement& row = **insert;
  row.Bind(action.id.Text(), ActionStatusName(status), KindName(action.kind), action.name,
           action.target, Millis(action.validfrom), Millis(action.expireafter), action.limit_bytes,
           Millis(now), detail, Blob{action.digest}, Blob{action.envelope});
  *stop ? row.Append(**stop) : row.Append(nullptr);
  action.stops ? row.Append(action.stops->Text()) : row.Append(nullptr);
  if (auto done = row.Run(); !done) return std::move(done).error();
  const std::int64_t stored = statements().database().LastInsertId();
  if (auto done = AddSignatureRows(statements(), stored, action.signatures); !done) {
    return std::move(done).error();
  }
  if (!action.audience.empty()) {
    auto kept = statements().Run("INSERT INTO audiences(action, ids) VALUES (?, ?)", stored,
                                 Blob{action.audience});
    if (!kept) return std::move(kept).error();
  }
  if (auto done = ApproveProposal(action.id, actor, now); !done) return std::move(done).error();
  const json::object facts = {{"status", ActionStatusName(status)},
                              {"kind", KindName(action.kind)},
                              {"digest", EncodeHex(action.digest)}};
  if (auto done = Audit(actor, "action.accepted", action.id.Text(), json::Write(facts), now);
      !done) {
    return std::move(done).error();
  }
  return true;
}

Expected<bool> ServerTx::AddSignatures(const ActionId& id, BytesView envelope,
                                       std::span<const SignatureRow> signatures,
                                       bool weight_reached, std::string_view actor, UtcTime now) {
  auto action = FindAction(id);
  if (!action) return std::move(action).error();
  if (!*action) return Error(Errc::kNotFound, "there is no action " + id.Text());
  if ((*action)->status != ActionStatus::kPending) return false;
  auto done = statements().Run("UPDATE actions SET envelope = ?2, updated = ?3 WHERE row = ?1",
                               (*action)->row, Blob{envelope}, Millis(now));
  if (!done) return std::move(done).error();
  if (auto added = AddSignatureRows(statements(), (*action)->row, signatures); !added) {
    return std::move(added).error();
  }
  if (weight_reached) {
    auto moved = SetActionStatus(id, ActionStatus::kScheduled, "", now);
    if (!moved) return moved;
  }
  const json::object facts = {{"weight_reached", weight_reached}};
  auto audited = Audit(actor, "action.signed", id.Text(), json::Write(facts), now);
  if (!audited) return std::move(audited).error();
  return true;
}

Expected<bool> ServerTx::RejectAction(const ActionId& id, std::string_view person,
                                      std::string_view reason, UtcTime now) {
  auto action = FindAction(id);
  if (!action) return std::move(action).error();
  if (!*action) return Error(Errc::kNotFound, "there is no action " + id.Text());
  if ((*action)->status != ActionStatus::kPending) return false;
  auto done =
      statements().Run("INSERT INTO rejections(action, person, reason, time) VALUES (?, ?, ?, ?)",
                       (*action)->row, person, reason, Millis(now));
  if (!done) return std::move(done).error();
  auto moved =
      SetActionStatus(id, ActionStatus::kRefused,
                      "rejected by " + std::string(person) + ": " + std::string(reason), now);
  if (!moved) return moved;
  const json::object facts = {{"reason", reason}};
  auto audited = Audit(person, "action.rejected", id.Text(), json::Write(facts), now);
  if (!audited) return std::move(audited).error();
  return true;
}

Expected<bool> ServerTx::SetActionStatus(const ActionId& id, ActionStatus to,
                                         std::string_view detail, UtcTime now) {
  auto action = FindAction(id);
  if (!action) return std::move(action).error();
  if (!*action) return Error(Errc::kNotFound, "there is no action " + id.Text());
  if (!MayMove((*action)->status, to)) return false;
  auto done = statements().Run(
      "UPDATE actions SET status = ?2, detail = CASE WHEN ?3 = '' THEN detail ELSE ?3 END,"
      " updated = ?4, started = CASE WHEN ?2 = 'preparing' THEN ?4 ELSE started END,"
      " finished = CASE WHEN ?5 THEN ?4 ELSE finished END WHERE row = ?1",
      (*action)->row, ActionStatusName(to), detail, Millis(now), IsFinal(to));
  if (!done) return std::move(done).error();
  return true;
}

Expected<bool> ServerTx::LeaseAction(const ActionId& id, std::string_view owner, UtcTime until,
                                     UtcTime now) {
  auto taken = statements().Run(
      "UPDATE actions SET lease_owner = ?2, lease_until = ?3"
      " WHERE id = ?1 AND (lease_owner IS NULL OR lease_owner = ?2 OR lease_until < ?4)",
      id.Text(), owner, Millis(until), Millis(now));
  if (!taken) return std::move(taken).error();
  return *taken == 1;
}

Expected<void> ServerTx::MarkStopped(const ActionId& stops, const ActionId& stop, UtcTime now) {
  auto action = FindAction(stops);
  if (!action) return std::move(action).error();
  if (!*action || IsFinal((*action)->status)) return {};
  auto marked = statements().Run(
      "UPDATE actions SET stopped_by = coalesce(stopped_by, ?2), updated = ?3 WHERE row = ?1",
      (*action)->row, stop.Text(), Millis(now));
  if (!marked) return std::move(marked).error();
  switch ((*action)->status) {
    case ActionStatus::kPending:
    case ActionStatus::kScheduled: {  // nobody has been asked
      auto moved = SetActionStatus(stops, ActionStatus::kStopped, "stopped by " + stop.Text(), now);
      if (!moved) return std::move(moved).error();
      return {};
    }
    case ActionStatus::kPreparing: {  // nobody else will be asked
      auto moved =
          SetActionStatus(stops, ActionStatus::kInflight, "stopped by " + stop.Text(), now);
      if (!moved) return std::move(moved).error();
      return {};
    }
    default:
      return {};
  }
}

Expected<bool> ServerTx::CompleteAction(const ActionId& id, UtcTime now) {
  auto done = statements().Run(
      "UPDATE actions SET updated = ?2, finished = ?2,"
      " status = CASE WHEN stopped_by IS NULL THEN 'completed' ELSE 'stopped' END"
      " WHERE id = ?1 AND status = 'inflight' AND NOT EXISTS"
      " (SELECT 1 FROM commands c WHERE c.action = actions.row AND c.status IN " MIG_OPEN_COMMAND
      ")",
      id.Text(), Millis(now));
  if (!done) return std::move(done).error();
  return *done == 1;
}

}  // namespace mig::store
