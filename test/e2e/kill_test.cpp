// kill -9 of each role, at every named crash point and in between, while questions are on their
// way: every question is answered, each command once, and the store agrees with the ledgers.
//
// MIG_KILLS sets how many kills a role gets (default 50).
#include <signal.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <span>

#include "roles/agent/crash_points.h"
#include "roles/api/crash_points.h"
#include "roles/relay/crash_points.h"
#include "roles/scheduler/crash_points.h"
#include "test/e2e/courier.h"

using namespace mig;
using namespace mig::e2e;

namespace {

constexpr int kAgents = 2;

int KillsWanted() {
  const char* text = std::getenv("MIG_KILLS");
  return text == nullptr ? 50 : std::max(1, std::atoi(text));
}

// Asks both agents for one file and requires the whole, right answer. Returns the action's id.
std::string AskAndCheck(const Lab& lab) {
  const Outcome outcome = lab.Mig({"query", "file", "-t", "all", "-e", "2m", "--json", "-path",
                                   lab.scratch().string(), "-name", "^needle$"},
                                  {.deadline = std::chrono::seconds(120)});
  INFO("status " << outcome.status << (outcome.timed_out ? " (timed out)" : ""));
  INFO(outcome.err);
  INFO(outcome.out);
  REQUIRE(outcome.status == 0);
  const json::value document = ParseJson(outcome.out);
  std::map<std::string, int> answers;
  for (const json::value& answer : document.at("answers").as_array()) {
    const auto& result = answer.at("result");
    CHECK(result.at("foundanything").as_bool());
    CHECK(result.at("elements").at("s1").as_array().size() == 1);
    ++answers[std::string(answer.at("agent").as_string())];
  }
  CHECK(answers.size() == kAgents);
  for (const auto& [agent, count] : answers) CHECK(count == 1);
  return std::string(document.at("action").at("id").as_string());
}

// What each agent's ledger says it answered: action -> final status, with how often.
std::map<std::string, std::vector<std::string>> Answered(const Lab& lab, int agent) {
  std::map<std::string, std::vector<std::string>> answered;
  for (const json::value& entry : lab.Ledger(agent)) {
    if (entry.at("event").as_string() != "answered") continue;
    const auto& facts = entry.at("facts");
    answered[std::string(facts.at("action").as_string())].emplace_back(
        facts.at("status").as_string());
  }
  return answered;
}

void CheckStoreAgainstLedgers(const Lab& lab, const std::vector<std::string>& actions) {
  std::map<int, std::map<std::string, std::vector<std::string>>> ledgers;
  for (int agent = 1; agent <= kAgents; ++agent) ledgers[agent] = Answered(lab, agent);
  for (const std::string& id : actions) {
    const Outcome status = lab.Mig({"status", id, "--json"});
    INFO(id << " " << status.out << status.err);
    REQUIRE(status.status == 0);
    const json::value document = ParseJson(status.out);
    CHECK(document.at("status").as_string() == "completed");
    CHECK(document.at("counters").at("success").to_number<int>() == kAgents);
    CHECK(document.at("counters").at("targeted").to_number<int>() == kAgents);
    for (const auto& [agent, answered] : ledgers) {
      INFO("agent-" << agent);
      REQUIRE(answered.contains(id));
      CHECK(answered.at(id) == std::vector<std::string>{"success"});
    }
  }
}

// Brings a process to points that an ordinary question does not pass: an order that is refused, one
// that is stopped, an answer in several parts.
void Provoke(const Lab& lab, const std::string& point) {
  if (point.find(".refuse.") != std::string::npos) {
    const Deployment deployment(lab);
    Courier courier(lab);
    courier.SendCommand(deployment.agent, Signed(GoodAction(deployment), SecretKey::Generate()));
  } else if (point.find(".stop.") != std::string::npos) {
    const Outcome hung = lab.Mig(
        {"query", "probe", "-t", "all", "-e", "1m", "--detach", "--json", "-attempt", "hang"});
    INFO(hung.out << hung.err);
    REQUIRE(hung.status == 130);
    const json::value document = ParseJson(hung.out);
    const std::string id(document.at("action").at("id").as_string());
    const Outcome stopped = lab.Mig({"stop", id, "--reason", "a test"});
    INFO(stopped.err);
    REQUIRE(stopped.status == 0);
  } else if (point.find(".unsent.") != std::string::npos) {
    // A relay that dies between a command and its acknowledgement, whichever message that is.
    const std::string dies = "relay.store.received";
    for (int passes = 1; passes <= 8 && lab.IsArmed(point); ++passes) {
      lab.Arm(dies, passes);
      const Outcome asked = lab.Mig({"query", "example", "-t", "all", "-gethostname"});
      INFO(asked.out << asked.err);
      REQUIRE(asked.status == 0);
    }
    if (lab.IsArmed(dies)) lab.Disarm(dies);
  } else if (point.find(".part.") != std::string::npos) {
    const Outcome rows = lab.Mig({"query", "probe", "-t", "all", "-e", "2m", "--jsonl", "-attempt",
                                  "rows", "-count", "8000"},
                                 {.deadline = std::chrono::seconds(120)});
    INFO(rows.err);
    // 3: the agent died with a part of its answer sent already. What came is kept, and the rest is
    // called interrupted, because a second run could answer differently.
    REQUIRE((rows.status == 0 || rows.status == 3));
  }
}

void KillAtEveryPoint(const std::string& process, std::span<const char* const> points) {
  const Lab lab(kAgents);
  std::ofstream(lab.scratch() / "needle") << "found\n";
  const int wanted = KillsWanted();
  std::mt19937 random(20261123);  // the same run every time
  std::vector<std::string> actions;
  int kills = 0;
  int round = 0;
  for (; kills < wanted; ++round) {
    REQUIRE(round < 4 * wanted + 40);  // else the points are not reached
    const std::string point = points[static_cast<std::size_t>(round) % points.size()];
    lab.Arm(point, 1 + static_cast<int>(random() % 2));
    INFO("round " << round << ", armed " << point);
    const auto begin = std::chrono::steady_clock::now();
    Provoke(lab, point);
    actions.push_back(AskAndCheck(lab));
    if (lab.IsArmed(point)) {
      // Not on a question's way: perhaps on the way of a start.
      lab.KillRole(process);
      ++kills;
      actions.push_back(AskAndCheck(lab));
    }
    if (lab.IsArmed(point)) {
      lab.Disarm(point);
    } else {
      ++kills;
    }
    // Shows which point makes a long run long.
    std::cerr << process << " round " << round << ", " << point << ": "
              << std::chrono::duration_cast<std::chrono::milliseconds>(
                     std::chrono::steady_clock::now() - begin)
                     .count()
              << " ms\n";
  }
  WARN(process << ": " << kills << " kills, " << actions.size() << " actions");
  CheckStoreAgainstLedgers(lab, actions);

  if (round < static_cast<int>(points.size())) return;  // a short run cannot say more
  // A point that nothing passes tests nothing.
  const std::set<std::string> seen = lab.SeenPoints();
  for (const char* point : points) {
    INFO(point);
    CHECK(seen.contains(point));
  }
}

}  // namespace

TEST_CASE("kill: the relay may die at any point", "[e2e][kill]") {
  KillAtEveryPoint("relay", RelayCrashPoints());
}

TEST_CASE("kill: the scheduler may die at any point", "[e2e][kill]") {
  KillAtEveryPoint("scheduler", SchedulerCrashPoints());
}

TEST_CASE("kill: the api may die at any point", "[e2e][kill]") {
  KillAtEveryPoint("api", ApiCrashPoints());
}

TEST_CASE("kill: an agent may die at any point", "[e2e][kill]") {
  KillAtEveryPoint("agent-1", AgentCrashPoints());
}
