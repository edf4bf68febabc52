// Both evaluators of a target, the agent's own and SQL, asked about the same machines.
#include <sqlite3.h>

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "proto/pattern.h"
#include "proto/target.h"

using namespace mig;

namespace {

const UtcTime kNow = *ParseRfc3339("2026-11-23T09:30:00Z");

struct Machine {
  std::string id;
  std::optional<std::string> name, status, version;
  std::optional<UtcTime> heartbeattime;
  json::object environment, tags;
};

// What mig_found answers, for both evaluators: something that depends on both ids.
bool Answered(std::string_view agent, std::string_view action, bool want) {
  const int sum = agent[0] + action[0];
  return sum % 3 == (want ? 0 : 1);
}

std::string_view TextOf(sqlite3_value* value) {
  return {reinterpret_cast<const char*>(sqlite3_value_text(value)),
          static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

void MatchFunction(sqlite3_context* context, int, sqlite3_value** arguments) {
  if (sqlite3_value_type(arguments[0]) == SQLITE_NULL) return;  // NULL
  const auto pattern = Pattern::Compile(TextOf(arguments[1]));
  REQUIRE(pattern);
  sqlite3_result_int(context, pattern->Matches(TextOf(arguments[0])) ? 1 : 0);
}

void FoundFunction(sqlite3_context* context, int, sqlite3_value** arguments) {
  sqlite3_result_int(context, Answered(TextOf(arguments[0]), TextOf(arguments[1]),
                                       sqlite3_value_int(arguments[2]) != 0)
                                  ? 1
                                  : 0);
}

class Agents {
 public:
  explicit Agents(const std::vector<Machine>& machines) {
    REQUIRE(sqlite3_open(":memory:", &db_) == SQLITE_OK);
    sqlite3_create_function(db_, "mig_match", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC, nullptr,
                            MatchFunction, nullptr, nullptr);
    sqlite3_create_function(db_, "mig_found", 3, SQLITE_UTF8, nullptr, FoundFunction, nullptr,
                            nullptr);
    Run("CREATE TABLE agents (id TEXT, name TEXT, status TEXT, version TEXT, "
        "heartbeattime INTEGER, environment TEXT, tags TEXT)");
    for (const Machine& m : machines) {
      sqlite3_stmt* insert = Prepare("INSERT INTO agents VALUES (?,?,?,?,?,?,?)");
      BindText(insert, 1, m.id);
      BindText(insert, 2, m.name);
      BindText(insert, 3, m.status);
      BindText(insert, 4, m.version);
      if (m.heartbeattime) {
        sqlite3_bind_int64(insert, 5, m.heartbeattime->time_since_epoch().count());
      }
      BindText(insert, 6, json::Write(m.environment));
      BindText(insert, 7, json::Write(m.tags));
      REQUIRE(sqlite3_step(insert) == SQLITE_DONE);
      sqlite3_finalize(insert);
    }
  }
  Agents(const Agents&) = delete;
  Agents& operator=(const Agents&) = delete;
  ~Agents() { sqlite3_close(db_); }

  std::vector<std::string> Select(const Target::Sql& sql) {
    sqlite3_stmt* select =
        Prepare("SELECT id FROM agents WHERE " + sql.where + " AND id > '' ORDER BY rowid");
    int index = 0;
    for (const auto& parameter : sql.parameters) {
      ++index;
      if (const auto* number = std::get_if<std::int64_t>(&parameter)) {
        sqlite3_bind_int64(select, index, *number);
      } else {
        BindText(select, index, std::get<std::string>(parameter));
      }
    }
    REQUIRE(index == sqlite3_bind_parameter_count(select));
    std::vector<std::string> ids;
    int code = 0;
    while ((code = sqlite3_step(select)) == SQLITE_ROW) {
      ids.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(select, 0)));
    }
    INFO(sqlite3_errmsg(db_));
    REQUIRE(code == SQLITE_DONE);
    sqlite3_finalize(select);
    return ids;
  }

 private:
  static void BindText(sqlite3_stmt* statement, int index, const std::optional<std::string>& text) {
    if (!text) return;
    sqlite3_bind_text(statement, index, text->data(), static_cast<int>(text->size()),
                      SQLITE_TRANSIENT);
  }
  void Run(const char* sql) {
    REQUIRE(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
  }
  sqlite3_stmt* Prepare(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr);
    INFO(sql << ": " << sqlite3_errmsg(db_));
    REQUIRE(code == SQLITE_OK);
    return statement;
  }

  sqlite3* db_ = nullptr;
};

// Hidden fields: bit 0 name, 1 status, 2 version, 3 heartbeattime, 4 environment, 5 tags, 6 found.
Target::Facts FactsOf(const Machine& m, unsigned hidden) {
  Target::Facts facts;
  facts.value = [&m, hidden](std::string_view field,
                             std::string_view key) -> std::optional<std::optional<std::string>> {
    const auto is_hidden = [&](unsigned bit) { return (hidden >> bit & 1) != 0; };
    if (field == "id") return m.id;
    if (field == "name" && !is_hidden(0)) return m.name;
    if (field == "status" && !is_hidden(1)) return m.status;
    if (field == "version" && !is_hidden(2)) return m.version;
    if (field == "heartbeattime" && !is_hidden(3)) {
      if (!m.heartbeattime) return std::optional<std::string>();
      return FormatRfc3339(*m.heartbeattime);
    }
    if (field == "environment" && !is_hidden(4)) return FieldText(m.environment, key);
    if (field == "tags" && !is_hidden(5)) return FieldText(m.tags, key);
    return std::nullopt;
  };
  const auto answered = [&m, hidden](bool want) {
    return [&m, hidden, want](const ActionId& action) {
      if ((hidden >> 6 & 1) != 0) return Truth::kUnknown;
      return Answered(m.id, action.Text(), want) ? Truth::kTrue : Truth::kFalse;
    };
  };
  facts.found = answered(true);
  facts.notfound = answered(false);
  facts.now = kNow;
  return facts;
}

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  std::size_t Below(std::size_t bound) { return engine_() % bound; }
  template <typename T>
  const T& OneOf(const std::vector<T>& items) {
    return items[Below(items.size())];
  }

