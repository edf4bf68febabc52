#include "roles/scheduler/tally.h"

#include <catch2/catch.hpp>

namespace mig::scheduler {
namespace {

using std::chrono::seconds;

constexpr UtcTime kNow{std::chrono::milliseconds{1'790'000'000'000}};

TEST_CASE("tally: one line for each flaw in ten seconds, which tells how many there were",
          "[scheduler]") {
  Tally tally;
  CHECK(tally.Count(Flaw::kSignature, kNow) == 1);
  for (int i = 0; i < 1000; ++i) CHECK_FALSE(tally.Count(Flaw::kSignature, kNow + seconds(5)));
  CHECK(tally.Count(Flaw::kTopic, kNow + seconds(5)) == 1);
  CHECK(tally.Count(Flaw::kSignature, kNow + seconds(10)) == 1001);
  CHECK(tally.total(Flaw::kSignature) == 1002);
  CHECK(tally.total(Flaw::kEnvelope) == 0);
}

TEST_CASE("tally: a clock that is set back does not silence it", "[scheduler]") {
  Tally tally;
  tally.Count(Flaw::kType, kNow);
  CHECK(tally.Count(Flaw::kType, kNow - seconds(3600)));
}

TEST_CASE("tally: every flaw has a name", "[scheduler]") {
  for (std::size_t i = 0; i < kFlaws; ++i) CHECK_FALSE(FlawName(static_cast<Flaw>(i)).empty());
}

}  // namespace
}  // namespace mig::scheduler
