#include "store/server_command_state.h"

#include "util/text.h"

namespace mig::store {
namespace {

// From the agent; more than a person reads in a table.
constexpr std::size_t kMaxDetailBytes = 1024;
constexpr std::size_t kMaxCodeBytes = 64;

}  // namespace

Expected<std::optional<CommandState>> FindCommandState(ServerStatements& db, const ActionId& action,
                                                       const AgentId& agent) {
  return db.One(
      "SELECT c.row, c.action, c.agent, c.status, x.kind, x.stops, x.limit_bytes, c.parts, c.bytes,"
      " coalesce(c.last_seq, -1), coalesce(c.last_status, ''), c.late, c.found"
      " FROM commands c JOIN actions x ON x.row = c.action JOIN agents a ON a.row = c.agent"
      " WHERE x.id = ? AND a.id = ?",
      [](Columns& in) {
        CommandState state;
        state.row = in.Integer();
        state.action = in.Integer();
        state.agent = in.Integer();
        state.status = in.Parsed(ParseCommandStatus(in.Text()));
        state.kind = in.Parsed(ParseKind(in.Text()));
        state.stops = in.OptionalId<ActionId>();
        state.limit_bytes = in.Unsigned<std::uint64_t>();
        state.parts = in.Unsigned<std::uint64_t>();
        state.bytes = in.Unsigned<std::uint64_t>();
        if (const std::int64_t seq = in.Integer(); seq >= 0) state.last_seq = seq;
        state.last_status = in.Text();
        state.late = in.Bool();
        state.found = in.OptionalBool();
        return state;
      },
      action.Text(), agent.Text());
}

Expected<std::int64_t> NextFinish(ServerStatements& db) {
  auto value =
      db.One("UPDATE sequences SET value = value + 1 WHERE name = 'finish' RETURNING value",
             [](Columns& in) { return in.Integer(); });
  if (!value) return std::move(value).error();
  if (!*value) return Error(Errc::kMalformed, "server database: sequence `finish` is missing");
  return **value;
}

Expected<void> FinishCommand(ServerStatements& db, std::int64_t command, CommandStatus status,
                             std::string_view code, std::string_view detail, UtcTime now) {
  auto finish = NextFinish(db);
  if (!finish) return std::move(finish).error();
  auto done = db.Run(
      "UPDATE commands SET status = ?2, code = ?3, detail = ?4, finished = ?5, finish = ?6,"
      " due = NULL WHERE row = ?1",
      command, CommandStatusName(status), Utf8Prefix(code, kMaxCodeBytes),
      Utf8Prefix(detail, kMaxDetailBytes), Millis(now), *finish);
  if (!done) return std::move(done).error();
  return {};
}

}  // namespace mig::store
