#include "trust/time_floor.h"

#include <catch2/catch.hpp>

#include "test/deployment.h"

namespace mig {
namespace {

using std::chrono::hours;

TEST_CASE("time floor: a clock set back gives the floor, one ahead gives the clock", "[trust]") {
  const UtcTime noon = TimeAt("2026-11-23T12:00:00Z");
  const TimeFloor floor(noon);
  CHECK(floor.AgentTime(noon - hours(48)) == noon);
  CHECK(floor.AgentTime(noon + hours(48)) == noon + hours(48));
  CHECK(floor.floor() == noon);  // asking with a clock ahead has not raised it
}

TEST_CASE("time floor: documents raise it to when they were issued, not to their expiry",
          "[trust]") {
  const Deployment deployment;
  TimeFloor floor;
  CHECK(floor.RaiseBy(deployment.Trusted()));
  CHECK(floor.floor() == deployment.policy.issued);
  CHECK_FALSE(floor.RaiseBy(deployment.Trusted()));
}

TEST_CASE("time floor: the newest of root and policy counts", "[trust]") {
  Deployment deployment;
  deployment.policy.issued = deployment.root.issued - hours(24);
  TimeFloor floor;
  CHECK(floor.RaiseBy(deployment.Trusted()));
  CHECK(floor.floor() == deployment.root.issued);
}

TEST_CASE("time floor: an accepted action raises it to its validfrom, never lowers it", "[trust]") {
  const Deployment deployment;
  Action action = deployment.ActionFor();
  TimeFloor floor;
  CHECK(floor.RaiseBy(action));
  CHECK(floor.floor() == action.validfrom);
  action.validfrom -= hours(1);
  CHECK_FALSE(floor.RaiseBy(action));
  CHECK(floor.floor() == action.validfrom + hours(1));
}

}  // namespace
}  // namespace mig
