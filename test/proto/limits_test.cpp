#include "proto/limits.h"

#include <catch2/catch.hpp>

using namespace mig;

TEST_CASE("limits: absent fields keep their defaults", "[proto]") {
  CHECK(*DecodeLimits({}, "limits") == Limits());
  CHECK(DecodeLimits({{"seconds", 7}}, "limits")->seconds == 7);
  CHECK(DecodeLimits({{"seconds", 7}}, "limits")->cpu == Limits().cpu);
}

TEST_CASE("limits: what is written is read", "[proto]") {
  const Limits limits{1, 2, 3, 4, std::uint64_t{1} << 53};
  CHECK(*DecodeLimits(EncodeLimits(limits), "") == limits);
}

TEST_CASE("limits: zero, too much, and unknown fields are refused by name", "[proto]") {
  CHECK(DecodeLimits({{"rows", 0}}, "limits").error().message() == "limits.rows: is not 1..2^53");
  CHECK_FALSE(DecodeLimits({{"cpu", 6401}}, ""));
  CHECK_FALSE(DecodeLimits({{"seconds", 0}}, ""));
  CHECK_FALSE(DecodeLimits({{"seconds", 1.0}}, ""));
  CHECK_FALSE(DecodeLimits({{"bytes", "9007199254740993"}}, ""));
  CHECK(DecodeLimits({{"memory", 1}}, "").error().code() == Errc::kUnsupported);
}

TEST_CASE("limits: a rate is said only where there is one, and a ceiling of it demands one",
          "[proto]") {
  CHECK_FALSE(EncodeLimits(Limits()).contains("rate"));
  Limits limits;
  limits.rate = 1'000'000;
  CHECK(*DecodeLimits(EncodeLimits(limits), "") == limits);
  CHECK_FALSE(DecodeLimits({{"rate", 0}}, ""));
  CHECK(FirstAbove(limits, Limits()).empty());
  CHECK(FirstAbove(Limits(), limits) == "rate");
  Limits faster = limits;
  faster.rate += 1;
  CHECK(FirstAbove(faster, limits) == "rate");
  CHECK(FirstAbove(limits, limits).empty());
}

TEST_CASE("limits: the first limit above its ceiling is named", "[proto]") {
  const Limits ceilings;
  CHECK(FirstAbove(ceilings, ceilings).empty());
  Limits limits;
  limits.bytes += 1;
  CHECK(FirstAbove(limits, ceilings) == "bytes");
  limits.rows += 1;
  CHECK(FirstAbove(limits, ceilings) == "rows");
  limits.cpu += 1;
  CHECK(FirstAbove(limits, ceilings) == "cpu");
  limits.rss += 1;
  CHECK(FirstAbove(limits, ceilings) == "rss");
  limits.seconds += 1;
  CHECK(FirstAbove(limits, ceilings) == "seconds");
}
