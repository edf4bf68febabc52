#include "store/relay_admin.h"

#include <array>
#include <utility>

#include "store/relay_sql.h"

namespace mig::store {
namespace {

// What must not be there, as a query for how many there are. To be added to when relay.sql is.
struct Rule {
  const char* what;
  const char* sql;
};

constexpr std::array kRules{
    Rule{"queued rows without their message",
         "SELECT count(*) FROM queue AS q WHERE NOT EXISTS"
         " (SELECT 1 FROM messages AS m WHERE m.id = q.message)"},
    Rule{"messages whose count of rows is wrong",
         "WITH counted AS (SELECT message, count(*) AS rows FROM queue GROUP BY message)"
         " SELECT count(*) FROM messages AS m LEFT JOIN counted AS c ON c.message = m.id"
         " WHERE m.refs <> coalesce(c.rows, 0) OR m.refs <= 0"},
    Rule{"queued rows whose session or group is gone",
         "SELECT count(*) FROM queue WHERE queue NOT IN (SELECT id FROM sessions UNION ALL"
         " SELECT id FROM share_groups UNION ALL SELECT queue FROM dropped_queues)"},
    Rule{"subscriptions without a session",
         "SELECT count(*) FROM subscriptions WHERE session NOT IN (SELECT id FROM sessions)"},
    Rule{"shared subscriptions without a group",
         "SELECT count(*) FROM subscriptions WHERE filter LIKE '$share/%'"
         " AND filter NOT IN (SELECT filter FROM share_groups)"},
    Rule{"client identifiers with more than one session",
         "SELECT count(*) FROM (SELECT 1 FROM sessions GROUP BY client_id HAVING count(*) > 1)"},
    Rule{"ids that a session and a group share",
         "SELECT count(*) FROM sessions WHERE id IN (SELECT id FROM share_groups)"},
    Rule{"received packet identifiers without a session",
         "SELECT count(*) FROM received WHERE session NOT IN (SELECT id FROM sessions)"},
    Rule{"sent packet identifiers without a session",
         "SELECT count(*) FROM sending WHERE session NOT IN (SELECT id FROM sessions)"},
    Rule{"sent packet identifiers without their row",
         "SELECT count(*) FROM sending AS s WHERE s.sequence <> 0 AND NOT EXISTS"
         " (SELECT 1 FROM queue AS q WHERE q.queue = s.session AND q.sequence = s.sequence)"},
};

std::uint64_t SizeOf(const std::filesystem::path& file) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(file, error);
  return error ? 0 : size;
}

}  // namespace

Expected<RelayAdmin> RelayAdmin::Open(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::exists(file, error)) {
    return Error(Errc::kNotFound, file.string() + ": there is no such database");
  }
  const std::uint64_t log_bytes = SizeOf(file.string() + "-wal");
  auto database = Database::Open(file, Access::kAlone);
  if (!database) {
    if (database.error().code() != Errc::kUnavailable) return std::move(database).error();
    return Error(Errc::kUnavailable,
                 file.string() +
                     ": a relay has it to itself while it runs; stop it first (systemctl stop "
                     "mig-relay), or see `mig relay status`");
  }
  RelayAdmin admin(std::move(*database), log_bytes);
  auto steps = SplitMigrations(kRelaySql);
  if (!steps) return std::move(steps).error();
  auto version = admin.Number("PRAGMA user_version");
  if (!version) return std::move(version).error();
  if (*version != static_cast<std::int64_t>(steps->size())) {
    return Error(Errc::kUnsupported, file.string() + ": has schema version " +
                                         std::to_string(*version) + ", this build knows " +
                                         std::to_string(steps->size()) +
                                         (*version < static_cast<std::int64_t>(steps->size())
                                              ? "; start the relay once, which brings it up to date"
                                              : "; use the newer mig that wrote it"));
  }
  return admin;
}

Expected<std::int64_t> RelayAdmin::Number(const std::string& sql) {
  auto query = database_.Prepare(sql);
  if (!query) return std::move(query).error();
  auto row = query->Step();
  if (!row) return std::move(row).error();
  return *row ? query->Integer(0) : 0;
}

Expected<std::vector<RelayFinding>> RelayAdmin::Check() {
  std::vector<RelayFinding> findings;
  auto query = database_.Prepare("PRAGMA integrity_check(20)");
  if (!query) return std::move(query).error();
  for (;;) {
    auto row = query->Step();
    if (!row) return std::move(row).error();
    if (!*row) break;
    if (const std::string text = query->Text(0); text != "ok") findings.push_back({text, 0});
  }
  query->Reset();
  for (const Rule& rule : kRules) {
    auto count = Number(rule.sql);
    if (!count && count.error().code() == Errc::kMalformed && !findings.empty()) continue;
    if (!count) return std::move(count).error();
    if (*count > 0) findings.push_back({rule.what, static_cast<std::uint64_t>(*count)});
  }
  return findings;
}

