// Commands in the server's database: each agent's share of an action, from `prepared` to its end.
// Result parts are in server_results.cpp. Statuses go
// forward only; the one way back is `busy`, from sent to prepared.
#include <algorithm>

#include "store/server_command_state.h"
#include "store/server_statements.h"
#include "store/server_tx.h"

namespace mig::store {
namespace {

#define MIG_COMMAND_COLUMNS                                                                   \
  "x.id, a.id, a.name, c.status, c.code, c.detail, c.found, c.late, c.attempts, c.prepared, " \
  "c.sent, c.answered, c.finished, coalesce(c.finish, 0)"
#define MIG_COMMAND_TABLES \
  " FROM commands c JOIN actions x ON x.row = c.action JOIN agents a ON a.row = c.agent "

CommandRow ReadCommand(Columns& in) {
  CommandRow row;
  row.action = in.ReadId<ActionId>();
  row.agent = in.ReadId<AgentId>();
  row.agent_name = in.Text();
  row.status = in.Parsed(ParseCommandStatus(in.Text()));
  row.code = in.Text();
  row.detail = in.Text();
  row.found = in.OptionalBool();
  row.late = in.Bool();
  row.attempts = in.Unsigned<std::uint32_t>();
  row.prepared = in.Time();
  row.sent = in.OptionalTime();
  row.answered = in.OptionalTime();
  row.finished = in.OptionalTime();
  row.finish = in.Integer();
  return row;
}

struct Candidate {
  std::int64_t agent = 0;
  std::string id;  // of an action with an audience
  int shard = 0;
  // Of a stop's page: the command that is to be stopped.
  std::int64_t stopped_command = 0;
  bool never_sent = false, prepared = false;
};

// Whether the agent is among `ids`, 32 bytes each, ascending.
bool IsAmong(BytesView ids, std::string_view agent) {
  const auto wanted = AgentId::Parse(agent);
  if (!wanted) return false;
  std::size_t first = 0, last = ids.size() / AgentId::kBytes;
  while (first < last) {
    const std::size_t middle = first + (last - first) / 2;
    const BytesView here = ids.substr(middle * AgentId::kBytes, AgentId::kBytes);
    if (here == wanted->View()) return true;
    here < wanted->View() ? first = middle + 1 : last = middle;
  }
  return false;
}

}  // namespace

// ---- reading

Expected<Counters> ServerReader::CountCommands(const ActionId& id) {
  struct Group {
    CommandStatus status;
    std::uint64_t count, late, found;
  };
  auto groups = statements().All(
      "SELECT c.status, count(*), sum(c.late), sum(c.found) FROM commands c"
      " WHERE c.action = (SELECT row FROM actions WHERE id = ?) GROUP BY c.status",
      [](Columns& in) {
        Group group{};
        group.status = in.Parsed(ParseCommandStatus(in.Text()));
        group.count = in.Unsigned<std::uint64_t>();
        group.late = in.Unsigned<std::uint64_t>();
        group.found = in.Unsigned<std::uint64_t>();
        return group;
      },
      id.Text());
  if (!groups) return std::move(groups).error();
  Counters counters;
  // In the order of CommandStatus.
  std::uint64_t Counters::*const kByStatus[] = {
      &Counters::prepared, &Counters::sent,    &Counters::received,   &Counters::running,
      &Counters::success,  &Counters::failed,  &Counters::timeout,    &Counters::refused,
      &Counters::expired,  &Counters::stopped, &Counters::interrupted};
  for (const Group& group : *groups) {
    counters.*kByStatus[static_cast<std::size_t>(group.status)] = group.count;
    counters.targeted += group.count;
    counters.late += group.late;
    counters.found += group.found;
  }
  return counters;
}

Expected<std::optional<CommandRow>> ServerReader::FindCommand(const ActionId& action,
                                                              const AgentId& agent) {
  return statements().One("SELECT " MIG_COMMAND_COLUMNS MIG_COMMAND_TABLES
                          "WHERE x.id = ? AND a.id = ?",
                          ReadCommand, action.Text(), agent.Text());
}

Expected<std::vector<CommandRow>> ServerReader::ListCommands(const ActionId& action,
                                                             const AgentId& after,
                                                             std::size_t limit) {
  return statements().All(
      "SELECT " MIG_COMMAND_COLUMNS MIG_COMMAND_TABLES
      "WHERE c.action = (SELECT row FROM actions WHERE id = ?)"
      " AND c.agent > coalesce((SELECT row FROM agents WHERE id = ?), 0) ORDER BY c.agent LIMIT ?",
      ReadCommand, action.Text(), after.Text(), limit);
}

Expected<std::vector<CommandRow>> ServerReader::ListFinishedCommands(const ActionId& action,
                                                                     std::int64_t after_finish,
                                                                     std::size_t limit) {
  return statements().All("SELECT " MIG_COMMAND_COLUMNS MIG_COMMAND_TABLES
                          "WHERE c.action = (SELECT row FROM actions WHERE id = ?)"
                          " AND c.finish IS NOT NULL AND c.finish > ? ORDER BY c.finish LIMIT ?",
                          ReadCommand, action.Text(), after_finish, limit);
}

Expected<std::vector<CommandRow>> ServerReader::ListOpenCommands(const AgentId& agent,
                                                                 std::size_t limit) {
  return statements().All("SELECT " MIG_COMMAND_COLUMNS MIG_COMMAND_TABLES
                          "WHERE c.agent = (SELECT row FROM agents WHERE id = ?)"
                          " AND c.status IN " MIG_OPEN_COMMAND " ORDER BY c.action LIMIT ?",
                          ReadCommand, agent.Text(), limit);
}

Expected<std::vector<DueRow>> ServerReader::ListDueCommands(UtcTime now, std::size_t limit) {
  return statements().All(
      "SELECT " MIG_COMMAND_COLUMNS
      ", x.kind, x.stopped_by IS NOT NULL, a.status != 'offline', a.relay,"
      " a.cloned IS NOT NULL, x.expireafter" MIG_COMMAND_TABLES
      "WHERE c.due IS NOT NULL AND c.due <= ? AND x.status IN ('preparing', 'inflight')"
      " ORDER BY c.due LIMIT ?",
      [](Columns& in) {
        DueRow row;
        row.command = ReadCommand(in);
        row.kind = in.Parsed(ParseKind(in.Text()));
        row.stopped = in.Bool();
        row.connected = in.Bool();
        row.relay = in.Text();
        row.held = in.Bool();
        row.expireafter = in.Time();
        return row;
      },
      Millis(now), limit);
}

// ---- writing

Expected<ServerTx::Page> ServerTx::PrepareCommands(const ActionId& id, const Target::Sql& where,
                                                   std::int64_t cursor, std::size_t limit,
                                                   UtcTime now) {
  auto action = FindAction(id);
  if (!action) return std::move(action).error();
  if (!*action) return Error(Errc::kNotFound, "there is no action " + id.Text());
  // Stopped while its pages were being prepared: nobody else is asked.
  if ((*action)->status != ActionStatus::kPreparing) return Page{cursor, true};

  const bool is_stop = (*action)->stops.has_value();
  auto audience = FindAudience(id);
  if (!audience) return std::move(audience).error();
  const auto read = [is_stop](Columns& in) {
    Candidate candidate;
    candidate.agent = in.Integer();
    candidate.shard = static_cast<int>(in.Integer());
    if (!is_stop) candidate.id = in.Text();
    if (is_stop) {
      candidate.stopped_command = in.Integer();
      candidate.never_sent = in.Bool();
      candidate.prepared = in.Bool();
    }
    return candidate;
  };
  auto candidates =
      is_stop ? statements().AllWhere(
                    "SELECT c.agent, c.shard, c.row, c.sent IS NULL, c.status = 'prepared'"
                    " FROM commands c WHERE c.agent IN (SELECT row FROM agents WHERE (" +
                        where.where +
                        ")) AND c.action = (SELECT row FROM actions WHERE id = ?)"
                        " AND c.status IN " MIG_OPEN_COMMAND
                        " AND c.agent > ? ORDER BY c.agent LIMIT ?",
                    where, read, (*action)->stops->Text(), cursor, limit)
              : statements().AllWhere("SELECT row, shard, id FROM agents WHERE (" + where.where +
                                          ") AND row > ? ORDER BY row LIMIT ?",
                                      where, read, cursor, limit);
  if (!candidates) return std::move(candidates).error();
  for (const Candidate& candidate : *candidates) {
    if (candidate.prepared) {
      auto done = FinishCommand(statements(), candidate.stopped_command, CommandStatus::kStopped,
                                "", "stopped before it was sent", now);
      if (!done) return std::move(done).error();
    }
    if (candidate.never_sent) continue;  // nothing to stop there
    if (*audience && !IsAmong(**audience, candidate.id)) continue;
    auto done = statements().Run(
        "INSERT OR IGNORE INTO commands(action, agent, shard, status, due, prepared)"
        " VALUES (?1, ?2, ?3, 'prepared', ?4, ?4)",
        (*action)->row, candidate.agent, candidate.shard, Millis(now));
    if (!done) return std::move(done).error();
  }
  return Page{candidates->empty() ? cursor : candidates->back().agent, candidates->size() < limit};
}

Expected<void> ServerTx::MarkSent(const ActionId& action, const AgentId& agent,
                                  std::optional<UtcTime> again, UtcTime now) {
  auto state = FindCommandState(statements(), action, agent);
  if (!state) return std::move(state).error();
  if (!*state) return Error(Errc::kNotFound, "there is no such command");
  auto done = statements().Run(
      "UPDATE commands SET attempts = attempts + 1, sent = coalesce(sent, ?2),"
      " status = CASE WHEN status = 'prepared' THEN 'sent' ELSE status END,"
      " detail = CASE WHEN code = 'held' THEN '' ELSE detail END,"
      " code = CASE WHEN code = 'held' THEN '' ELSE code END"
      " WHERE row = ?1 AND status IN " MIG_OPEN_COMMAND,
      (*state)->row, Millis(now));
  if (!done) return std::move(done).error();
  return SetDue(action, agent, again);
}

Expected<void> ServerTx::NoteHeld(const ActionId& action, const AgentId& agent,
                                  std::string_view detail) {
  auto done = statements().Run(
      "UPDATE commands SET code = 'held', detail = ?3"
      " WHERE action = (SELECT row FROM actions WHERE id = ?1)"
      " AND agent = (SELECT row FROM agents WHERE id = ?2) AND status IN " MIG_OPEN_COMMAND,
      action.Text(), agent.Text(), detail);
  if (!done) return std::move(done).error();
  return {};
}

Expected<void> ServerTx::MarkUnsent(const ActionId& action, const AgentId& agent, UtcTime due) {
  auto done = statements().Run(
      "UPDATE commands SET attempts = max(attempts - 1, 0), due = ?3"
      " WHERE action = (SELECT row FROM actions WHERE id = ?1)"
      " AND agent = (SELECT row FROM agents WHERE id = ?2) AND status IN " MIG_OPEN_COMMAND,
      action.Text(), agent.Text(), Millis(due));
  if (!done) return std::move(done).error();
  return {};
}

Expected<void> ServerTx::SetDue(const ActionId& action, const AgentId& agent,
                                std::optional<UtcTime> when) {
  auto use = statements().Prepare(
      "UPDATE commands SET due = ?3 WHERE action = (SELECT row FROM actions WHERE id = ?1)"
      " AND agent = (SELECT row FROM agents WHERE id = ?2) AND status IN " MIG_OPEN_COMMAND);
  if (!use) return std::move(use).error();
  (*use)->Bind(action.Text(), agent.Text());
  when ? (*use)->Append(Millis(*when)) : (*use)->Append(nullptr);
  return (*use)->Run();
}

Expected<std::uint64_t> ServerTx::MakeDue(const AgentId& agent, UtcTime when) {
  auto done = statements().Run(
      "UPDATE commands SET due = ?2 WHERE agent = (SELECT row FROM agents WHERE id = ?1)"
      " AND status IN " MIG_OPEN_COMMAND,
      agent.Text(), Millis(when));
  if (!done) return std::move(done).error();
  return static_cast<std::uint64_t>(*done);
}

Expected<std::uint64_t> ServerTx::MakeAllDue(UtcTime when) {
  auto done = statements().Run("UPDATE commands SET due = ?1 WHERE status IN " MIG_OPEN_COMMAND,
                               Millis(when));
  if (!done) return std::move(done).error();
  return static_cast<std::uint64_t>(*done);
}

Expected<bool> ServerTx::RecordReceipt(const Receipt& receipt, UtcTime busy_until, UtcTime now) {
  auto found = FindCommandState(statements(), receipt.action, receipt.agent);
  if (!found) return std::move(found).error();
  if (!*found) {
    return Error(Errc::kNotFound, "agent " + receipt.agent.Text() + " was not asked for action " +
                                      receipt.action.Text());
  }
  const CommandState& state = **found;
  if (IsFinal(state.status)) return false;
  const bool is_stop = state.kind == Kind::kStop;

  if (receipt.state == "busy") {
    if (state.status > CommandStatus::kSent) return false;
    auto done = statements().Run("UPDATE commands SET status = 'prepared', due = ?2 WHERE row = ?1",
                                 state.row, Millis(busy_until));
    if (!done) return std::move(done).error();
    return true;
  }
  if (receipt.state == "refused") {
    auto answered = statements().Run("UPDATE commands SET answered = ?2 WHERE row = ?1", state.row,
                                     Millis(now));
    if (!answered) return std::move(answered).error();
    auto done = FinishCommand(statements(), state.row, CommandStatus::kRefused, receipt.code,
                              receipt.detail, now);
    if (!done) return std::move(done).error();
    return true;
  }
  if (receipt.state != "received" && receipt.state != "started") {
    return Error(Errc::kUnsupported, "receipt state `" + receipt.state.substr(0, 64) + "`");
  }
  if (is_stop) {
    auto done = FinishCommand(statements(), state.row, CommandStatus::kSuccess, "", "", now);
    if (!done) return std::move(done).error();
    if (!state.stops) return true;
    // An agent works through what it is sent in order: if the stop arrived and the command has no
    // receipt, the agent never took the command, and the stop it remembers will refuse it.
    auto stopped = FindCommandState(statements(), *state.stops, receipt.agent);
    if (!stopped) return std::move(stopped).error();
    if (*stopped && (*stopped)->status <= CommandStatus::kSent) {
      auto ended = FinishCommand(statements(), (*stopped)->row, CommandStatus::kStopped, "",
                                 "stopped before it was received", now);
      if (!ended) return std::move(ended).error();
    }
    return true;
  }
  const CommandStatus to =
      receipt.state == "received" ? CommandStatus::kReceived : CommandStatus::kRunning;
  // Whatever the receipt is, the agent has the command: no need to send it again.
  auto done = statements().Run(
      "UPDATE commands SET status = ?2, answered = coalesce(answered, ?3), due = NULL"
      " WHERE row = ?1",
      state.row, CommandStatusName(std::max(state.status, to)), Millis(now));
  if (!done) return std::move(done).error();
  return to > state.status;
}

Expected<ServerTx::Expired> ServerTx::ExpireOverdue(UtcTime before, std::size_t limit,
                                                    UtcTime now) {
  Expired expired;
  struct Overdue {
    std::int64_t row;
    ActionId id;
    ActionStatus status;
  };
  auto overdue = statements().All(
      "SELECT row, id, status FROM actions WHERE status IN " MIG_OPEN_ACTION
      " AND expireafter < ? ORDER BY expireafter LIMIT ?",
      [](Columns& in) {
        Overdue action{};
        action.row = in.Integer();
        action.id = in.ReadId<ActionId>();
        action.status = in.Parsed(ParseActionStatus(in.Text()));
        return action;
      },
      Millis(before), limit);
  if (!overdue) return std::move(overdue).error();
  expired.done = overdue->size() < limit;
  for (const Overdue& action : *overdue) {
    if (limit == 0) {
      expired.done = false;
      break;
    }
    expired.actions.push_back(action.id);
    if (action.status < ActionStatus::kPreparing) {
      --limit;
      auto moved = SetActionStatus(action.id, ActionStatus::kExpired,
                                   action.status == ActionStatus::kPending
                                       ? "its signatures did not reach the weight in time"
                                       : "it was not sent in time",
                                   now);
      if (!moved) return std::move(moved).error();
      continue;
    }
    auto open = statements().All(
        "SELECT row FROM commands WHERE action = ? AND status"
        " IN " MIG_OPEN_COMMAND " LIMIT ?",
        [](Columns& in) { return in.Integer(); }, action.row, limit);
    if (!open) return std::move(open).error();
    limit -= open->size();
    for (const std::int64_t command : *open) {
      auto done = FinishCommand(statements(), command, CommandStatus::kExpired, "",
                                "no answer before the action expired", now);
      if (!done) return std::move(done).error();
    }
    // Its expansion was cut off by its end: those not asked yet are not asked any more.
    if (action.status == ActionStatus::kPreparing) {
      auto moved = SetActionStatus(action.id, ActionStatus::kInflight, "", now);
      if (!moved) return std::move(moved).error();
    }
    auto completed = CompleteAction(action.id, now);
    if (!completed) return std::move(completed).error();
  }
  return expired;
}

}  // namespace mig::store
