#include "net/refusals.h"

#include <catch2/catch.hpp>

namespace mig {
namespace {

using namespace std::chrono_literals;
constexpr UtcTime kNow{std::chrono::hours(24 * 365 * 50)};

TEST_CASE("refusals: all are counted, and a few a second are written", "[net]") {
  Refusals refusals;
  std::uint64_t written = 0;
  for (int i = 0; i < 1000; ++i) written += refusals.Count("a", kNow).write ? 1 : 0;
  CHECK(written == Refusals::kLinesASecond);
  CHECK(refusals.Totals().at("a") == 1000);
  const auto next = refusals.Count("a", kNow + 1s);
  CHECK(next.write);
  CHECK(next.suppressed == 1000 - Refusals::kLinesASecond);  // said once
  CHECK(refusals.Count("a", kNow + 1s).suppressed == 0);
}

TEST_CASE("refusals: one reason's flood hides no other reason", "[net]") {
  Refusals refusals;
  for (int i = 0; i < 1000; ++i) refusals.Count("flood", kNow);
  const auto other = refusals.Count("other", kNow);
  CHECK(other.write);
  CHECK(other.suppressed == 0);
  CHECK(refusals.Totals().size() == 2);
}

}  // namespace
}  // namespace mig
