#include "roles/scheduler/tally.h"

#include <catch2/catch.hpp>

namespace mig::scheduler {
namespace {

using std::chrono::seconds;

constexpr UtcTime kNow{std::chrono::milliseconds{1'790'000'000'000}};

TEST_CASE("tally: one line for each flaw in ten seconds, which tells how many there were",
          "[scheduler]") {
  Tally tally;
  CHECK(tally.Count(Flaw::kSignature, {}, kNow) == 1);
  for (int i = 0; i < 1000; ++i) CHECK_FALSE(tally.Count(Flaw::kSignature, {}, kNow + seconds(5)));
  CHECK(tally.Count(Flaw::kTopic, {}, kNow + seconds(5)) == 1);
  CHECK(tally.Count(Flaw::kSignature, {}, kNow + seconds(10)) == 1001);
  CHECK(tally.total(Flaw::kSignature) == 1002);
  CHECK(tally.total(Flaw::kEnvelope) == 0);
}

TEST_CASE("tally: a clock that is set back does not silence it", "[scheduler]") {
  Tally tally;
  tally.Count(Flaw::kType, {}, kNow);
  CHECK(tally.Count(Flaw::kType, {}, kNow - seconds(3600)));
}

TEST_CASE("tally: the store gets each count once, and again what it did not take", "[scheduler]") {
  Tally tally;
  const AgentId agent = *AgentId::FromBytes(Bytes(32, 'a'));
  tally.Count(Flaw::kNotAsked, {}, kNow);
  tally.Count(Flaw::kNotAsked, agent, kNow + seconds(1));
  auto fresh = tally.TakeFresh();
  REQUIRE(fresh.size() == 1);
  CHECK(fresh[0].flaw == Flaw::kNotAsked);
  CHECK(fresh[0].count == 2);
  CHECK(fresh[0].agent == agent);
  CHECK(fresh[0].first == kNow);
  CHECK(fresh[0].last == kNow + seconds(1));
  CHECK(tally.TakeFresh().empty());

  tally.Count(Flaw::kNotAsked, {}, kNow + seconds(2));
  tally.GiveBack(fresh[0]);
  fresh = tally.TakeFresh();
  REQUIRE(fresh.size() == 1);
  CHECK(fresh[0].count == 3);
  CHECK(fresh[0].first == kNow);
  CHECK(fresh[0].last == kNow + seconds(2));
  tally.GiveBack(fresh[0]);
  CHECK(tally.TakeFresh().size() == 1);
}

TEST_CASE("tally: every flaw has a name", "[scheduler]") {
  for (std::size_t i = 0; i < kFlaws; ++i) CHECK_FALSE(FlawName(static_cast<Flaw>(i)).empty());
}

}  // namespace
}  // namespace mig::scheduler
