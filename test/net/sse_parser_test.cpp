#include "net/sse_parser.h"

#include <catch2/catch.hpp>

namespace mig {
namespace {

std::string Show(const std::vector<SseEvent>& events) {
  std::string text;
  for (const SseEvent& e : events) text += e.event + "|" + e.id + "|" + e.data + ";";
  return text;
}

std::string Parse(std::string_view stream) {
  SseParser parser;
  auto events = parser.Feed(stream);
  return events ? Show(*events) : events.error().message();
}

}  // namespace

TEST_CASE("sse: the examples of the standard", "[net]") {  // WHATWG HTML section 9.2.6
  CHECK(Parse("data: YHOO\ndata: +2\ndata: 10\n\n") == "message||YHOO\n+2\n10;");
  CHECK(Parse(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\n"
              "data:  third event\n\n") ==
        "message|1|first event;message||second event;message|| third event;");
  CHECK(Parse("data\n\ndata\ndata\n\ndata:") == "message||;message||\n;");
  CHECK(Parse("data:test\n\ndata: test\n\n") == "message||test;message||test;");
}

TEST_CASE("sse: lines may end in any of the three ways", "[net]") {
  CHECK(Parse("event: part\r\nid: 7\r\ndata: a\r\n\r\n") == "part|7|a;");
  CHECK(Parse("event: part\rid: 7\rdata: a\r\r") == "part|7|a;");
  CHECK(Parse("data: a\r\ndata: b\n\r") == "message||a\nb;");
}

TEST_CASE("sse: an id stays until there is another, an event name does not", "[net]") {
  CHECK(Parse("id: 1\nevent: x\ndata: a\n\ndata: b\n\n") == "x|1|a;message|1|b;");
  CHECK(Parse(std::string_view("id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n", 31)) ==
        "message|1|a;message|1|b;");
  CHECK(Parse("event: lost\n\ndata: a\n\n") == "message||a;");  // no data, no event
}

TEST_CASE("sse: a byte order mark is passed over at the start only", "[net]") {
  CHECK(Parse("\xEF\xBB\xBF"
              "data: a\n\n") == "message||a;");
  CHECK(Parse("\n\xEF\xBB\xBF"
              "data: a\n\n") == "");
}

TEST_CASE("sse: the pieces in which a stream arrives make no difference", "[net]") {
  const std::string stream =
      "\xEF\xBB\xBF: hello\r\n\r\nevent: part\r\nid: 41\r\ndata: one\rdata: two\n\r\nretry: 5\n"
      "data: {\"x\": 1}\n\n";
  const std::string whole = Parse(stream);
  CHECK(whole == "part|41|one\ntwo;message|41|{\"x\": 1};");
  for (std::size_t size = 1; size < stream.size(); ++size) {
    SseParser parser;
    std::string shown;
    for (std::size_t at = 0; at < stream.size(); at += size) {
      auto events = parser.Feed(std::string_view(stream).substr(at, size));
      REQUIRE(events);
      shown += Show(*events);
    }
    REQUIRE(shown == whole);
    CHECK(parser.last_event_id() == "41");
  }
}

TEST_CASE("sse: an event above the bound is refused, in one line or in many", "[net]") {
  SseParser one(1000);
  CHECK(one.Feed("data: " + std::string(900, 'x') + "\n\n").has_value());
  CHECK(one.Feed(std::string(1001, 'x')).error().code() == Errc::kFull);
  SseParser many(1000);
  Expected<std::vector<SseEvent>> fed = std::vector<SseEvent>();
  for (int i = 0; i < 200 && fed; ++i) fed = many.Feed("data: 1234567\n");
  REQUIRE_FALSE(fed);
  CHECK(fed.error().code() == Errc::kFull);
}

}  // namespace mig
