#include "cli/reviewed_actions.h"

#include <catch2/catch.hpp>

#include "test/deployment.h"
#include "test/temp_folder.h"

using namespace mig;
using namespace mig::cli;

TEST_CASE("reviewed actions: a changed one is found with what was seen before", "[cli]") {
  const TempFolder folder;
  const ReviewedActions reviewed(folder / "state" / "reviewed");
  const Deployment deployment;
  Action action = deployment.ActionFor();
  action.description = {"Ann", "ann@example.org", "", 0};
  const Bytes payload = EncodeAction(action);
  CHECK_FALSE(reviewed.FindEarlier(action, payload));
  REQUIRE(reviewed.Remember(action.id, payload, deployment.now));
  CHECK_FALSE(reviewed.FindEarlier(action, payload));

  Action changed = deployment.ActionFor();
  changed.description = action.description;
  changed.operations[0].parameters = {{"gethostname", true}};
  auto earlier = reviewed.FindEarlier(changed, EncodeAction(changed));
  REQUIRE(earlier);
  CHECK(earlier->payload == payload);
  CHECK(earlier->seen == deployment.now);
  CHECK_FALSE(earlier->same_id);
  const std::string diff = PayloadDiff(earlier->payload, EncodeAction(changed));
  CHECK(diff.find("+         \"gethostname\": true") != std::string::npos);

  // The same id with other contents is no new version of anything.
  changed.id = action.id;
  earlier = reviewed.FindEarlier(changed, EncodeAction(changed));
  REQUIRE(earlier);
  CHECK(earlier->same_id);

  changed.id = deployment.ActionFor().id;
  changed.description.author = "Bob";
  CHECK_FALSE(reviewed.FindEarlier(changed, EncodeAction(changed)));
}

TEST_CASE("reviewed actions: another name, with the same url and another revision", "[cli]") {
  const TempFolder folder;
  const ReviewedActions reviewed(folder / "reviewed");
  const Deployment deployment;
  Action action = deployment.ActionFor();
  action.description = {"Ann", "", "https://example.org/1", 1};
  REQUIRE(reviewed.Remember(action.id, EncodeAction(action), deployment.now));
  Action next = deployment.ActionFor();
  next.description = {"Ann", "", "https://example.org/1", 2};
  next.name = "renamed";
  CHECK(reviewed.FindEarlier(next, EncodeAction(next)));
  next.description.revision = 1;
  CHECK_FALSE(reviewed.FindEarlier(next, EncodeAction(next)));
}

TEST_CASE("reviewed actions: their number is bounded, and the oldest go first", "[cli]") {
  const TempFolder folder;
  const ReviewedActions reviewed(folder / "reviewed");
  const Deployment deployment;
  const Action first = deployment.ActionFor();
  REQUIRE(reviewed.Remember(first.id, EncodeAction(first), deployment.now));
  std::filesystem::last_write_time(
      folder / "reviewed" / (first.id.Text() + ".json"),
      std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  for (std::size_t i = 0; i < ReviewedActions::kMostKept; ++i) {
    const Action action = deployment.ActionFor();
    REQUIRE(reviewed.Remember(action.id, "{}", deployment.now));
  }
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "reviewed")) {
    CHECK(entry.path().stem() != first.id.Text());
    ++files;
  }
  CHECK(files == ReviewedActions::kMostKept);
}
