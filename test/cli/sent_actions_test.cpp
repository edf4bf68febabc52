#include "cli/sent_actions.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "test/cli/agent_voice.h"
#include "test/temp_folder.h"

using namespace mig;
using namespace mig::cli;
namespace fs = std::filesystem;

namespace {
const ActionId kAction = *ActionId::FromBytes("0123456789abcdef");
const UtcTime kNow = *ParseRfc3339("2026-11-23T09:30:00Z");
}  // namespace

TEST_CASE("sent actions: the shown set is known again, and only to us", "[cli]") {
  const TempFolder folder;
  const SentActions sent(folder / "sent");
  AgentVoice agent("web1");
  ShownAgent odd = AgentVoice("x").Shown();
  odd.name = "a\xff";
  REQUIRE(sent.Remember(kAction, {agent.Shown(), odd}, kNow));
  const auto recalled = sent.Recall(kAction);
  REQUIRE(recalled);
  REQUIRE(*recalled);
  REQUIRE((*recalled)->size() == 2);
  CHECK((**recalled)[0].id == agent.id());
  CHECK((**recalled)[0].key == agent.Shown().key);
  CHECK((**recalled)[1].name == "a\xff");
  const auto perms = fs::status(folder / "sent" / (kAction.Text() + ".json")).permissions();
  CHECK((perms & (fs::perms::group_all | fs::perms::others_all)) == fs::perms::none);
}

TEST_CASE("sent actions: what was sent from elsewhere is not known, a broken record is an error",
          "[cli]") {
  const TempFolder folder;
  const SentActions sent(folder.path());
  const auto nothing = sent.Recall(kAction);
  REQUIRE(nothing);
  CHECK_FALSE(*nothing);
  std::ofstream(folder / (kAction.Text() + ".json")) << R"({"agents":[{"agent":"x"}]})";
  CHECK_FALSE(sent.Recall(kAction));
}

TEST_CASE("sent actions: old records go away with new ones", "[cli]") {
  const TempFolder folder;
  const SentActions sent(folder.path());
  REQUIRE(sent.Remember(kAction, {}, kNow));
  const fs::path old = folder / (kAction.Text() + ".json");
  fs::last_write_time(old, fs::file_time_type::clock::now() - std::chrono::hours(24 * 31));
  REQUIRE(sent.Remember(*ActionId::FromBytes("fedcba9876543210"), {}, kNow));
  CHECK_FALSE(fs::exists(old));
}
