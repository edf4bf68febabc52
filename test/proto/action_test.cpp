#include "proto/action.h"

#include <catch2/catch.hpp>

#include "test/golden/golden.h"

using namespace mig;

namespace {

json::object Fields() { return *json::ParseObject(Golden("action.v1.json")); }

Error ErrorOf(BytesView payload) {
  const auto action = DecodeAction(payload);
  INFO(payload);
  REQUIRE_FALSE(action);
  return action.error();
}

// The golden action with one field replaced.
Error ErrorWith(std::string_view key, json::value v) {
  json::object fields = Fields();
  fields[key] = std::move(v);
  return ErrorOf(json::Write(fields));
}

Error ErrorWithout(std::string_view key) {
  json::object fields = Fields();
  fields.erase(key);
  return ErrorOf(json::Write(fields));
}

// The golden action's text with the first `from` replaced.
Error ErrorReplaced(std::string_view from, std::string_view to) {
  Bytes text = Golden("action.v1.json");
  const std::size_t at = text.find(from);
  REQUIRE(at != Bytes::npos);
  return ErrorOf(text.replace(at, from.size(), to));
}

}  // namespace

TEST_CASE("action: what is encoded is decoded, byte for byte", "[proto]") {
  for (const char* name : {"action.v1.json", "stop.v1.json"}) {
    CHECK(EncodeAction(*DecodeAction(Golden(name))) == Golden(name));
  }
}

TEST_CASE("action: an unknown field is unsupported at every level", "[proto]") {
  CHECK(ErrorWith("urgent", true).code() == Errc::kUnsupported);
  CHECK(ErrorWith("operation", json::array()).message() ==
        "action: operation: unknown field, did you mean `operations`?");
  CHECK(ErrorReplaced("\"module\"", "\"as\":\"root\",\"module\"").code() == Errc::kUnsupported);
  CHECK(ErrorReplaced("\"seconds\"", "\"disk\":1,\"seconds\"").message() ==
        "action: limits.disk: unknown field");
  CHECK(ErrorReplaced("\"author\"", "\"autor\":\"x\",\"author\"").code() == Errc::kUnsupported);
  CHECK(ErrorReplaced("\"ref\"", "\"x\":\"x\",\"ref\"").code() == Errc::kUnsupported);
}

TEST_CASE("action: fields of a later version are refused by name", "[proto]") {
  for (const char* later : {"audience", "recipients", "attachments"}) {
    for (const json::value& v :
         {json::value(nullptr), json::value(json::array()), json::value("x")}) {
      const Error error = ErrorWith(later, v);
      CHECK(error.code() == Errc::kUnsupported);
      CHECK(error.message() ==
            "action: " + std::string(later) + ": is not supported by this version");
    }
  }
}

TEST_CASE("action: what two readers could read differently is refused", "[proto]") {
  CHECK(ErrorReplaced("\"name\"", "\"name\":\"x\",\"name\"").code() == Errc::kMalformed);
  CHECK(ErrorReplaced("\"name\"", "\"n\\u0061me\":\"x\",\"name\"").code() == Errc::kMalformed);
  CHECK(ErrorReplaced("is passwd", "is \xff").code() == Errc::kMalformed);
  CHECK(ErrorReplaced("is passwd", "is \\ud800").code() == Errc::kMalformed);
  for (const char* number : {"7.0", "7e0", "70e-1", "-0.0", "1e400", "7.5"}) {
    const Error error = ErrorReplaced("\"policy\":7", "\"policy\":" + std::string(number));
    INFO(number);
    CHECK((error.code() == Errc::kUnsupported || error.code() == Errc::kMalformed));
  }
  // Parameters too, though only their module knows what they mean.
  const Error inside = ErrorReplaced("\"maxdepth\":5", "\"maxdepth\":5.0");
  CHECK(inside.code() == Errc::kUnsupported);
  CHECK(inside.message() ==
        "action: operations[0].parameters.searches.s1.options.maxdepth: is not written as a "
        "whole number");
  CHECK(ErrorReplaced("\"maxdepth\":5", "\"maxdepth\":9007199254740993").code() ==
        Errc::kUnsupported);
  CHECK(ErrorReplaced("\"maxdepth\":5", "\"maxdepth\":-9007199254740993").code() ==
        Errc::kUnsupported);
  CHECK(ErrorReplaced("\"maxdepth\":5", "\"maxdepth\":18446744073709551615").code() ==
        Errc::kUnsupported);
}

