// Agents in the server's database; what is wrong with some: server_agent_watch.cpp; what they are
// enrolled with: server_tokens.cpp.
#include <algorithm>
#include <map>

#include "store/server_statements.h"
#include "store/server_tx.h"
#include "util/json.h"

namespace mig::store {
namespace {

constexpr std::string_view kStatusNames[] = {"online", "idle", "offline"};

// What an agent signed counts when it is newer than all it signed before. An agent whose clock was
// set back is believed again at once if it is about right now: a replay within that time can only
// repeat what was true a moment ago.
constexpr std::chrono::minutes kClockTolerance{10};

// Processes remembered for each agent: enough to recognise copies, bounded for agents that crash in
// a loop.
constexpr int kRememberedBoots = 16;

// An earlier process that speaks again, once, may be an odd clock; twice is a copy.
constexpr std::int64_t kReturnsOfAClone = 2;

#define MIG_AGENT_COLUMNS                                                                 \
  "id, key, name, status, version, environment, tags, enrolled, heartbeattime, started, " \
  "boot, relay, policy, sandbox, ledger_length, ledger_head, cloned, ledger_back, ledger_before"

AgentRow ReadAgent(Columns& in) {
  AgentRow row;
  row.id = in.ReadId<AgentId>();
  row.key = in.BlobValue();
  row.name = in.Text();
  row.status = in.Parsed(ParseAgentStatus(in.Text()));
  row.version = in.Text();
  row.environment = in.Text();
  row.tags = in.Text();
  row.enrolled = in.Time();
  row.heartbeattime = in.Time();
  row.started = in.Time();
  row.boot = in.Text();
  row.relay = in.Text();
  row.policy = in.Unsigned<std::uint64_t>();
  row.sandbox = in.Text();
  row.ledger_length = in.Unsigned<std::uint64_t>();
  row.ledger_head = in.BlobValue();
  row.cloned = in.OptionalTime();
  row.ledger_back = in.OptionalTime();
  row.ledger_before = in.Unsigned<std::uint64_t>();
  return row;
}

// What is known of an agent's words so far; times are by the agent's clock.
struct Life {
  std::int64_t row = 0;
  std::int64_t newest = 0, on_time = 0, on_before = 0, off_time = 0, boot_since = 0, returns = 0;
  std::string boot, name, environment;
  bool connected = false, cloned = false;
};

Life ReadLife(Columns& in) {
  Life life;
  life.row = in.Integer();
  life.newest = in.Integer();
  life.on_time = in.Integer();
  life.on_before = in.Integer();
  life.off_time = in.Integer();
  life.boot_since = in.Integer();
  life.returns = in.Integer();
  life.boot = in.Text();
  life.name = in.Text();
  life.environment = in.Text();
  life.connected = in.Bool();
  life.cloned = in.OptionalTime().has_value();
  return life;
}

Expected<Life> FindLife(ServerStatements& db, const AgentId& id) {
  auto life = db.One(
      "SELECT row, newest, on_time, on_before, off_time, boot_since, boot_returns, boot, name,"
      " environment, connected, cloned FROM agents WHERE id = ?",
      ReadLife, id.Text());
  if (!life) return std::move(life).error();
  if (!*life) return Error(Errc::kNotFound, "agent " + id.Text() + " is not enrolled");
  return std::move(**life);
}

bool IsFresh(UtcTime signed_at, std::int64_t newest, UtcTime now) {
  return Millis(signed_at) > newest ||
         (signed_at > now - kClockTolerance && signed_at < now + kClockTolerance);
}

// A word from process `boot`: keeps the list of processes, and finds out whether one that had been
// replaced lives on. A restarted agent never does, and what it had signed before its successor
// began is merely late. True when this agent shows itself to be a clone for the first time.
Expected<bool> RecordBoot(ServerStatements& db, Life& life, const std::string& boot,
                          UtcTime signed_at, UtcTime now) {
  bool returned = false;
  if (boot != life.boot) {
    auto known = db.One(
        "SELECT 1 FROM agent_boots WHERE agent = ? AND boot = ?",
        [](Columns& in) { return in.Bool(); }, life.row, boot);
    if (!known) return std::move(known).error();
    if (*known && Millis(signed_at) <= life.boot_since) return false;
    returned = known->has_value();
    life.boot = boot;
    life.boot_since = Millis(signed_at);
    if (returned) ++life.returns;
  }
  auto kept = db.Run(
      "INSERT INTO agent_boots(agent, boot, name, environment, first, last)"
      " VALUES (?1, ?2, ?3, ?4, ?5, ?5)"
      " ON CONFLICT (agent, boot) DO UPDATE SET name = ?3, environment = ?4, last = ?5",
      life.row, boot, life.name, life.environment, Millis(now));
  if (!kept) return std::move(kept).error();
  auto trimmed = db.Run(
      "DELETE FROM agent_boots WHERE agent = ?1 AND boot NOT IN"
      " (SELECT boot FROM agent_boots WHERE agent = ?1 ORDER BY last DESC LIMIT ?2)",
      life.row, kRememberedBoots);
  if (!trimmed) return std::move(trimmed).error();
  return returned && !life.cloned && life.returns >= kReturnsOfAClone;
}

}  // namespace

std::string_view AgentStatusName(AgentStatus status) {
  return kStatusNames[static_cast<std::size_t>(status)];
}

Expected<AgentStatus> ParseAgentStatus(std::string_view name) {
  const auto* found = std::ranges::find(kStatusNames, name);
  if (found == std::end(kStatusNames)) {
    return Error(Errc::kMalformed, "`" + std::string(name) + "` is not an agent's status");
  }
  return static_cast<AgentStatus>(found - std::begin(kStatusNames));
}

// ---- reading

Expected<std::optional<AgentRow>> ServerReader::FindAgent(const AgentId& id) {
  return statements().One("SELECT " MIG_AGENT_COLUMNS " FROM agents WHERE id = ?", ReadAgent,
                          id.Text());
}

Expected<std::optional<Bytes>> ServerReader::FindAgentKey(const AgentId& id) {
  return statements().One(
      "SELECT key FROM agents WHERE id = ?", [](Columns& in) { return in.BlobValue(); }, id.Text());
}

Expected<std::vector<AgentRow>> ServerReader::ListAgents(const Target::Sql& where,
                                                         const AgentId& after, std::size_t limit) {
  return statements().AllWhere("SELECT " MIG_AGENT_COLUMNS " FROM agents WHERE (" + where.where +
                                   ") AND id > ? ORDER BY id LIMIT ?",
                               where, ReadAgent, after.IsNone() ? "" : after.Text(), limit);
}

Expected<AgentCount> ServerReader::CountAgents(const Target::Sql& where) {
  using Group = std::pair<std::string, std::uint64_t>;
  auto groups = statements().AllWhere(
      "SELECT status, count(*) FROM agents WHERE (" + where.where + ") GROUP BY status", where,
      [](Columns& in) -> Group {
        std::string status = in.Text();
        return {std::move(status), in.Unsigned<std::uint64_t>()};
      });
  if (!groups) return std::move(groups).error();
  AgentCount count;
  for (const auto& [status, agents] : *groups) {
    count.total += agents;
    (status == "online" ? count.online : status == "idle" ? count.idle : count.offline) += agents;
  }
  return count;
}

Expected<std::vector<HeldPolicyRow>> ServerReader::CountHeldPolicies(std::size_t limit) {
  return statements().All(
      "SELECT policy, count(*) FROM agents GROUP BY policy ORDER BY policy DESC LIMIT ?",
      [](Columns& in) {
        HeldPolicyRow row;
        row.version = in.Unsigned<std::uint64_t>();
        row.agents = in.Unsigned<std::uint64_t>();
        return row;
      },
      limit);
}

Expected<std::vector<NotTakenRow>> ServerReader::ListNotTaken() {
  return statements().All(
      "SELECT flaw, agent, count, first, last FROM not_taken ORDER BY last DESC, flaw",
      [](Columns& in) {
        NotTakenRow row;
        row.flaw = in.Text();
        row.agent = in.Text();
        row.count = in.Unsigned<std::uint64_t>();
        row.first = in.Time();
        row.last = in.Time();
        return row;
      });
}

Expected<std::vector<AgentCopyRow>> ServerReader::ListCopies(const AgentId& id) {
  return statements().All(
      "SELECT b.boot, b.name, b.environment, b.first, b.last FROM agent_boots b"
      " JOIN agents a ON a.row = b.agent WHERE a.id = ? ORDER BY b.last DESC",
      [](Columns& in) {
        AgentCopyRow row;
        row.boot = in.Text();
        row.name = in.Text();
        row.environment = in.Text();
        row.first = in.Time();
        row.last = in.Time();
        return row;
      },
      id.Text());
}

// ---- writing

Expected<void> ServerTx::EnrolAgent(const NewAgent& agent, UtcTime now) {
  auto known = FindAgentKey(agent.id);
  if (!known) return std::move(known).error();
  if (*known && **known != agent.key) {
    return Error(Errc::kExists, "agent " + agent.id.Text() + " is enrolled with another key");
  }
  if (*known) return {};
  const auto shard = static_cast<unsigned char>(agent.id.View().front());
  auto done = statements().Run(
      "INSERT INTO agents(id, key, shard, name, enrolled, token) VALUES (?, ?, ?, ?, ?, ?)",
      agent.id.Text(), Blob{agent.key}, static_cast<int>(shard), agent.name, Millis(now),
      Blob{agent.token});
  if (!done) return std::move(done).error();
  return {};
}

Expected<Seen> ServerTx::RecordHeartbeat(const Heartbeat& heartbeat, UtcTime now) {
  auto life = FindLife(statements(), heartbeat.agent);
  if (!life) return std::move(life).error();
  Seen seen;
  if (!IsFresh(heartbeat.time, life->newest, now)) return seen;
  seen.fresh = true;

  life->name = heartbeat.name;
  life->environment = json::Write(EncodeEnvironment(heartbeat.environment));
  auto clone = RecordBoot(statements(), *life, heartbeat.boot, heartbeat.time, now);
  if (!clone) return std::move(clone).error();
  seen.new_clone = *clone;
  seen.held = *clone || life->cloned;

  // A heartbeat that was signed after the agent's last `off` shows that it is connected, whatever
  // became of its `on`.
  const bool connected = life->connected || Millis(heartbeat.time) > life->off_time;
  seen.came_on = connected && !life->connected;
  auto done = statements().Run(
      // Not its tags: those count when people have signed them (trust/agent_tags.h).
      "UPDATE agents SET name = ?2, version = ?3, environment = ?4,"
      " heartbeattime = ?5, alive = ?5, started = ?6, newest = max(newest, ?7), boot = ?8,"
      " boot_since = ?9, boot_returns = ?10, cloned = CASE WHEN ?11 THEN ?5 ELSE cloned END,"
      " connected = ?12, status = CASE WHEN ?12 THEN 'online' ELSE 'offline' END, policy = ?13,"
      " sandbox = ?14, host = ?15, pid = ?16 WHERE row = ?1",
      life->row, heartbeat.name, heartbeat.version, life->environment, Millis(now),
      Millis(heartbeat.started), Millis(heartbeat.time), life->boot, life->boot_since,
      life->returns, seen.new_clone, connected, heartbeat.policy, heartbeat.sandbox, heartbeat.host,
      heartbeat.pid);
  if (!done) return std::move(done).error();
  auto back = RecordLedger(heartbeat.agent, heartbeat.ledger, heartbeat.time, now);
  if (!back) return std::move(back).error();
  seen.ledger_back = *back;
  return seen;
}

Expected<Seen> ServerTx::RecordPresence(const Presence& presence, std::string_view relay,
                                        UtcTime now) {
  auto life = FindLife(statements(), presence.agent);
  if (!life) return std::move(life).error();
  Seen seen;
  const std::int64_t signed_at = Millis(presence.time);
  if (!presence.on) {
    // A will is signed before its connection is made, so it is older than the `on` of the same
    // connection and newer than the one before. It does not show which process lives.
    if (signed_at <= life->on_before) return seen;
    seen.fresh = true;
    seen.went_off = life->connected;
    auto done = statements().Run(
        "UPDATE agents SET connected = 0, status = 'offline', off_time = max(off_time, ?2)"
        " WHERE row = ?1",
        life->row, signed_at);
    if (!done) return std::move(done).error();
    return seen;
  }
  if (!IsFresh(presence.time, life->newest, now)) return seen;
  seen.fresh = true;
  seen.came_on = true;  // even when it was on: it may have lost its connection, and what was sent
  auto clone = RecordBoot(statements(), *life, presence.boot, presence.time, now);
  if (!clone) return std::move(clone).error();
  seen.new_clone = *clone;
  seen.held = *clone || life->cloned;
  auto done = statements().Run(
      "UPDATE agents SET connected = 1, status = 'online', relay = ?2, alive = ?3,"
      " newest = max(newest, ?4), on_before = on_time, on_time = ?4, boot = ?5, boot_since = ?6,"
      " boot_returns = ?7, cloned = CASE WHEN ?8 THEN ?3 ELSE cloned END WHERE row = ?1",
      life->row, relay, Millis(now), signed_at, life->boot, life->boot_since, life->returns,
      seen.new_clone);
  if (!done) return std::move(done).error();
  return seen;
}

Expected<std::vector<AgentId>> ServerTx::RefreshAgentStatus(UtcTime idle_before,
                                                            UtcTime offline_before,
                                                            std::size_t limit) {
#define MIG_AGENT_STATUS_NOW                             \
  "CASE WHEN connected = 0 OR alive < ?2 THEN 'offline'" \
  " WHEN alive < ?1 THEN 'idle' ELSE 'online' END"
  return statements().All(
      "UPDATE agents SET status = " MIG_AGENT_STATUS_NOW
      " WHERE row IN (SELECT row FROM agents WHERE status != 'offline'"
      " AND status != " MIG_AGENT_STATUS_NOW " LIMIT ?3) RETURNING id",
      [](Columns& in) { return in.ReadId<AgentId>(); }, Millis(idle_before), Millis(offline_before),
      limit);
#undef MIG_AGENT_STATUS_NOW
}

Expected<void> ServerTx::AddNotTaken(const NotTakenRow& row) {
  auto done = statements().Run(
      "INSERT INTO not_taken(flaw, agent, count, first, last) VALUES (?1, ?2, ?3, ?4, ?5)"
      " ON CONFLICT(flaw) DO UPDATE SET agent = ?2, count = count + ?3, last = ?5",
      row.flaw, row.agent, row.count, Millis(row.first), Millis(row.last));
  if (!done) return std::move(done).error();
  return {};
}

Expected<void> ServerTx::RecordStatistics(UtcTime now) {
  constexpr std::int64_t kDay = std::int64_t{24} * 3600 * 1000;
  auto done = statements().Run(
      "INSERT OR REPLACE INTO agents_stats(time, online, idle, offline, enrolled, vanished, cloned,"
      " by_version) SELECT ?1, count(*) FILTER (WHERE status = 'online'),"
      " count(*) FILTER (WHERE status = 'idle'), count(*) FILTER (WHERE status = 'offline'),"
      " count(*) FILTER (WHERE enrolled > ?2),"
      " count(*) FILTER (WHERE status = 'offline' AND alive > ?3),"
      " count(*) FILTER (WHERE cloned IS NOT NULL),"
      " (SELECT json_group_object(version, n) FROM (SELECT version, count(*) AS n FROM agents"
      "  WHERE status != 'offline' GROUP BY version)) FROM agents",
      Millis(now), Millis(now) - kDay, Millis(now) - 7 * kDay);
  if (!done) return std::move(done).error();
  return {};
}

}  // namespace mig::store
