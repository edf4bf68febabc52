#include "proto/target.h"

#include <catch2/catch.hpp>
#include <map>
#include <string>

using namespace mig;

namespace {

const UtcTime kNow = *ParseRfc3339("2026-11-23T09:30:00Z");
const std::string kActionText(26, 'a');
const std::string kAgentText(52, 'a');

// A machine; a field that is not here is unknown, one that is "-" is known to be absent.
Target::Facts FactsOf(std::map<std::string, std::string> fields) {
  Target::Facts facts;
  facts.value = [fields = std::move(fields)](
                    std::string_view field,
                    std::string_view key) -> std::optional<std::optional<std::string>> {
    std::string name(field);
    if (!key.empty()) name += "." + std::string(key);
    const auto found = fields.find(name);
    if (found == fields.end()) return std::nullopt;
    if (found->second == "-") return std::optional<std::string>();
    return std::optional<std::string>(found->second);
  };
  facts.found = [](const ActionId&) { return Truth::kUnknown; };
  facts.notfound = [](const ActionId&) { return Truth::kUnknown; };
  facts.now = kNow;
  return facts;
}

const Target::Facts kWeb = FactsOf({{"name", "web1.example.net"},
                                    {"id", kAgentText},
                                    {"version", "1.0"},
                                    {"environment.os", "linux"},
                                    {"tags.operator", "it"},
                                    {"tags.rack", "-"},
                                    {"tags.o'clock", "twelve"}});

Truth Evaluate(std::string_view text, const Target::Facts& facts = kWeb) {
  const auto target = Target::Parse(text);
  INFO(text);
  INFO((target ? "" : target.error().message()));
  REQUIRE(target);
  return target->Evaluate(facts);
}

std::string ErrorOf(std::string_view text) {
  const auto target = Target::Parse(text);
  INFO(text);
  REQUIRE_FALSE(target);
  CHECK(target.error().code() == Errc::kMalformed);
  return target.error().message();
}

struct Case {
  const char* text;
  Truth truth;
};

}  // namespace

TEST_CASE("target: each operator on a value that is known", "[proto]") {
  const Case cases[] = {
      {"all", Truth::kTrue},
      {"name = 'web1.example.net'", Truth::kTrue},
      {"name='web1.example.net'", Truth::kTrue},
      {"name = 'WEB1.example.net'", Truth::kFalse},
      {"name != 'x'", Truth::kTrue},
      {"name <> 'web1.example.net'", Truth::kFalse},
      {"name IN ('a', 'web1.example.net')", Truth::kTrue},
      {"name IN ('a','b')", Truth::kFalse},
      {"name NOT IN ('a','b')", Truth::kTrue},
      {"name LIKE 'web%'", Truth::kTrue},
      {"name LIKE 'eb%'", Truth::kFalse},
      {"name LIKE 'WEB%'", Truth::kFalse},
      {"name ILIKE 'WEB%'", Truth::kTrue},
      {"name NOT LIKE 'web%'", Truth::kFalse},
      {"name NOT ILIKE 'db%'", Truth::kTrue},
      {"name ~ '^web[0-9]+'", Truth::kTrue},
      {"name ~ '^WEB'", Truth::kFalse},
      {"name ~* '^WEB'", Truth::kTrue},
      {"name !~ '^web'", Truth::kFalse},
      {"name !~* '^DB'", Truth::kTrue},
      {"name IS NULL", Truth::kFalse},
      {"name IS NOT NULL", Truth::kTrue},
      {"environment->>'os' = 'linux'", Truth::kTrue},
      {"environment ->> 'os'='windows'", Truth::kFalse},
      {"tags->>'operator' IN ('it','sec')", Truth::kTrue},
      {"tags#>>'{operator}'='it'", Truth::kTrue},
      {"tags->>'o''clock' = 'twelve'", Truth::kTrue},
  };
  for (const Case& c : cases) {
    INFO(c.text);
    CHECK(Evaluate(c.text) == c.truth);
  }
  CHECK(Evaluate("id = '" + kAgentText + "'") == Truth::kTrue);
}