Expected<std::vector<RelayQueueSize>> RelayAdmin::Queues(const std::string& order,
                                                         std::uint64_t count) {
  auto query = database_.Prepare(
      "SELECT coalesce(s.client_id, g.filter), count(*) AS messages, sum(q.size) AS bytes"
      " FROM queue AS q LEFT JOIN sessions AS s ON s.id = q.queue"
      " LEFT JOIN share_groups AS g ON g.id = q.queue"
      " WHERE s.id IS NOT NULL OR g.id IS NOT NULL"
      " GROUP BY q.queue ORDER BY " +
      order + " DESC LIMIT ?");
  if (!query) return std::move(query).error();
  query->Bind(count);
  std::vector<RelayQueueSize> queues;
  for (;;) {
    auto row = query->Step();
    if (!row) return std::move(row).error();
    if (!*row) return queues;
    queues.push_back({query->Text(0), static_cast<std::uint64_t>(query->Integer(1)),
                      static_cast<std::uint64_t>(query->Integer(2))});
  }
}

Expected<RelayDbFigures> RelayAdmin::Figures(std::uint64_t queues) {
  RelayDbFigures f;
  std::int64_t page_bytes = 0;
  std::int64_t free_pages = 0;
  std::int64_t pages = 0;
  const auto read = [this](const char* sql, auto& into) -> Expected<void> {
    auto number = Number(sql);
    if (!number) return std::move(number).error();
    into = static_cast<std::remove_reference_t<decltype(into)>>(*number);
    return {};
  };
  std::int64_t oldest = 0;
  for (const auto& [sql, into] : std::initializer_list<std::pair<const char*, std::uint64_t*>>{
           {"SELECT count(*) FROM sessions", &f.sessions},
           {"SELECT count(*) FROM sessions WHERE away_since IS NOT NULL", &f.away},
           {"SELECT count(*) FROM subscriptions", &f.subscriptions},
           {"SELECT count(*) FROM share_groups", &f.groups},
           {"SELECT count(*) FROM messages", &f.messages},
           {"SELECT count(*) FROM queue", &f.queued},
           {"SELECT sum(size) FROM queue", &f.queued_bytes},
           {"SELECT count(*) FROM retained", &f.retained},
           {"SELECT sum(length(payload) + length(CAST(topic AS BLOB))) FROM retained",
            &f.retained_bytes},
           {"SELECT (SELECT count(*) FROM received) + (SELECT count(*) FROM sending)",
            &f.exchanges},
           {"SELECT count(*) FROM dropped_queues", &f.dropped},
       }) {
    if (auto done = read(sql, *into); !done) return std::move(done).error();
  }
  for (const auto& [sql, into] : std::initializer_list<std::pair<const char*, std::int64_t*>>{
           {"SELECT min(stored_at) FROM messages", &oldest},
           {"PRAGMA page_size", &page_bytes},
           {"PRAGMA page_count", &pages},
           {"PRAGMA freelist_count", &free_pages},
       }) {
    if (auto done = read(sql, *into); !done) return std::move(done).error();
  }
  if (oldest != 0) f.oldest = TimeFromMillis(oldest);
  auto longest = Queues("messages", queues);
  if (!longest) return std::move(longest).error();
  f.longest = std::move(*longest);
  auto largest = Queues("bytes", queues);
  if (!largest) return std::move(largest).error();
  f.largest = std::move(*largest);
  f.file_bytes = static_cast<std::uint64_t>(pages * page_bytes);
  f.log_bytes = log_bytes_;
  f.free_bytes = static_cast<std::uint64_t>(free_pages * page_bytes);
  return f;
}

Expected<void> RelayAdmin::Compact() {
  // The new content stands beside the old one, and then in the log, before the file is cut.
  const std::uint64_t takes = 2 * SizeOf(database_.file());
  std::error_code error;
  const auto space =
      std::filesystem::space(std::filesystem::absolute(database_.file()).parent_path(), error);
  if (!error && space.available < takes) {
    return Error(Errc::kFull, database_.file().string() + ": compacting it takes up to " +
                                  std::to_string(takes >> 20) + " MiB of free space; there are " +
                                  std::to_string(space.available >> 20));
  }
  if (auto done = database_.Execute("VACUUM"); !done) return done;
  return database_.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
}

}  // namespace mig::store
