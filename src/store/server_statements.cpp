#include "store/server_statements.h"

#include <map>
#include <optional>
#include <string>

#include "proto/pattern.h"

namespace mig::store {
namespace {

// Compiled patterns of the targets that this connection evaluated last. All patterns of one target
// have room together (at most 32 regular expressions of some 60,000 instructions each, and 8 KiB of
// LIKE), so that none is compiled anew for each row.
class PatternCache {
 public:
  // Null for a pattern that RE2 refuses: Target::Parse refuses it before. Valid until the next
  // call.
  const Pattern* Find(std::string_view text) {
    const auto known = patterns_.find(text);
    if (known != patterns_.end()) return known->second ? &*known->second : nullptr;
    auto compiled = Pattern::Compile(text);
    const std::size_t size = compiled ? compiled->size() : 1;
    if (size_ + size > kCapacity || patterns_.size() == kMaxPatterns) {
      patterns_.clear();
      size_ = 0;
    }
    size_ += size;
    auto& kept = patterns_[std::string(text)];
    if (compiled) kept = std::move(*compiled);
    return kept ? &*kept : nullptr;
  }

 private:
  static constexpr std::size_t kCapacity = 4'000'000;  // instructions of up to 16 bytes
  static constexpr std::size_t kMaxPatterns = 1024;    // 8 KiB of target have room for about 550
  std::map<std::string, std::optional<Pattern>, std::less<>> patterns_;
  std::size_t size_ = 0;
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