TEST_CASE("target: a tag that is known to be absent is never true, nor is its negation",
          "[proto]") {
  for (const char* text :
       {"tags->>'rack' = 'r1'", "tags->>'rack' != 'r1'", "NOT tags->>'rack' = 'r1'",
        "tags->>'rack' IN ('r1')", "tags->>'rack' NOT IN ('r1')", "tags->>'rack' LIKE '%'",
        "tags->>'rack' NOT LIKE 'r%'", "tags->>'rack' ~ ''", "NOT tags->>'rack' ~ ''",
        "tags->>'rack' = 'r1' AND status = 'online'", "tags->>'rack' = 'r1' OR name = 'x'",
        "NOT (tags->>'rack' = 'r1' AND all)", "tags->>'rack' IS NOT NULL"}) {
    INFO(text);
    CHECK(Evaluate(text) == Truth::kFalse);
  }
  CHECK(Evaluate("tags->>'rack' IS NULL") == Truth::kTrue);
  CHECK(Evaluate("tags->>'rack' = 'r1' OR all") == Truth::kTrue);
}

TEST_CASE("target: what only the server knows is unknown, and its negation too", "[proto]") {
  for (const std::string& text :
       {std::string("status = 'online'"), std::string("NOT status = 'online'"),
        std::string("status IS NULL"), std::string("heartbeattime > now - 1h"),
        std::string("status='online' AND name LIKE 'web%'"),
        std::string("status='online' OR name LIKE 'db%'"), "found(" + kActionText + ")",
        "NOT notfound('" + kActionText + "')"}) {
    INFO(text);
    CHECK(Evaluate(text) == Truth::kUnknown);
  }
  CHECK(Evaluate("status='online' AND name LIKE 'db%'") == Truth::kFalse);
  CHECK(Evaluate("status='online' OR name LIKE 'web%'") == Truth::kTrue);
}

TEST_CASE("target: NOT binds tighter than AND, AND tighter than OR", "[proto]") {
  CHECK(Evaluate("all OR all AND NOT all") == Truth::kTrue);
  CHECK(Evaluate("(all OR all) AND NOT all") == Truth::kFalse);
  CHECK(Evaluate("NOT all AND NOT all OR all") == Truth::kTrue);
  CHECK(Evaluate("NOT (all AND NOT all)") == Truth::kTrue);
  CHECK(Evaluate("not All aNd aLL oR ALL") == Truth::kTrue);
  CHECK(Evaluate("NOT NOT all") == Truth::kTrue);
}

TEST_CASE("target: times compare with times, and with the present", "[proto]") {
  const auto at = [](const char* time, const char* text) {
    return Evaluate(text, FactsOf({{"heartbeattime", time}}));
  };
  CHECK(at("2026-11-23T09:00:00Z", "heartbeattime > now - 1h") == Truth::kTrue);
  CHECK(at("2026-11-23T08:00:00Z", "heartbeattime > NOW() - interval '1 hour'") == Truth::kFalse);
  CHECK(at("2026-11-23T08:30:00Z", "heartbeattime >= now-1h") == Truth::kTrue);
  CHECK(at("2026-11-23T08:30:00Z", "heartbeattime > now-1h") == Truth::kFalse);
  CHECK(at("2026-11-23T09:29:00Z", "heartbeattime < NOW() - INTERVAL '30 seconds'") ==
        Truth::kTrue);
  CHECK(at("2026-11-23T09:30:00Z", "heartbeattime = now") == Truth::kTrue);
  CHECK(at("2026-11-23T09:30:01Z", "heartbeattime <= now + 1s") == Truth::kTrue);
  CHECK(at("2026-11-23T09:30:00Z", "heartbeattime = '2026-11-23T10:30:00+01:00'") == Truth::kTrue);
  CHECK(at("2026-11-23T09:30:00Z", "heartbeattime <> '2026-11-23T09:30:00Z'") == Truth::kFalse);
  CHECK(at("2026-10-23T09:30:00Z", "heartbeattime < now - interval '30 days'") == Truth::kTrue);
  CHECK(at("-", "heartbeattime > now - 1h") == Truth::kFalse);
  CHECK(at("-", "NOT heartbeattime > now - 1h") == Truth::kFalse);
  CHECK(at("-", "heartbeattime IS NULL") == Truth::kTrue);
}