TEST_CASE("action: bytes that are no JSON object are malformed", "[proto]") {
  for (const char* text : {"", "[]", "null", "{", "{}x", "\"action\""}) {
    CHECK(ErrorOf(text).code() == Errc::kMalformed);
  }
  CHECK(ErrorOf(Golden("action.v1.json") + "{}").code() == Errc::kMalformed);
}

TEST_CASE("action: every field that must be there is missed by name", "[proto]") {
  for (const char* key :
       {"id", "org", "kind", "name", "target", "validfrom", "expireafter", "operations"}) {
    const Error error = ErrorWithout(key);
    INFO(error.message());
    CHECK(error.message().starts_with("action: " + std::string(key) + ": "));
  }
  json::object least = Fields();
  for (const char* key : {"limits", "policy", "description", "threat", "reason"}) least.erase(key);
  const auto action = DecodeAction(json::Write(least));
  REQUIRE(action);
  CHECK(action->limits == Limits());
  CHECK(action->policy == 0);
}

TEST_CASE("action: values out of their range are invalid", "[proto]") {
  CHECK(ErrorWith("id", "short").code() == Errc::kInvalid);
  CHECK(ErrorWith("org", 7).code() == Errc::kInvalid);
  CHECK(ErrorWith("kind", "destroy").code() == Errc::kUnsupported);
  CHECK(ErrorWith("name", "").code() == Errc::kInvalid);
  CHECK(ErrorWith("name", json::value(std::string(2049, 'x'))).code() == Errc::kInvalid);
  CHECK(ErrorWith("target", "").code() == Errc::kInvalid);
  CHECK(ErrorWith("target", "name = ").message() ==
        "action: target: character 8: a text in single quotes expected");
  CHECK(ErrorWith("target", json::value("all" + std::string(8192, ' '))).code() == Errc::kInvalid);
  CHECK(ErrorWith("validfrom", "yesterday").code() == Errc::kInvalid);
  CHECK(ErrorWith("validfrom", "2026-11-23T09:35:00.001Z").message() ==
        "action: expireafter: lies before validfrom");
  CHECK(ErrorWith("policy", -1).code() == Errc::kInvalid);
  CHECK(ErrorWith("policy", "x").code() == Errc::kInvalid);
  CHECK(ErrorWith("limits", json::array()).code() == Errc::kInvalid);
  CHECK(ErrorWith("limits", json::object{{"cpu", 0}}).code() == Errc::kInvalid);
  CHECK(ErrorWith("reason", 7).code() == Errc::kInvalid);
  CHECK(ErrorWith("description", "x").code() == Errc::kInvalid);
  CHECK(ErrorWith("threat", nullptr).code() == Errc::kInvalid);
  json::object fields = Fields();
  fields["validfrom"] = fields["expireafter"];
  CHECK(DecodeAction(json::Write(fields)));
}

TEST_CASE("action: 1 to 32 operations of named modules with parameters", "[proto]") {
  const json::object good = {{"module", "file"}, {"parameters", json::object()}};
  const auto with = [&](std::size_t count) {
    json::object fields = Fields();
    fields["operations"] = json::array(count, good);
    return DecodeAction(json::Write(fields));
  };
  CHECK(with(1));
  CHECK(with(32));
  CHECK_FALSE(with(33));
  CHECK_FALSE(with(0));
  CHECK(ErrorWith("operations", json::array{7}).message() ==
        "action: operations[0]: is not an object");
  for (const std::string& name :
       {std::string(), std::string("File"), std::string("1st"), std::string("a_b"),
        std::string("../x"), std::string("a\0b", 3), std::string(33, 'a')}) {
    const Error error = ErrorWith(
        "operations", json::array{json::object{{"module", name}, {"parameters", json::object()}}});
    CHECK(error.code() == Errc::kInvalid);
  }
  CHECK(ErrorWith("operations", json::array{json::object{{"module", "file"}}}).message() ==
        "action: operations[0].parameters: is missing");
}

TEST_CASE("action: a stop names what it stops and has no operations", "[proto]") {
  json::object stop = *json::ParseObject(Golden("stop.v1.json"));
  stop["operations"] = json::array();
  CHECK(DecodeAction(json::Write(stop)));
  stop["operations"] = Fields()["operations"];
  CHECK(ErrorOf(json::Write(stop)).message() ==
        "action: operations: 1 operations; a stop has none");
  stop.erase("operations");
  stop.erase("stops");
  CHECK(ErrorOf(json::Write(stop)).message() == "action: stops: is missing");
  CHECK(ErrorWith("stops", "aaaqeayeaudaocajbifqydiob4").message() ==
        "action: stops: stands only in an action of kind stop");
}
