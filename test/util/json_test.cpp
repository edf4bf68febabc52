#include "util/json.h"

#include <catch2/catch.hpp>

using namespace mig;

TEST_CASE("json: a duplicate key is refused at any level", "[util]") {
  CHECK_FALSE(json::Parse(R"({"a":1,"a":2})"));
  CHECK_FALSE(json::Parse(R"({"x":[{"a":1,"b":{},"a":2}]})"));
  CHECK_FALSE(json::Parse("{\"a\":1,\"\\u0061\":2}"));  // the same key, written otherwise
  CHECK(json::Parse(R"({"x":{"a":1},"y":{"a":2}})"));
}

TEST_CASE("json: what RFC 8259 does not allow is refused", "[util]") {
  for (const char* text : {"", "{", "{}{}", "{} x", "{\"a\":}", "[1,]", "{'a':1}", "nul",
                           "\"\xff\"", "// c\n{}", "{\"a\":01}", "\"\\ud800\""}) {
    INFO(text);
    CHECK_FALSE(json::Parse(text));
  }
  CHECK_FALSE(json::Parse(std::string(100, '[') + std::string(100, ']')));
  CHECK(json::Parse("  {} \n"));
}

TEST_CASE("json: values survive parse and write", "[util]") {
  const std::string text =
      R"({"a":[1,-2,1.5E0,true,null,"x\ny"],"b":{"c":{}},"n":18446744073709551615})";
  CHECK(json::Write(*json::Parse(text)) == text);
}

TEST_CASE("json: names that are not UTF-8 arrive intact", "[util]") {
  const Bytes name = "a\xff\x62";
  CHECK(json::Write(json::FromName(name)) == R"({"b64":"Yf9i"})");
  CHECK(*json::ToName(json::FromName(name)) == name);
  CHECK(*json::ToName(json::FromName("plain")) == "plain");
  CHECK_FALSE(json::ToName(*json::Parse(R"({"b64":"Yf9i","x":1})")));
}

TEST_CASE("json: integers past 2^53 travel as strings", "[util]") {
  CHECK(json::Write(json::FromUint(1ull << 53)) == "9007199254740992");
  CHECK(json::Write(json::FromUint((1ull << 53) + 1)) == "\"9007199254740993\"");
  CHECK(*json::ToUint(json::value("18446744073709551615")) == ~0ull);
  CHECK_FALSE(json::ToUint(json::value("18446744073709551616")));
  CHECK_FALSE(json::ToUint(json::value(-1)));
  CHECK_FALSE(json::ToUint(json::value(1.5)));
  CHECK_FALSE(json::ToUint(json::value("007")));
}

TEST_CASE("json: a reader names the field that is wrong or unknown", "[util]") {
  const auto fields = json::ParseObject(R"({"name":"n","maxdepth":-1,"limit":3})");
  {
    json::ObjectReader in(*fields, "operations[2].parameters");
    in.String("name");
    in.Integer("maxdepth", 0, 1000);
    in.Integer("limit", 0, 10);
    const auto done = in.Finish();
    REQUIRE_FALSE(done);
    CHECK(done.error().message() == "operations[2].parameters.maxdepth: -1 is not 0..1000");
  }
  {
    json::ObjectReader in(*fields, "");
    in.String("name");
    in.OptionalInteger("maxdepth", 0, -5, 5);
    in.OptionalInteger("limits", 0, 0, 5);
    const auto done = in.Finish();
    REQUIRE_FALSE(done);
    CHECK(done.error().code() == Errc::kUnsupported);
    CHECK(done.error().message() == "limit: unknown field, did you mean `limits`?");
  }
  {
    json::ObjectReader in(*fields, "", json::ObjectReader::Unknown::kIgnore);
    CHECK(in.String("name") == "n");
    CHECK(in.Finish());
  }
}

TEST_CASE("json: a reader takes a name in either form", "[util]") {
  const auto fields = json::ParseObject(R"({"a":"plain","b":{"b64":"Yf9i"},"c":7})");
  json::ObjectReader in(*fields, "");
  CHECK(in.Name("a") == "plain");
  CHECK(in.Name("b") == "a\xff\x62");
  CHECK(in.OptionalName("d").empty());
  CHECK(in.Name("c").empty());
  const auto done = in.Finish();
  REQUIRE_FALSE(done);
  CHECK(done.error().message().starts_with("c: "));
}
