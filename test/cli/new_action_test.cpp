#include "cli/new_action.h"

#include <catch2/catch.hpp>

using namespace mig;
using namespace mig::cli;

namespace {

const UtcTime kNow = *ParseRfc3339("2026-11-23T09:30:00Z");

Draft SomeDraft() {
  Draft draft;
  draft.id = NewActionId();
  draft.org = *OrgId::FromBytes(Bytes(32, 'o'));
  draft.policy = 7;
  draft.author = "Ada Lovelace <ada@example.net>";
  draft.name = "test";
  draft.reason = "because";
  return draft;
}

}  // namespace

TEST_CASE("new action: what is made can be read again", "[cli]") {
  const Action action = MakeAction(SomeDraft(), Kind::kInvestigate, "name LIKE 'web%'",
                                   {{"file", {{"a", 1}}}}, Limits(), std::chrono::minutes(5), kNow);
  const auto read = DecodeAction(EncodeAction(action));
  REQUIRE(read);
  CHECK(read->id == action.id);
  CHECK(read->policy == 7);
  CHECK(read->validfrom == kNow - std::chrono::seconds(60));  // clocks differ
  CHECK(read->expireafter == kNow + std::chrono::minutes(5));
  CHECK(read->description.author == "Ada Lovelace");
  CHECK(read->description.email == "ada@example.net");
  CHECK(read->reason == "because");
}

TEST_CASE("new action: a stop lives as long as what it stops, within what agents take", "[cli]") {
  const ActionId stopped = NewActionId();
  const auto expiry = [&](UtcTime until) {
    const auto read = DecodeAction(EncodeAction(MakeStop(SomeDraft(), stopped, until, kNow)));
    REQUIRE(read);
    CHECK(read->kind == Kind::kStop);
    CHECK(read->stops == stopped);
    CHECK(read->operations.empty());
    return read->expireafter;
  };
  CHECK(expiry(kNow + std::chrono::hours(1)) == kNow + std::chrono::hours(1));
  CHECK(expiry(kNow - std::chrono::hours(1)) > kNow);
  CHECK(expiry(kNow + std::chrono::hours(24 * 1000)) < kNow + std::chrono::hours(24 * 91));
}

TEST_CASE("new action: a name from the command line is quoted as a shell would, and cut", "[cli]") {
  CHECK(NameFromWords("file", {"-path", "/etc", "-name", "^passwd$"}) ==
        "file -path /etc -name '^passwd$'");
  CHECK(NameFromWords("file", {"-name", "it's", ""}) == "file -name 'it'\\''s' ''");
  CHECK(NameFromWords("file", {"\x1b[2J"}).find('\x1b') == std::string::npos);
  const std::string cut = NameFromWords("file", {std::string(200, 'x')});
  CHECK(cut.size() <= 104);
  CHECK(cut.ends_with("\xE2\x80\xA6"));
}

TEST_CASE("new action: default limits stay below the policy's ceilings", "[cli]") {
  Limits ceilings;
  ceilings.rows = 10;
  ceilings.seconds = 100'000;
  const Limits limits = DefaultLimits(ceilings);
  CHECK(limits.rows == 10);
  CHECK(limits.seconds == Limits().seconds);
  CHECK(FirstAbove(limits, ceilings).empty());
}