  std::string Expression(int depth) {
    switch (depth == 0 ? 5 : Below(7)) {
      case 0:
        return "(" + Expression(depth - 1) + ")";
      case 1:
        return "NOT " + Expression(0);
      case 2:
        return "NOT (" + Expression(depth - 1) + ")";
      case 3:
        return Expression(depth - 1) + " AND " + Expression(depth - 1);
      case 4:
        return Expression(depth - 1) + " OR " + Expression(depth - 1);
      default:
        return Comparison();
    }
  }

  Machine MakeMachine(std::size_t number) {
    Machine m;
    m.id = std::string(1, static_cast<char>('a' + number % 26)) + std::string(51, 'a');
    if (Below(8) != 0) m.name = Word();
    if (Below(4) != 0) m.status = OneOf<std::string>({"online", "idle", "offline"});
    if (Below(4) != 0) m.version = Word();
    if (Below(4) != 0) {
      m.heartbeattime = kNow - std::chrono::minutes(static_cast<int>(Below(180)));
    }
    for (json::object* fields : {&m.environment, &m.tags}) {
      for (const char* key : {"os", "a.b", "$", "o'clock", "ä"}) {
        switch (Below(6)) {
          case 0:
            break;
          case 1:
            (*fields)[key] = nullptr;
            break;
          case 2:
            (*fields)[key] = json::array{Word(), Word()};
            break;
          case 3:
            (*fields)[key] = static_cast<std::int64_t>(Below(3));
            break;
          case 4:
            (*fields)[key] = Below(2) == 0;
            break;
          default:
            (*fields)[key] = Word();
        }
      }
    }
    return m;
  }

