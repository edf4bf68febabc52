#include "cli/shown_audience.h"

#include <catch2/catch.hpp>

#include "crypto/digest.h"
#include "crypto/merkle.h"

using namespace mig;
using namespace mig::cli;

namespace {

std::vector<ShownAgent> Shown(int count) {
  std::vector<ShownAgent> shown;
  for (int i = 0; i < count; ++i) {
    const AgentId id = *AgentId::FromBytes(Sha256("agent " + std::to_string(i)));
    shown.push_back({id, "web" + std::to_string(i), "online", "", false});
  }
  return shown;
}

}  // namespace

TEST_CASE("shown audience: the root over the ids, each once, whatever order they came in",
          "[cli]") {
  std::vector<ShownAgent> shown = Shown(7);
  const auto audience = AudienceOf(shown);
  REQUIRE(audience);
  CHECK(audience->audience.size == 7);
  std::reverse(shown.begin(), shown.end());
  shown.push_back(shown.front());
  CHECK(AudienceOf(shown)->audience == audience->audience);
  CHECK(AudienceOf(shown)->ids == audience->ids);
  const auto checked = CheckAudience(audience->ids, audience->audience);
  REQUIRE(checked);
  CHECK(checked->size() == 7);
  CHECK(std::is_sorted(checked->begin(), checked->end()));
  CHECK_FALSE(AudienceOf({}));
}

TEST_CASE("shown audience: a list that was changed is not the signed one", "[cli]") {
  const auto audience = AudienceOf(Shown(5));
  REQUIRE(audience);
  Bytes ids = audience->ids;
  CHECK_FALSE(CheckAudience(ids.substr(32), audience->audience));
  CHECK_FALSE(CheckAudience(ids.substr(1), audience->audience));
  CHECK_FALSE(CheckAudience("", audience->audience));
  CHECK_FALSE(CheckAudience("", Audience{0, Bytes(32, 'x')}));
  ids[40] = static_cast<char>(ids[40] + 1);
  CHECK_FALSE(CheckAudience(ids, audience->audience));
  const Bytes swapped =
      audience->ids.substr(32, 32) + audience->ids.substr(0, 32) + audience->ids.substr(64);
  CHECK_FALSE(CheckAudience(swapped, audience->audience));
}