TEST_CASE("target: LIKE means the whole text, and only % and _ are special", "[proto]") {
  const auto like = [](const char* name, std::string pattern) {
    return Evaluate("name LIKE '" + pattern + "'", FactsOf({{"name", name}})) == Truth::kTrue;
  };
  CHECK(like("abc", "abc"));
  CHECK_FALSE(like("abcd", "abc"));
  CHECK_FALSE(like("xabc", "abc"));
  CHECK(like("abc", "%"));
  CHECK(like("abc", "%%b%"));
  CHECK(like("abc", "a_c"));
  CHECK_FALSE(like("ac", "a_c"));
  CHECK(like("a\nb", "a_b"));
  CHECK(like("aöb", "a_b"));
  CHECK(like("a.c", "a.c"));
  CHECK_FALSE(like("abc", "a.c"));
  CHECK(like("a*[x]?(^$|+){}c", "a*[x]?(^$|+){}c"));
  CHECK(like("100%", "100\\%"));
  CHECK_FALSE(like("1000", "100\\%"));
  CHECK(like("100% wool", "100\\%%"));
  CHECK(like("a\\b", "a\\\\b"));
  CHECK(like("it's", "it''s"));
  CHECK(like("abc\n", "abc%"));
  CHECK_FALSE(like("abc\n", "abc"));
}

TEST_CASE("target: a mistake is named with its place and what was expected", "[proto]") {
  CHECK(ErrorOf("") ==
        "target: character 1: a field (name, id, status, version, heartbeattime, environment, "
        "tags), found(…), NOT or `(` expected");
  CHECK(ErrorOf("nane = 'x'") ==
        "target: character 1: `nane` is no field of an agent, did you mean `name`?");
  CHECK(ErrorOf("name = linux") == "target: character 8: a text in single quotes expected");
  CHECK(ErrorOf("name = \"linux\"") ==
        "target: character 8: texts stand in single quotes: 'linux'");
  CHECK(ErrorOf("name = 'linux") ==
        "target: character 8: the text that begins here has no closing quote");
  CHECK(ErrorOf("name = 'a' name = 'b'") == "target: character 12: AND, OR or the end expected");
  CHECK(ErrorOf("version > '1.0'") ==
        "target: character 9: `>` compares times only (heartbeattime)");
  CHECK(ErrorOf("name ~ '['").starts_with("target: character 8: regular expression `[`: "));
  CHECK(ErrorOf("name LIKE 'x\\'").starts_with("target: character 11: LIKE pattern: "));
  CHECK(ErrorOf("id = 'web1'").starts_with("target: character 6: `web1` is not an agent id"));
  CHECK(ErrorOf("heartbeattime > 'yesterday'").starts_with("target: character 17: "));
  CHECK(ErrorOf("heartbeattime > now - 1 h").starts_with("target: character 23: "));
}

TEST_CASE("target: what is not in the language is refused", "[proto]") {
  for (const char* text : {"name",
                           "name =",
                           "name = 'a' AND",
                           "AND",
                           "()",
                           "(all",
                           "all)",
                           "all all",
                           "NOT",
                           "name NOT",
                           "name NOT = 'a'",
                           "name IN ()",
                           "name IN ('a'",
                           "name IN ('a',)",
                           "name IN 'a'",
                           "name IS",
                           "name IS NOT",
                           "name IS 'a'",
                           "name LIKE",
                           "name LIKE name",
                           "environment = 'x'",
                           "environment->>os = 'x'",
                           "environment->>''='x'",
                           "environment->>'a\"b'='x'",
                           "environment->>'a\\b'='x'",
                           "environment->'os' = 'x'",
                           "name->>'os' = 'x'",
                           "found()",
                           "found(x)",
                           "found",
                           "heartbeattime",
                           "heartbeattime LIKE 'x'",
                           "heartbeattime > 5",
                           "heartbeattime IN ('x')",
                           "heartbeattime > now -",
                           "heartbeattime > now - interval 5",
                           "heartbeattime > now(",
                           "1 = 1",
                           "name = 1",
                           "name == 'a'",
                           "name = 'a' -- comment",
                           "name = 'a' /* comment */",
                           "name = 'a';",
                           "'a' = name",
                           "tags->>'a' -> 'b' = 'c'",
                           "name = 'a' || 'b'",
                           "name = 'a' XOR all"}) {
    ErrorOf(text);
  }
}

