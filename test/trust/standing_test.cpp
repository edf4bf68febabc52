#include "trust/standing.h"

#include <catch2/catch.hpp>

#include "test/deployment.h"

using namespace mig;

TEST_CASE("standing: people count once, and only who can sign is named", "[trust]") {
  Deployment deployment;
  const SecretKey carl = SecretKey::Generate(), dora = SecretKey::Generate();
  deployment.policy.people.push_back(
      {"carl", "Carl", false, {Deployment::KeyOf(carl)}});  // disabled
  deployment.policy.people.push_back({"dora", "Dora", true, {Deployment::KeyOf(dora)}});
  deployment.policy.revoked = {Deployment::IdOf(dora)};
  deployment.policy.modules["default"] =
      ModuleRule{3, {{"ann", 1}, {"bob", 2}, {"carl", 9}, {"dora", 9}}, {}};
  deployment.policy.modules["file"] = ModuleRule{9, {{"ann", 1}, {"bob", 2}}, {}};
  Action action = deployment.ActionFor();
  action.operations.push_back({"file", {}});
  action.operations.push_back({"example", {{"again", 1}}});

  const TrustedPolicy policy = deployment.Trusted();
  const auto standings = Standings(action, {"ann"}, policy);
  REQUIRE(standings.size() == 2);
  CHECK(standings[0].module == "example");
  CHECK(standings[0].weight == 1);
  CHECK(standings[0].needed == 3);
  REQUIRE(standings[0].candidates.size() == 1);
  CHECK(standings[0].candidates[0].person->id == "bob");
  CHECK_FALSE(standings[0].Reached());
  CHECK(standings[0].CanBeReached());
  CHECK_FALSE(standings[1].CanBeReached());
  CHECK(Standings(action, {"ann", "bob"}, policy)[0].Reached());
  CHECK(PersonText("ann", policy) == "Ann <ann@example.org> (ann)");
  CHECK(PersonText("gone", policy) == "gone");

  deployment.policy.modules.erase("default");
  CHECK_FALSE(Standings(action, {"ann", "bob"}, deployment.Trusted())[0].CanBeReached());
}
