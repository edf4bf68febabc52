// Agents that are away when the question is asked, servers that are away when the answer comes.
#include <catch2/catch.hpp>

#include "test/e2e/courier.h"

using namespace mig;
using namespace mig::e2e;

namespace {

std::string StartQuery(const Lab& lab, const std::string& validity) {
  // Detached at once: the question stays, the terminal goes.
  const Outcome asked = lab.Mig(
      {"query", "example", "-t", "all", "-e", validity, "--detach", "--json", "-gethostname"});
  INFO(asked.out << asked.err);
  REQUIRE(asked.status == 130);
  return std::string(ParseJson(asked.out).at("action").at("id").as_string());
}

std::string ActionStatusOf(const Lab& lab, const std::string& id) {
  const Outcome status = lab.Mig({"status", id, "--json"});
  INFO(status.err);
  REQUIRE(status.status == 0);
  return std::string(ParseJson(status.out).at("status").as_string());
}

}  // namespace

TEST_CASE("absence: an agent that was off answers when it returns, before expiry", "[e2e]") {
  const Lab lab;
  REQUIRE(lab.Mig({"lab", "stop", "agent-1"}).status == 0);
  const std::string id = StartQuery(lab, "5m");
  CHECK(
      Eventually(std::chrono::seconds(20), [&] { return ActionStatusOf(lab, id) == "inflight"; }));
  REQUIRE(lab.Mig({"lab", "start", "agent-1"}).status == 0);
  const Outcome results = lab.Mig({"results", id, "-f"}, {.deadline = std::chrono::seconds(60)});
  INFO(results.err);
  CHECK(results.status == 0);
  CHECK(results.out.find("hostname is") != std::string::npos);
  CHECK(lab.Runs(id) == 1);
}

TEST_CASE("absence: after expiry an agent does not run what waited for it", "[e2e]") {
  const Lab lab;
  REQUIRE(lab.Mig({"lab", "stop", "agent-1"}).status == 0);
  const std::string id = StartQuery(lab, "2s");
  const std::vector<std::string> ends = {"expired", "completed"};
  REQUIRE(Eventually(std::chrono::seconds(40), [&] {
    const std::string status = ActionStatusOf(lab, id);
    return std::find(ends.begin(), ends.end(), status) != ends.end();
  }));
  const Outcome status = lab.Mig({"status", id, "--json"});
  CHECK(ParseJson(status.out).at("counters").at("expired").to_number<int>() == 1);

  REQUIRE(lab.Mig({"lab", "start", "agent-1"}).status == 0);
  CHECK(lab.Mig({"query", "example", "-t", "all", "-gethostname"}).status == 0);
  CHECK(lab.Runs(id) == 0);
}

TEST_CASE("absence: an answer waits on the endpoint while the whole server is away", "[e2e]") {
  const Lab lab;
  const std::string id = StartQuery(lab, "5m");
  for (const char* role : {"relay", "scheduler", "api"}) {
    REQUIRE(lab.Mig({"lab", "stop", role}).status == 0);
  }
  for (const char* role : {"relay", "scheduler", "api"}) {
    REQUIRE(lab.Mig({"lab", "start", role}).status == 0);
  }
  const Outcome results = lab.Mig({"results", id, "-f"}, {.deadline = std::chrono::seconds(90)});
  INFO(results.err);
  CHECK(results.status == 0);
  CHECK(lab.Runs(id) == 1);
}

TEST_CASE("absence: a stop ends what runs, and its agent says so", "[e2e]") {
  const Lab lab;
  const Outcome asked = lab.Mig(
      {"query", "probe", "-t", "all", "-e", "5m", "--detach", "--json", "-attempt", "hang"});
  INFO(asked.out << asked.err);
  REQUIRE(asked.status == 130);
  const std::string id(ParseJson(asked.out).at("action").at("id").as_string());
  REQUIRE(Eventually(std::chrono::seconds(20), [&] { return lab.Runs(id) == 1; }));
  const Outcome stopped = lab.Mig({"stop", id, "--reason", "wrong host"});
  INFO(stopped.err);
  CHECK(stopped.status == 0);
  REQUIRE(
      Eventually(std::chrono::seconds(20), [&] { return ActionStatusOf(lab, id) == "stopped"; }));
  const Outcome status = lab.Mig({"status", id, "--json"});
  CHECK(ParseJson(status.out).at("counters").at("stopped").to_number<int>() == 1);
}
