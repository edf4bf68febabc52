// kill -9 while a process starts for the first time: the key, the enrolment and the certificate of
// an agent, and the databases of the servers, come into being all the same, and once. Kills of
// processes that ran before are in kill_test.cpp.
#include <catch2/catch.hpp>
#include <fstream>
#include <set>

#include "test/e2e/deployment.h"

using namespace mig;
using namespace mig::e2e;

namespace {

// The agents that the server knows, by name.
std::map<std::string, json::value> Registered(const Lab& lab) {
  const Outcome outcome = lab.Mig({"agents", "--json"});
  INFO(outcome.err);
  REQUIRE(outcome.status == 0);
  const json::value document = ParseJson(outcome.out);
  std::map<std::string, json::value> agents;
  for (const json::value& agent : document.at("agents").as_array()) {
    const std::string name(agent.at("name").as_string());
    INFO(name << " is registered twice");
    REQUIRE(agents.emplace(name, agent).second);
  }
  return agents;
}

// What agents of this lab that enrol from now on show: good for so many of them, and no more.
void OfferToken(const Lab& lab, std::size_t uses) {
  const Outcome made = lab.Mig({"api", "token", "new", "--uses", std::to_string(uses), "--config",
                                (lab.folder() / "config/api.yaml").string()});
  INFO(made.err);
  REQUIRE(made.status == 0);
  std::ofstream(lab.folder() / "keys/enrolment.token") << made.out;
}

void CheckAnswers(const Lab& lab, int agents) {
  const Outcome asked = lab.Mig({"query", "example", "-t", "all", "-gethostname"});
  INFO(asked.err);
  CHECK(asked.status == 0);
  const std::string all = std::to_string(agents) + "/" + std::to_string(agents);
  CHECK(asked.err.find("answered " + all) != std::string::npos);
}

// Adds an agent for each point, which is killed there. Its token is good for as many agents: a
// second identity, or a second use because the first answer was lost, would shut out the last.
void KillNewAgents(const std::vector<const char*>& points) {
  const Lab lab;
  OfferToken(lab, points.size());
  int agents = 1;
  for (const char* point : points) {
    INFO(point);
    lab.Arm(point, 1);
    lab.Up(++agents);
    CHECK_FALSE(lab.IsArmed(point));
  }
  const auto registered = Registered(lab);
  CHECK(registered.size() == static_cast<std::size_t>(agents));
  for (const auto& [name, agent] : registered) {
    INFO(name);
    const int number = std::stoi(name.substr(name.rfind('-') + 1));
    // The identity is the key on its disk, and nobody takes it for two machines.
    CHECK(agent.at("id").as_string() == AgentOf(lab, number).Text());
    CHECK(agent.at("cloned").is_null());
  }
  CheckAnswers(lab, agents);
}

}  // namespace

TEST_CASE("first start: an agent killed before the API knows it enrols as one and the same",
          "[e2e][kill]") {
  KillNewAgents({"agent.key.before", "agent.key.stored", "agent.startup.before",
                 "agent.startup.stored", "agent.tls_key.before", "agent.tls_key.stored",
                 "agent.enrol.before", "api.enrol.before_store"});
}

TEST_CASE("first start: an agent killed while the API admits it is admitted once", "[e2e][kill]") {
  KillNewAgents({"api.enrol.after_store", "api.enrol.before_answer", "agent.enrol.answered",
                 "agent.policy.before", "agent.policy.stored"});
}

TEST_CASE("first start: an agent killed with its certificate in hand goes on with it",
          "[e2e][kill]") {
  KillNewAgents({"agent.certificate.before", "agent.certificate.recorded",
                 "agent.certificate.stored", "agent.presence.before", "agent.presence.sent"});
}

TEST_CASE("first start: a token for one machine admits no second", "[e2e]") {
  // The control of the tests above: what it would look like if a use had been lost.
  const Lab lab;
  OfferToken(lab, 1);
  lab.Up(2);
  CHECK(lab.Mig({"lab", "up", "--agents", "3"}, {.deadline = std::chrono::seconds(1)}).timed_out);
  CHECK(lab.LogSays("agent-3", "the API gave no certificate"));
  CHECK(Registered(lab).size() == 2);
}

TEST_CASE("first start: servers killed on the way to the first answer give it all the same",
          "[e2e][kill]") {
  const std::vector<std::vector<const char*>> rounds = {
      {"relay.received", "scheduler.presence.before_store", "api.enrol.before_store",
       "agent.key.stored"},
      {"relay.store.written", "scheduler.presence.after_store", "api.enrol.after_store",
       "agent.enrol.answered"},
      {"relay.send.before", "scheduler.policy.before_send", "api.enrol.before_answer",
       "agent.certificate.stored"}};
  for (const auto& points : rounds) {
    const Lab lab(0);
    for (const char* point : points) lab.Arm(point, 1);
    lab.Up(1);
    for (const char* point : points) {
      INFO(point);
      CHECK_FALSE(lab.IsArmed(point));
    }
    CHECK(Registered(lab).size() == 1);
    CheckAnswers(lab, 1);
  }
}

TEST_CASE("first start: a database that was being made is made by the next start", "[e2e][kill]") {
  // The relay's or the agent's, whichever comes first, and the other one. (The server's is made by
  // the same code, in a child of `mig lab up` that cannot be armed.)
  for (const char* point : {"store.schema.before_commit", "store.schema.after_commit"}) {
    for (const int passes : {1, 2}) {
      INFO(point << ", pass " << passes);
      const Lab lab(0);
      lab.Arm(point, passes);
      lab.Up(1);
      CHECK_FALSE(lab.IsArmed(point));
      CheckAnswers(lab, 1);
    }
  }
}