TEST_CASE("target: hostile texts are refused or stay data", "[proto]") {
  ErrorOf("'; DROP TABLE agents; --");
  ErrorOf("name = ''; DROP TABLE agents; --'");
  ErrorOf("name = 'a') OR 1=1 --");
  ErrorOf("name = (SELECT name FROM agents)");
  ErrorOf("name = load_extension('x')");
  ErrorOf(std::string("name = 'a\0b'", 12));
  ErrorOf("name = '\xff'");
  ErrorOf("name = 'a\x1b[2J'");
  ErrorOf(std::string(9000, ' ') + "all");

  const auto target = Target::Parse("name = '''; DROP TABLE agents; --'");
  REQUIRE(target);
  const Target::Sql sql = target->ToSql(kNow);
  CHECK(sql.where == "(name IN (?))");
  REQUIRE(sql.parameters.size() == 1);
  CHECK(std::get<std::string>(sql.parameters[0]) == "'; DROP TABLE agents; --");
}

TEST_CASE("target: nesting ends at 64 and nothing deeper is followed", "[proto]") {
  const auto nested = [](int depth, std::string open, std::string close) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += open;
    text += "all";
    for (int i = 0; i < depth; ++i) text += close;
    return text;
  };
  CHECK(Target::Parse(nested(64, "(", ")")));
  CHECK(ErrorOf(nested(65, "(", ")")) == "target: character 65: nested more than 64 deep");
  CHECK(Target::Parse(nested(64, "not ", "")));
  ErrorOf(nested(65, "not ", ""));
  ErrorOf(nested(2000, "not(", ")"));
  ErrorOf(std::string(8000, '('));
}

TEST_CASE("target: regular expressions are bounded in number and in size", "[proto]") {
  const auto many = [](int count) {
    std::string text = "name ~ 'x'";
    for (int i = 1; i < count; ++i) text += " OR name ~* 'x'";
    return text;
  };
  CHECK(Target::Parse(many(32)));
  CHECK(ErrorOf(many(33)).find("more than 32 regular expressions") != std::string::npos);
  ErrorOf("name ~ '((((x{100}){100}){100}){100})'");
  ErrorOf("name ~ '" + std::string(2000, '(') + "'");
}

TEST_CASE("target: SQL holds no text of the user's, and parameters stand in order", "[proto]") {
  const auto target = Target::Parse(
      "(name LIKE 'web%' OR tags->>'operator' = 'it') AND NOT environment->>'os' IN ('a','b') "
      "AND heartbeattime > now - 1h AND found(" +
      kActionText + ")");
  REQUIRE(target);
  const Target::Sql sql = target->ToSql(kNow);
  CHECK(sql.where ==
        "((((mig_match(name, ?) OR CAST(json_extract(tags, ?) AS TEXT) IN (?))"
        " AND NOT (CAST(json_extract(environment, ?) AS TEXT) IN (?,?)))"
        " AND (heartbeattime > ? AND mig_found(id, ?, ?))))");
  REQUIRE(sql.parameters.size() == 9);
  CHECK(std::get<std::string>(sql.parameters[0]) == "(?s)\\Aweb.*\\z");
  CHECK(std::get<std::string>(sql.parameters[1]) == "$.\"operator\"");
  CHECK(std::get<std::string>(sql.parameters[5]) == "b");
  CHECK(std::get<std::int64_t>(sql.parameters[6]) ==
        (kNow - std::chrono::hours(1)).time_since_epoch().count());
  CHECK(std::get<std::string>(sql.parameters[7]) == kActionText);
  CHECK(std::get<std::int64_t>(sql.parameters[8]) == 1);
}

TEST_CASE("target: a JSON field is text, whatever it is", "[proto]") {
  const auto fields =
      json::ParseObject(R"({"a":"x","b":["y","z"],"c":7,"d":true,"e":null,"f":{"g":1}})");
  CHECK(FieldText(*fields, "a") == "x");
  CHECK(FieldText(*fields, "b") == R"(["y","z"])");
  CHECK(FieldText(*fields, "c") == "7");
  CHECK(FieldText(*fields, "d") == "1");
  CHECK(FieldText(*fields, "e") == std::nullopt);
  CHECK(FieldText(*fields, "f") == R"({"g":1})");
  CHECK(FieldText(*fields, "g") == std::nullopt);
}