 private:
  const std::string& Word() {
    static const std::vector<std::string> words = {"web1", "WEB1", "web",  "db1.example.net",
                                                   "",     "a%b",  "a_b",  "axb",
                                                   "it's", "ö",    "Ö",    "a\nb",
                                                   "100%", "\\",   "[x]",  "*",
                                                   "?",    "0",    "\xff", "[\"web1\",\"web\"]"};
    return OneOf(words);
  }
  std::string Quoted(const std::string& text) {
    std::string quoted = "'";
    for (const char c : text) {
      // The language is UTF-8; the byte that is not stays on the machines' side.
      if (static_cast<unsigned char>(c) == 0xff) continue;
      quoted += c;
      if (c == '\'') quoted += c;
    }
    return quoted + "'";
  }
  std::string Field() {
    static const std::vector<std::string> fields = {
        "name",           "status",     "version",           "environment->>'os'",
        "tags->>'a.b'",   "tags->>'$'", "tags->>'o''clock'", "environment->>'ä'",
        "tags->>'absent'"};
    return OneOf(fields);
  }
  std::string LikePattern() {
    static const std::vector<std::string> patterns = {
        "%",   "_",    "web%", "%1", "%e%", "a\\%b", "a\\_b", "a_b",  "",    "%\\\\%",
        "[x]", "w_b1", "%ö%",  "*",  "?",   "___",   "%%",    "WEB_", "%n_t"};
    return OneOf(patterns);
  }
  std::string Regex() {
    static const std::vector<std::string> patterns = {"^web", "1$",    ".", "",   "[0-9]",
                                                      "a.b",  "b|web", "ö", "^$", "\\\\"};
    return OneOf(patterns);
  }
  std::string Comparison() {
    switch (Below(10)) {
      case 0:
        return Field() + " = " + Quoted(Word());
      case 1:
        return Field() + " <> " + Quoted(Word());
      case 2:
        return Field() + OneOf<std::string>({" IN (", " NOT IN ("}) + Quoted(Word()) + "," +
               Quoted(Word()) + ")";
      case 3:
        return Field() + OneOf<std::string>({" IS NULL", " IS NOT NULL"});
      case 4:
      case 5:
        return Field() + OneOf<std::string>({" LIKE ", " ILIKE ", " NOT LIKE ", " NOT ILIKE "}) +
               Quoted(LikePattern());
      case 6:
        return Field() + OneOf<std::string>({" ~ ", " ~* ", " !~ ", " !~* "}) + Quoted(Regex());
      case 7:
        return "heartbeattime " + OneOf<std::string>({"<", "<=", ">", ">=", "=", "!="}) + " " +
               OneOf<std::string>({"now - 1h", "now - 30m", "now", "'2026-11-23T08:30:00Z'"});
      case 8:
        return OneOf<std::string>({"found(", "notfound("}) +
               std::string(1, static_cast<char>('a' + Below(3))) + std::string(25, 'a') + ")";
      default:
        return OneOf<std::string>({"all", "heartbeattime IS NULL", "status='online'"});
    }
  }

  std::mt19937 engine_;
};

}  // namespace

TEST_CASE("target: SQL selects exactly the machines that evaluate to true", "[proto]") {
  Random random(1);
  std::vector<Machine> machines;
  for (std::size_t i = 0; i < 26; ++i) machines.push_back(random.MakeMachine(i));
  Agents agents(machines);
  std::size_t selected = 0;
  std::size_t unknown = 0;
  for (int round = 0; round < 3000; ++round) {
    const std::string text = random.Expression(4);
    INFO(text);
    if (text.size() > 8192) continue;
    const auto target = Target::Parse(text);
    INFO((target ? std::string() : target.error().message()));
    REQUIRE(target);
    std::vector<std::string> expected;
    for (const Machine& m : machines) {
      const Truth whole = target->Evaluate(FactsOf(m, 0));
      REQUIRE(whole != Truth::kUnknown);  // where all is known
      if (whole == Truth::kTrue) expected.push_back(m.id);
      // A machine that knows less never contradicts the one that knows all.
      const Truth part = target->Evaluate(FactsOf(m, static_cast<unsigned>(random.Below(128))));
      if (part != Truth::kUnknown) {
        REQUIRE(part == whole);
      } else {
        ++unknown;
      }
    }
    selected += expected.size();
    REQUIRE(agents.Select(target->ToSql(kNow)) == expected);
  }
  // The comparison above means something only where the answers differ.
  CHECK(selected > 10'000);
  CHECK(selected < 60'000);
  CHECK(unknown > 5'000);
}

TEST_CASE("target: the longest chains are not too deep for SQLite", "[proto]") {
  Random random(2);
  const std::vector<Machine> machines = {random.MakeMachine(0)};
  Agents agents(machines);
  std::string longest = "all";
  while (longest.size() + 7 <= 8192) longest += " or all";
  CHECK(agents.Select(Target::Parse(longest)->ToSql(kNow)).size() == 1);

  std::string nested = "all";
  for (int i = 0; i < 64; ++i) nested = "(" + nested + " and all)";
  CHECK(agents.Select(Target::Parse(nested)->ToSql(kNow)).size() == 1);

  std::string members = "name in (''";
  while (members.size() + 4 <= 8192) members += ",''";
  CHECK(agents.Select(Target::Parse(members + ")")->ToSql(kNow)).empty() ==
        (machines[0].name != ""));
}
