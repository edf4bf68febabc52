#include "store/server_statements.h"

#include <deque>

#include "proto/pattern.h"

namespace mig::store {
namespace {

// Compiled patterns of the targets that this connection evaluated last. A target of 8 KiB has room
// for a few hundred; more than this many at once are compiled anew for each row.
class PatternCache {
 public:
  // Null for a pattern that RE2 refuses: Target::Parse refuses it before.
  const Pattern* Find(std::string_view text) {
    for (const auto& [known, pattern] : patterns_) {
      if (known == text) return pattern ? &*pattern : nullptr;
    }
    if (patterns_.size() == kCapacity) patterns_.pop_front();
    auto compiled = Pattern::Compile(text);
    patterns_.emplace_back(std::string(text), std::nullopt);
    if (compiled) patterns_.back().second = std::move(*compiled);
    return patterns_.back().second ? &*patterns_.back().second : nullptr;
  }

 private:
  static constexpr std::size_t kCapacity = 32;
  std::deque<std::pair<std::string, std::optional<Pattern>>> patterns_;
};

}  // namespace

Expected<std::unique_ptr<ServerStatements>> ServerStatements::Open(
    const std::filesystem::path& file, Access access) {
  auto database = Database::Open(file, access);
  if (!database) return std::move(database).error();
  std::unique_ptr<ServerStatements> statements(new ServerStatements(std::move(*database)));
  if (auto defined = statements->DefineFunctions(); !defined) return std::move(defined).error();
  return statements;
}

Expected<void> ServerStatements::DefineFunctions() {
  auto match = database_.Define(
      "mig_match", 2,
      [cache = std::make_shared<PatternCache>()](
          std::span<const std::optional<std::string_view>> values) -> std::optional<bool> {
        if (!values[0] || !values[1]) return std::nullopt;
        const Pattern* pattern = cache->Find(*values[1]);
        if (pattern == nullptr) return std::nullopt;
        return pattern->Matches(*values[0]);
      });
  if (!match) return match;
  // Owned by the connection, which `this` owns.
  return database_.Define(
      "mig_found", 3,
      [this](std::span<const std::optional<std::string_view>> values) -> std::optional<bool> {
        if (!values[0] || !values[1] || !values[2]) return std::nullopt;
        return Found(*values[0], *values[1], *values[2] == "1");
      });
}

// The agent answered that action successfully, and found something (or, with !want, nothing). An
// agent that was not asked, or has not answered yet, is in neither set.
std::optional<bool> ServerStatements::Found(std::string_view agent, std::string_view action,
                                            bool want) {
  auto found = One(
      "SELECT c.found FROM commands c"
      " WHERE c.action = (SELECT row FROM actions WHERE id = ?)"
      " AND c.agent = (SELECT row FROM agents WHERE id = ?) AND c.status = 'success'",
      [](Columns& in) { return in.Bool(); }, action, agent);
  if (!found) return std::nullopt;  // damage: neither in the set nor outside it
  return found->has_value() && **found == want;
}

Expected<ServerStatements::Use> ServerStatements::Prepare(std::string_view sql) {
  const auto known = statements_.find(sql);
  if (known != statements_.end()) return Use(known->second);
  auto statement = database_.Prepare(sql);
  if (!statement) return std::move(statement).error();
  return Use(statements_.emplace(sql, std::move(*statement)).first->second);
}

}  // namespace mig::store
