#include "util/yaml.h"

#include <catch2/catch.hpp>
#include <random>

using namespace mig;

namespace {

json::value Read(const std::string& text) {
  auto value = ParseYaml(text, "draft.yaml");
  INFO(text);
  if (!value) FAIL(value.error().message());
  return std::move(*value);
}

std::string Why(const std::string& text) {
  const auto value = ParseYaml(text, "draft.yaml");
  REQUIRE_FALSE(value);
  CHECK(value.error().code() == Errc::kMalformed);
  return value.error().message();
}

// Any value of the sorts that WriteYaml takes, with strings that look like something else.
json::value Any(std::mt19937& random, int depth) {
  static const std::vector<std::string> kTexts = {
      "",          "a",          "true",
      "no",        "~",          "12",
      "-5",        "007",        "1.5",
      "a: b",      "- x",        "#x",
      "x # y",     "'",          "\"q\"",
      "line\nend", " a",         "a ",
      "{a}",       "[a, b",      "&anchor",
      "*alias",    "!tag",       "%x",
      "@x",        "é",          "mig-ed25519 AA+/= N <m@x>",
      "a,b",       "a}",         "null",
      "0x10",      "2026-01-01", "---",
      "...",       "|",          ">"};
  const auto pick = random() % (depth > 3 ? 4 : 6);
  switch (pick) {
    case 0:
      return nullptr;
    case 1:
      return random() % 2 == 0;
    case 2:
      return static_cast<std::int64_t>(random()) - 2'000'000'000;
    case 3:
      return json::value(kTexts[random() % kTexts.size()]);
    case 4: {
      json::array items;
      for (auto n = random() % 4; n > 0; --n) items.push_back(Any(random, depth + 1));
      return items;
    }
    default: {
      json::object fields;
      for (auto n = random() % 4; n > 0; --n) {
        fields[kTexts[random() % kTexts.size()]] = Any(random, depth + 1);
      }
      return fields;
    }
  }
}

}  // namespace

TEST_CASE("yaml: plain scalars are what they look like, quoted ones are text", "[util]") {
  const auto v =
      Read("a: 1\nb: \"1\"\nc: true\nd: 'true'\ne:\nf: 90d\ng: -3\nh: 007\ni: ~\n").as_object();
  CHECK(v.at("a") == json::value(1));
  CHECK(v.at("b") == json::value("1"));
  CHECK(v.at("c") == json::value(true));
  CHECK(v.at("d") == json::value("true"));
  CHECK(v.at("e").is_null());
  CHECK(v.at("f") == json::value("90d"));
  CHECK(v.at("g") == json::value(-3));
  CHECK(v.at("h") == json::value("007"));
  CHECK(v.at("i").is_null());
}

TEST_CASE("yaml: a JSON document is read", "[util]") {
  CHECK(Read(R"({"a": [1, {"b": "c"}], "d": null})") ==
        json::Parse(R"({"a": [1, {"b": "c"}], "d": null})").value());
}

TEST_CASE("yaml: what two readers could see differently is refused with its line", "[util]") {
  CHECK(Why("a: 1\na: 2\n") == "draft.yaml:2: `a` stands there twice");
  CHECK(Why("a: &x 1\nb: *x\n").find("draft.yaml:1: `&`") == 0);
  CHECK(Why("a: 1\nb: *x\n").find("draft.yaml:2") == 0);
  CHECK(Why("a: !!int 1\n").find("the tag") != std::string::npos);
  CHECK(Why("a: !mine {b: 1}\n").find("the tag") != std::string::npos);
  CHECK(Why("? [a]\n: b\n").find("must be text") != std::string::npos);
  CHECK(Why("a: 1\n---\nb: 2\n") == "draft.yaml:2: a second document begins; one is read");
  CHECK(Why("a: [1\n").find("not YAML") != std::string::npos);
  CHECK(Why("a: \"\xff\"\n").find("UTF-8") != std::string::npos);
}

TEST_CASE("yaml: nesting has a bound", "[util]") {
  CHECK(Why(std::string(200, '[') + std::string(200, ']')).find("nested deeper") !=
        std::string::npos);
}

TEST_CASE("yaml: what was written is read back the same", "[util]") {
  std::mt19937 random(4);
  for (int i = 0; i < 2000; ++i) {
    const json::value v = Any(random, 0);
    const std::string text = WriteYaml(v);
    INFO(text << "\n" << json::Write(v));
    const auto back = ParseYaml(text, "x");
    REQUIRE(back);
    REQUIRE(json::Write(*back) == json::Write(v));
  }
}

TEST_CASE("yaml: short collections stand in one line, long ones in several", "[util]") {
  CHECK(WriteYaml(
            json::Parse(R"({"people":{"ann":{"name":"Ann <a@x>","keys":["k 1"]}},"revoked":[]})")
                .value()) ==
        "people:\n  ann:\n    name: Ann <a@x>\n    keys: [k 1]\nrevoked: []\n");
}
