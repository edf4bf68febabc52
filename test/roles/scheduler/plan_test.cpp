#include "roles/scheduler/plan.h"

#include <catch2/catch.hpp>

namespace mig::scheduler {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr UtcTime kNow{milliseconds{1'790'000'000'000}};
const std::vector<RelayState> kRelays = {{"one", true}, {"two", true}};

store::DueRow Due() {
  store::DueRow row;
  row.connected = true;
  row.relay = "two";
  row.expireafter = kNow + minutes(5);
  return row;
}

SendPlan Plan(const store::DueRow& row, const std::vector<RelayState>& relays = kRelays) {
  return PlanSending({&row, 1}, relays, PlanRules(), kNow);
}

TEST_CASE("plan: a command goes to the relay where its agent came on, for as long as it is valid",
          "[scheduler]") {
  const SendPlan plan = Plan(Due());
  REQUIRE(plan.sendings.size() == 1);
  CHECK(plan.sendings[0].relay == 1);
  CHECK(plan.sendings[0].expiry == minutes(5));
  CHECK(plan.sendings[0].again == kNow + seconds(30));
}

TEST_CASE("plan: silence doubles the wait, up to its bound", "[scheduler]") {
  store::DueRow row = Due();
  std::vector<seconds> waits;
  for (row.command.attempts = 0; row.command.attempts < 8; ++row.command.attempts) {
    waits.push_back(std::chrono::duration_cast<seconds>(*Plan(row).sendings.at(0).again - kNow));
  }
  CHECK(waits == std::vector<seconds>{seconds(30), seconds(60), seconds(120), seconds(240),
                                      seconds(480), seconds(600), seconds(600), seconds(600)});
  row.command.attempts = 4'000'000'000;
  CHECK(Plan(row).sendings.at(0).again == kNow + seconds(600));
}

TEST_CASE("plan: an absent agent is sent to once, and again only when it comes on", "[scheduler]") {
  store::DueRow row = Due();
  row.connected = false;
  REQUIRE(Plan(row).sendings.size() == 1);
  CHECK_FALSE(Plan(row).sendings[0].again);
  row.command.attempts = 1;
  CHECK(Plan(row).sendings.empty());
  REQUIRE(Plan(row).holdings.size() == 1);
  CHECK_FALSE(Plan(row).holdings[0].due);
}

TEST_CASE("plan: nothing is sent whose time is over or whose action is stopped", "[scheduler]") {
  store::DueRow late = Due();
  late.expireafter = kNow;
  CHECK(Plan(late).sendings.empty());
  store::DueRow stopped = Due();
  stopped.stopped = true;
  CHECK(Plan(stopped).sendings.empty());
  CHECK_FALSE(Plan(stopped).holdings.at(0).due);
  stopped.kind = Kind::kStop;
  CHECK(Plan(stopped).sendings.size() == 1);
}

TEST_CASE("plan: while the agent's relay is away the command waits for it", "[scheduler]") {
  const SendPlan plan = Plan(Due(), {{"one", true}, {"two", false}});
  CHECK(plan.sendings.empty());
  CHECK(plan.holdings.at(0).due == kNow + seconds(30));
}

TEST_CASE("plan: an agent of an unknown relay is sent to by one that is connected", "[scheduler]") {
  store::DueRow row = Due();
  row.relay = "renamed";
  CHECK(Plan(row, {{"one", false}, {"two", true}}).sendings.at(0).relay == 1);
  CHECK(Plan(row, {{"one", false}, {"two", false}}).sendings.empty());
}

TEST_CASE("plan: the last second of an action still has an expiry", "[scheduler]") {
  store::DueRow row = Due();
  row.expireafter = kNow + milliseconds(1);
  CHECK(Plan(row).sendings.at(0).expiry == seconds(1));
}

TEST_CASE("plan: a nap ends at the nearest deadline, within its bounds", "[scheduler]") {
  const PlanRules rules;
  CHECK(NapLength({}, rules, kNow) == kLongestNap);
  CHECK(NapLength({kNow + seconds(3), kNow + seconds(2), kNow + seconds(1)}, rules, kNow) ==
        seconds(2));
  CHECK(NapLength({std::nullopt, std::nullopt, kNow + seconds(1)}, rules, kNow) ==
        milliseconds(11'001));  // the grace, and past it
  CHECK(NapLength({kNow - minutes(1), std::nullopt, std::nullopt}, rules, kNow) == kShortestNap);
  CHECK(NapLength({kNow + minutes(10), std::nullopt, std::nullopt}, rules, kNow) == kLongestNap);
}

}  // namespace
}  // namespace mig::scheduler
