#include "util/pace.h"

#include <catch2/catch.hpp>

namespace mig {
namespace {

using namespace std::chrono_literals;
constexpr UtcTime kStart{std::chrono::hours(24 * 365 * 50)};

// How many units are to be had at once.
int Drain(Pace& pace, const Rate& rate, UtcTime now) {
  int units = 0;
  for (; pace.Wait(rate, now) == 0ms && units < 100'000; ++units) pace.Use(rate, 1, now);
  return units;
}

TEST_CASE("pace: a new one allows the burst at once, then the rate", "[util]") {
  const Rate rate{10, 2s};
  Pace pace;
  CHECK(Drain(pace, rate, kStart) == 20);
  CHECK(pace.Wait(rate, kStart) <= 101ms);
  CHECK(Drain(pace, rate, kStart + 1s) == 10);
  CHECK(Drain(pace, rate, kStart + 1h) == 20);  // and no more, however long it rested
}

TEST_CASE("pace: there is room as soon as the time that was told has passed", "[util]") {
  for (const std::uint64_t per_second : {1, 3, 7, 999, 1000, 5000, 1'000'000}) {
    const Rate rate{per_second, 100ms};
    Pace pace;
    pace.Use(rate, per_second * 3, kStart);
    const auto wait = pace.Wait(rate, kStart);
    CHECK(wait > 2899ms);
    CHECK(wait < 2903ms);
    CHECK(pace.Wait(rate, kStart + wait) == 0ms);
    CHECK(pace.Wait(rate, kStart + wait - 2ms) > 0ms);
  }
}

TEST_CASE("pace: what is larger than the burst goes through, and is paid for after", "[util]") {
  const Rate rate{100, 1s};
  Pace pace;
  CHECK(pace.Wait(rate, kStart) == 0ms);
  pace.Use(rate, 1000, kStart);
  CHECK(pace.Wait(rate, kStart) == 9001ms);
  CHECK_FALSE(pace.Rested(kStart + 9s));
  CHECK(pace.Rested(kStart + 10s));
}

TEST_CASE("pace: no bound is no bound, and no debt overflows", "[util]") {
  Pace pace;
  const Rate none;
  pace.Use(none, ~std::uint64_t{0}, kStart);
  CHECK(pace.Wait(none, kStart) == 0ms);
  const Rate slow{1, 1s};
  for (int i = 0; i < 10; ++i) pace.Use(slow, ~std::uint64_t{0}, kStart);
  CHECK(pace.Wait(slow, kStart) <= 24h);
  CHECK(pace.Wait(slow, kStart + 24h) == 0ms);
}

TEST_CASE("pace: a clock that goes back allows no second burst", "[util]") {
  const Rate rate{10, 1s};
  Pace pace;
  Drain(pace, rate, kStart);
  CHECK(pace.Wait(rate, kStart - 10s) > 0ms);
}

}  // namespace
}  // namespace mig
