// The target expression: which machines an action is for. One language (wire.md, "Target"), parsed
// once, evaluated by the scheduler over its agents (as SQL) and by each agent over itself.
//   name LIKE 'web%' AND environment->>'os' = 'linux' AND tags->>'operator' IN ('it','sec')
//   name ~ '^db[0-9]+'   status = 'online'   heartbeattime > now - 1h   found(ACTION)   all
// Keywords in any case; NOT binds tighter than AND, AND tighter than OR; parentheses. LIKE and ~
// mind case, ILIKE and ~* do not (as in PostgreSQL).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "proto/ids.h"
#include "util/clock.h"
#include "util/expected.h"
#include "util/json.h"

namespace mig {

enum class Truth { kFalse, kUnknown, kTrue };

class Target {
 public:
  // At most 8 KiB, nested at most 64 deep, at most 32 regular expressions (each may take 1 MiB).
  // Error: kMalformed with the position and what was expected there, and the near field name for
  // an unknown one.
  static Expected<Target> Parse(std::string_view text);
  Target(Target&&) noexcept;
  Target& operator=(Target&&) noexcept;
  ~Target();

  // What the evaluating side knows. A field it does not know is nullopt: the comparison is unknown.
  // A known field that is absent (a tag nobody set) compares as SQL's NULL would: neither the
  // comparison nor its negation is ever true.
  struct Facts {
    // `field`: "id" "name" "status" "version" "heartbeattime" (RFC 3339), or "environment", "tags"
    // with `key`. Outer nullopt: unknown. Inner nullopt: known to be absent.
    std::function<std::optional<std::optional<std::string>>(std::string_view field,
                                                            std::string_view key)>
        value;
    std::function<Truth(const ActionId&)> found;
    std::function<Truth(const ActionId&)> notfound;
    UtcTime now;
  };
  // What a WHERE would do: kTrue: selected; kFalse: not selected, whatever the unknown facts are;
  // kUnknown: that depends on them.
  Truth Evaluate(const Facts& facts) const;

  // A WHERE clause, in parentheses, over the store's agents table with `?` parameters; a user's
  // text is only ever a parameter. Columns: id, name, status, version, heartbeattime (integer ms),
  // environment, tags (JSON text, read with json_extract). LIKE and regular expressions call the
  // SQL function mig_match(text, pattern): NULL for NULL text, else what Pattern says, which the
  // store compiles once for each statement. found/notfound call
  // mig_found(agent_id, action_id, want): whether the agent answered the action with success and
  // foundanything is `want` (1 or 0); never NULL.
  struct Sql {
    std::string where;
    std::vector<std::variant<std::int64_t, std::string>> parameters;
  };
  Sql ToSql(UtcTime now) const;

  // The same in plain words, to stand behind "machines where": "the name begins with 'web' and the
  // server's word for its status is 'online'"; empty for `all`. Quoted texts as in the expression;
  // not escaped for a terminal. target_words.cpp.
  std::string Words() const;
  // Whether it asks for what only the server can know (status, heartbeattime, found, notfound).
  bool AsksTheServer() const;

  struct Node;

 private:
  explicit Target(std::unique_ptr<Node> root);
  std::unique_ptr<Node> root_;
};

// The text that environment->>'key' or tags->>'key' compares, as the store's SQL reads it from the
// same JSON: a string itself, a list or object as compact JSON; nullopt when absent or null.
std::optional<std::string> FieldText(const json::object& fields, std::string_view key);

}  // namespace mig
