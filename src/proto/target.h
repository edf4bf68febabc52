// The target expression: which machines an action is for. One language (DESIGN section 5), parsed
// once, evaluated by the scheduler over its agents (as SQL) and by each agent over itself.
//   name LIKE 'web%' AND environment->>'os' = 'linux' AND tags->>'operator' IN ('it','sec')
//   name ~ '^db[0-9]+'   status = 'online'   heartbeattime > now - 1h   found(ACTION)   all
// Keywords in any case; NOT binds tighter than AND, AND tighter than OR; parentheses.
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

namespace mig {

enum class Truth { kFalse, kUnknown, kTrue };
Truth And(Truth a, Truth b);
Truth Or(Truth a, Truth b);
Truth Not(Truth a);

class Target {
 public:
  // At most 8 KiB, nested at most 64 deep. Error: kMalformed with the position and what was
  // expected there, and the near field name for an unknown one.
  static Expected<Target> Parse(std::string_view text);
  Target(Target&&) noexcept;
  Target& operator=(Target&&) noexcept;
  ~Target();

  // What the evaluating side knows. A field it does not know is nullopt: the comparison is unknown.
  // A known field that is absent (a tag nobody set) compares as SQL's NULL would: never true.
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
  Truth Evaluate(const Facts& facts) const;

  // A WHERE clause over the store's agents table with `?` parameters; a user's text is only ever a
  // parameter. Columns: id, name, status, version, heartbeattime (integer ms), environment, tags
  // (JSON text, read with json_extract). Regular expressions call the SQL function
  // mig_match(text, pattern), found/notfound call mig_found(agent_id, action_id, want).
  struct Sql {
    std::string where;
    std::vector<std::variant<std::int64_t, std::string>> parameters;
  };
  Sql ToSql(UtcTime now) const;

  struct Node;

 private:
  explicit Target(std::unique_ptr<Node> root);
  std::unique_ptr<Node> root_;
};

}  // namespace mig
