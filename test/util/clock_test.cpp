#include "util/clock.h"

#include <catch2/catch.hpp>

using namespace mig;
using std::chrono::milliseconds;

TEST_CASE("clock: RFC 3339 examples of the standard parse", "[util]") {  // RFC 3339 section 5.8
  CHECK(FormatRfc3339(*ParseRfc3339("1985-04-12T23:20:50.52Z")) == "1985-04-12T23:20:50.520Z");
  CHECK(FormatRfc3339(*ParseRfc3339("1996-12-19T16:39:57-08:00")) == "1996-12-20T00:39:57Z");
  CHECK_FALSE(ParseRfc3339("1937-01-01T12:00:27.87+00:20"));  // before our epoch
}

TEST_CASE("clock: an offset cannot lead out of the years that are written", "[util]") {
  CHECK(FormatRfc3339(*ParseRfc3339("1969-12-31T23:30:00-00:30")) == "1970-01-01T00:00:00Z");
  CHECK_FALSE(ParseRfc3339("1970-01-01T00:00:00+00:01"));
  CHECK(ParseRfc3339("9999-12-31T23:59:59.999Z"));
  CHECK_FALSE(ParseRfc3339("9999-12-31T23:59:59-00:01"));
}

TEST_CASE("clock: what is not a time is refused", "[util]") {
  for (const char* text :
       {"", "2026-11-23", "2026-11-23 09:30:00Z", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z",
        "2026-11-23T24:00:00Z", "2026-11-23T09:30:00", "2026-11-23T09:30:00.Z",
        "2026-11-23T09:30:60Z", "2026-11-23T09:30:00Zx", "2026-11-23T09:30:00.0123456789Z"}) {
    INFO(text);
    CHECK_FALSE(ParseRfc3339(text));
  }
}

TEST_CASE("clock: durations round-trip", "[util]") {
  CHECK(*ParseDuration("1h30m") == std::chrono::minutes(90));
  CHECK(*ParseDuration("250ms") == milliseconds(250));
  CHECK(*ParseDuration("2d") == std::chrono::hours(48));
  for (const char* text : {"90s", "", "5", "m", "-5m", "1y", "5 m", "99999999999999d", "4000d"}) {
    INFO(text);
    CHECK(bool(ParseDuration(text)) == (std::string(text) == "90s"));
  }
  CHECK(FormatDuration(std::chrono::minutes(90)) == "1h30m");
  CHECK(FormatDuration(milliseconds(1500)) == "1s500ms");
  CHECK(FormatDuration(milliseconds(0)) == "0s");
}
