#include "modules/file/read_pace.h"

#include <catch2/catch.hpp>

using namespace mig;
using namespace std::chrono_literals;

namespace {

// Bytes a second that come of reading pieces of this size for ten minutes, each costing `reading`.
double Measured(std::uint64_t rate, std::uint64_t piece, std::chrono::milliseconds reading) {
  UtcTime now{};
  file::ReadPace pace(
      rate, [&] { return now; }, [&](std::chrono::milliseconds time) { now += time; });
  std::uint64_t bytes = 0;
  while (now - UtcTime{} < 600s) {
    now += reading;
    bytes += piece;
    pace.Take(piece);
  }
  return static_cast<double>(bytes) / std::chrono::duration<double>(now - UtcTime{}).count();
}

}  // namespace

TEST_CASE("read pace: the rate holds within a tenth, whatever the pieces are", "[modules]") {
  for (const std::uint64_t rate : {100'000ULL, 1'000'000ULL, 50'000'000ULL, 1'000'000'000ULL}) {
    for (const std::uint64_t piece : {300ULL, 4'096ULL, 262'144ULL}) {
      // Small pieces at a high rate: a million steps would show no more.
      if (rate / piece > 20'000) continue;
      CAPTURE(rate, piece);
      const double measured = Measured(rate, piece, 0ms);
      CHECK(measured > static_cast<double>(rate) * 0.9);
      CHECK(measured < static_cast<double>(rate) * 1.1);
    }
  }
}

TEST_CASE("read pace: a slow disk is not slowed, and none is none", "[modules]") {
  CHECK(Measured(1'000'000, 4'096, 100ms) == Approx(40'960).epsilon(0.01));
  CHECK(Measured(0, 4'096, 1ms) == Approx(4'096'000).epsilon(0.01));
}
