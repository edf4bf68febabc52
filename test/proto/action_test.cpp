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

TEST_CASE("action: a field of a later version is refused by name", "[proto]") {
  for (const json::value& v :
       {json::value(nullptr), json::value(json::array()), json::value("x")}) {
    const Error error = ErrorWith("recipients", v);
    CHECK(error.code() == Errc::kUnsupported);
    CHECK(error.message() == "action: recipients: is not supported by this version");
  }
}

TEST_CASE("action: what changes something must name its audience, a stop must not", "[proto]") {
  Action action = *DecodeAction(Golden("action.v1.json"));
  action.kind = Kind::kRespond;
  const auto bare = DecodeAction(EncodeAction(action));
  REQUIRE_FALSE(bare);
  CHECK(bare.error().message() ==
        "action: audience: is missing; an action of kind respond names the machines it is for");
  action.audience = Audience{17, Bytes(32, 'r')};
  const auto read = DecodeAction(EncodeAction(action));
  REQUIRE(read);
  CHECK(read->audience == action.audience);
  Action stop = *DecodeAction(Golden("stop.v1.json"));
  stop.audience = action.audience;
  CHECK_FALSE(DecodeAction(EncodeAction(stop)));
}

TEST_CASE("action: an audience has a size of 1 to a million and a root of 32 bytes", "[proto]") {
  const json::value root(EncodeBase64(Bytes(32, 'r')));
  const auto with = [&](int size, const json::value& hash) {
    return ErrorWith("audience", json::object{{"size", size}, {"root", hash}}).message();
  };
  CHECK(with(0, root) == "action: audience.size: is not 1..1000000");
  CHECK(with(1'000'001, root) == "action: audience.size: is not 1..1000000");
  CHECK(with(1, json::value(EncodeBase64(Bytes(31, 'r')))) ==
        "action: audience.root: has not 32 bytes");
  CHECK(ErrorWith("audience", json::object{{"size", 1}, {"root", root}, {"all", true}}).code() ==
        Errc::kUnsupported);
}

TEST_CASE("action: attachments come back as they were written", "[proto]") {
  Action action = *DecodeAction(Golden("action.v1.json"));
  action.attachments = {{"hashes.txt", Bytes(32, 'h'), 1}, {"r2", Bytes(32, 'i'), 64u << 20}};
  const auto read = DecodeAction(EncodeAction(action));
  REQUIRE(read);
  CHECK(read->attachments == action.attachments);
}

TEST_CASE("action: an attachment has a plain name of its own, a digest and a size", "[proto]") {
  const std::string digest(64, 'a');
  const auto message = [&](json::array items) {
    return ErrorWith("attachments", std::move(items)).message();
  };
  const auto item = [&](const char* name, const std::string& sha256, int bytes) -> json::value {
    return json::object{{"name", name}, {"sha256", sha256}, {"bytes", bytes}};
  };
  for (const char* name : {"", "../x", ".x", "a/b", "a b", "-x"}) {
    CHECK(message(json::array{item(name, digest, 1)}) ==
          "action: attachments[0].name: is not 1..64 characters A-Z a-z 0-9 . _ -, the first a "
          "letter or digit");
  }
  for (const std::string& other :
       {std::string(63, 'a'), std::string(64, 'A'), std::string(64, 'g')}) {
    CHECK(message(json::array{item("x", other, 1)}) ==
          "action: attachments[0].sha256: is not a SHA-256 in 64 lower-case hex digits");
  }
  CHECK(message(json::array{item("x", digest, 0)}) ==
        "action: attachments[0].bytes: is not 1..67108864");
  CHECK(message(json::array{item("x", digest, 67108865)}) ==
        "action: attachments[0].bytes: is not 1..67108864");
  CHECK(message(json::array{item("x", digest, 1), item("x", digest, 1)}) ==
        "action: attachments: names `x` twice");
  CHECK(message(json::array{}) == "action: attachments: has not 1..32 elements");
  CHECK(message(json::array(33, json::value(item("x", digest, 1)))) ==
        "action: attachments: has not 1..32 elements");
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
