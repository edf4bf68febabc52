#include "net/http_message.h"

#include <catch2/catch.hpp>

namespace mig {

TEST_CASE("http: names of fields compare without case, and several are joined", "[net]") {
  HttpHeaders headers{{"Content-Type", "text/plain"}, {"X-A", "1"}, {"x-a", "2"}};
  CHECK(headers.Get("content-type") == "text/plain");
  CHECK(headers.Get("X-a") == "1, 2");
  CHECK(headers.Count("x-A") == 2);
  CHECK(headers.Get("Content-Typ").empty());
}

TEST_CASE("http: a target is cut into a path and decoded pairs", "[net]") {
  const auto target = ParseHttpTarget("/v1/actions/a%2Fb?limit=5&before=%C3%A4&flag&&limit=6");
  REQUIRE(target);
  CHECK(target->path == "/v1/actions/a%2Fb");  // segments are decoded one by one, after matching
  CHECK(target->Get("limit") == "5");
  CHECK(target->Get("before") == "\xC3\xA4");
  CHECK(target->Get("flag").empty());
  CHECK(target->query.size() == 4);
}

TEST_CASE("http: a target that could mean two things is refused", "[net]") {
  CHECK_FALSE(ParseHttpTarget("http://elsewhere/v1"));
  CHECK_FALSE(ParseHttpTarget(""));
  CHECK_FALSE(ParseHttpTarget("/x?a=%4"));
  CHECK_FALSE(ParseHttpTarget("/x?a=%4g"));
  CHECK_FALSE(ParseHttpTarget("/x?a=b%00c"));
  CHECK_FALSE(DecodePercent("%"));
  CHECK_FALSE(DecodePercent("100%"));
}

TEST_CASE("http: percent encoding and back", "[net]") {
  const std::string text = "caf\xC3\xA9 a/b?c=d&e~f-g_h.i";
  CHECK(EncodePercent(text) == "caf%C3%A9%20a%2Fb%3Fc%3Dd%26e~f-g_h.i");
  CHECK(DecodePercent(EncodePercent(text)).value() == text);
  CHECK(DecodePercent("%2f%2F").value() == "//");
}

}  // namespace mig
