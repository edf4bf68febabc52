// Agents that come, are copied, and stand in each other's way: tokens and tags, clones, two on one
// machine, and what a machine's owner can prove. Real processes, a real lab.
#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>

#include "test/e2e/deployment.h"

using namespace mig;
using namespace mig::e2e;
using namespace std::chrono_literals;

namespace {

namespace fs = std::filesystem;

// A configuration like agent-1's for another directory, with what is replaced in it.
fs::path ConfigFor(const Lab& lab, const std::string& name,
                   const std::vector<std::pair<std::string, std::string>>& replacements = {}) {
  std::string text = ReadText(lab.folder() / "config/agent-1.yaml");
  const auto replace = [&](const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    INFO(from << " in " << text);
    REQUIRE(at != std::string::npos);
    text.replace(at, from.size(), to);
  };
  replace("../data/agent-1", "../data/" + name);
  replace("name: agent-1", "name: " + name);
  for (const auto& [from, to] : replacements) replace(from, to);
  const fs::path file = lab.folder() / "config" / (name + ".yaml");
  std::ofstream(file) << text;
  return file;
}

Background StartAgent(const Lab& lab, const fs::path& config) {
  return Background({Executable(), "agent", "--config", config.string()}, lab.Options());
}

// The agents that a target names, as `mig agents --json` shows them.
std::vector<json::value> Agents(const Lab& lab, const std::string& target = "all") {
  const Outcome listed = lab.Mig({"agents", "-t", target, "--json"});
  INFO(listed.err);
  REQUIRE(listed.status <= 1);
  const json::value document = ParseJson(listed.out);
  const auto& agents = document.at("agents").as_array();
  return {agents.begin(), agents.end()};
}

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A token with these words, in a file for an agent's configuration.
std::string NewToken(const Lab& lab, std::vector<std::string> words, const std::string& file) {
  words.insert(words.begin(), {"agent-token", "new"});
  const Outcome made = lab.Mig(words);
  INFO(made.err);
  REQUIRE(made.status == 0);
  std::ofstream(lab.folder() / "keys" / file) << made.out;
  return made.out;
}

std::string TokenId(const Lab& lab, const std::string& note) {
  const json::value list = ParseJson(lab.Mig({"agent-token", "list", "--json"}).out);
  for (const json::value& token : list.at("tokens").as_array()) {
    if (token.at("note").as_string() == note) return std::string(token.at("id").as_string());
  }
  FAIL("no token noted " << note);
  return {};
}

}  // namespace

TEST_CASE("agents: a token gives the tags that were signed, and a revoked one enrols nobody",
          "[e2e]") {
  const Lab lab;
  NewToken(lab, {"--uses", "5", "--tags", "operator=it,site=berlin", "--note", "web"}, "web.token");
  const auto with_token = std::pair<std::string, std::string>{"enrolment.token", "web.token"};
  Background first = StartAgent(lab, ConfigFor(lab, "web1", {with_token}));
  REQUIRE(Eventually(20s, [&] { return Agents(lab, "tags->>'operator' = 'it'").size() == 1; }));
  // The agent checks the target itself, by the grant on its own disk.
  const Outcome asked =
      lab.Mig({"query", "example", "-t", "tags->>'site' = 'berlin'", "-gethostname"});
  INFO(asked.err);
  CHECK(asked.status == 0);
  CHECK(Contains(asked.out, "web1"));

  REQUIRE(lab.Mig({"agent-token", "revoke", TokenId(lab, "web").substr(0, 12)}).status == 0);
  Background second = StartAgent(lab, ConfigFor(lab, "web2", {with_token}));
  CHECK(second.WaitForOutput("revoked", 20s));
  CHECK(Agents(lab, "tags->>'operator' = 'it'").size() == 1);  // who is in stays
}

TEST_CASE("agents: a machine that gives itself tags is told how it is done", "[e2e]") {
  const Lab lab;
  const fs::path config = ConfigFor(lab, "web1");
  std::ofstream(config, std::ios::app) << "tags: {operator: sec}\n";
  const Outcome refused = lab.Mig({"agent", "--config", config.string()});
  CHECK(refused.status == 2);
  CHECK(Contains(refused.err, "mig agent-token new --tags"));
}

TEST_CASE("agents: of two copies of one machine both are held, until one has its own identity",
          "[e2e]") {
  const Lab lab;
  REQUIRE(lab.Mig({"lab", "stop", "agent-1"}).status == 0);
  fs::copy(lab.folder() / "data/agent-1", lab.folder() / "data/copy", fs::copy_options::recursive);
  REQUIRE(lab.Mig({"lab", "start", "agent-1"}).status == 0);
  const fs::path config = ConfigFor(lab, "copy");
  const std::string id = AgentOf(lab, 1).Text();
  auto copy = std::make_unique<Background>(
      std::vector<std::string>{Executable(), "agent", "--config", config.string()}, lab.Options());
  REQUIRE(Eventually(60s, [&] { return !Agents(lab).at(0).at("cloned").is_null(); }));
  const Outcome shown = lab.Mig({"agents"});
  CHECK(Contains(shown.out, "(held: cloned)"));
  CHECK(Contains(shown.err, "agent-1, host"));
  CHECK(Contains(shown.err, "copy, host"));
  CHECK(Contains(shown.err, "mig agent reset-identity"));

  // Each of the two is told, in its log and in what its owner reads.
  CHECK(lab.LogSays("agent-1", "two machines use this identity"));
  CHECK(copy->WaitForOutput("mig agent reset-identity --config " + config.string(), 20s));
  const Outcome report = lab.Mig({"agent", "report", "--config", config.string()});
  CHECK(Contains(report.out, "another machine uses the identity " + id));

  // Nothing is sent to either, and whoever asks is told.
  const Outcome held = lab.Mig({"query", "example", "-t", "all", "-e", "2s", "-gethostname"});
  CHECK(held.status == 3);
  CHECK(Contains(held.err, "1 of them held"));
  CHECK(lab.Mig({"agents", "release", id}).status != 0);  // both still speak

  CHECK(lab.Mig({"agent", "reset-identity", "--config", config.string()}).status != 0);  // it runs
  copy->Signal(SIGTERM);
  REQUIRE(copy->Wait(20s));
  const Outcome reset = lab.Mig({"agent", "reset-identity", "--config", config.string()});
  INFO(reset.err);
  REQUIRE(reset.status == 0);
  CHECK_FALSE(Contains(reset.out, id));
  CHECK(fs::exists(lab.folder() / "data/copy" / ("agent.key." + id)));
  copy = std::make_unique<Background>(
      std::vector<std::string>{Executable(), "agent", "--config", config.string()}, lab.Options());
  REQUIRE(Eventually(30s, [&] { return Agents(lab).size() == 2; }));
  REQUIRE(Eventually(40s, [&] { return lab.Mig({"agents", "release", id}).status == 0; }));
  REQUIRE(Eventually(20s, [&] { return Agents(lab, "status = 'online'").size() == 2; }));
  const Outcome both = lab.Mig({"query", "example", "-t", "all", "-gethostname"});
  INFO(both.err);
  CHECK(both.status == 0);
  CHECK(Contains(both.err, "answered 2/2"));
  // The copy's ledger says what happened.
  CHECK(Contains(lab.Mig({"agent", "report", "--config", config.string()}).out,
                 "This machine was given a new identity"));
}

TEST_CASE("agents: a second one on a machine ends and names the first", "[e2e]") {
  const Lab lab;
  const auto alone = std::pair<std::string, std::string>{
      "many_on_one_host: true", "host_lock: " + (lab.scratch() / "lock").string()};
  Background first = StartAgent(lab, ConfigFor(lab, "one", {alone}));
  REQUIRE(first.WaitForOutput("enrolled", 20s));
  const Outcome second = lab.Mig({"agent", "--config", ConfigFor(lab, "two", {alone}).string()});
  CHECK(second.status == 1);
  CHECK(Contains(second.err, "another agent of this deployment runs on this machine: process " +
                                 std::to_string(first.pid())));
  first.Signal(SIGKILL);
  REQUIRE(first.Wait(20s));
  Background again = StartAgent(lab, ConfigFor(lab, "two"));
  CHECK(again.WaitForOutput("agent started", 20s));
}

TEST_CASE("agents: what an investigator remembers proves a machine's ledger, or that it was cut",
          "[e2e]") {
  const Lab lab;
  const std::string config = (lab.folder() / "config/agent-1.yaml").string();
  const std::string anchors = (lab.scratch() / "anchors.json").string();
  REQUIRE(lab.Mig({"query", "example", "-t", "all", "-gethostname"}).status == 0);
  REQUIRE(lab.Mig({"agents", "anchors", "--out", anchors}).status == 0);
  const Outcome good =
      lab.Mig({"agent", "report", "--config", config, "--verify", "--anchor", anchors});
  INFO(good.out);
  CHECK(good.status == 0);
  CHECK(Contains(good.out, "are proven by the answer to action"));

  // The disk of before the question is put back.
  REQUIRE(lab.Mig({"lab", "stop", "agent-1"}).status == 0);
  const fs::path data = lab.folder() / "data/agent-1";
  const fs::path snapshot = lab.scratch() / "snapshot";
  fs::copy(data, snapshot, fs::copy_options::recursive);
  REQUIRE(lab.Mig({"lab", "start", "agent-1"}).status == 0);
  REQUIRE(Eventually(20s, [&] { return Agents(lab, "status = 'online'").size() == 1; }));
  for (int i = 0; i < 2; ++i) {
    REQUIRE(lab.Mig({"query", "example", "-t", "all", "-gethostname"}).status == 0);
  }
  REQUIRE(lab.Mig({"agents", "anchors", "--out", anchors}).status == 0);
  REQUIRE(lab.Mig({"lab", "stop", "agent-1"}).status == 0);
  fs::remove_all(data);
  fs::copy(snapshot, data, fs::copy_options::recursive);
  const Outcome cut =
      lab.Mig({"agent", "report", "--config", config, "--verify", "--anchor", anchors});
  INFO(cut.out);
  CHECK(cut.status == 1);
  CHECK(Contains(cut.out, "the end was cut off"));

  // The server sees it with the first heartbeat, and so does who asks.
  REQUIRE(lab.Mig({"lab", "start", "agent-1"}).status == 0);
  REQUIRE(Eventually(20s, [&] { return !Agents(lab).at(0).at("ledger_back").is_null(); }));
  CHECK(Contains(lab.Mig({"agents"}).out, "(ledger went back)"));
  const Outcome asked = lab.Mig({"query", "example", "-t", "all", "-gethostname"});
  CHECK(Contains(asked.err, "its ledger went back from"));
  REQUIRE(lab.Mig({"agents", "release", AgentOf(lab, 1).Text(), "--reason", "a test"}).status == 0);
  CHECK(Agents(lab).at(0).at("ledger_back").is_null());
}

TEST_CASE("agents: agentdestroy ends the agent that is meant, and no other process", "[e2e]") {
  const Lab lab;
  Background twin = StartAgent(lab, ConfigFor(lab, "twin"));
  REQUIRE(twin.WaitForOutput("enrolled", 20s));
  const auto destroy = [&](UtcTime started) {
    RunOptions options;
    options.input =
        json::Write(json::object{{"pid", twin.pid()}, {"started", FormatRfc3339(started)}});
    return lab.Mig({"module", "agentdestroy"}, options);
  };
  const Outcome wrong = destroy(Now() - std::chrono::hours(1));
  CHECK(Contains(wrong.out, "it is not the agent that is meant"));
  const Outcome right = destroy(Now());
  INFO(right.out);
  CHECK(Contains(right.out, "\"success\":true"));
  CHECK(Contains(right.out, "\"killed\":false"));
  const auto ended = twin.Wait(20s);
  REQUIRE(ended);
  CHECK(ended->status == 0);
}

TEST_CASE("agents: of two on one machine people end the older one, on the server's proposal",
          "[e2e]") {
  const Lab lab;
  // Each takes a lock of its own, as agents of two containers on one kernel do.
  const auto alone = [&](const std::string& name) {
    return ConfigFor(lab, name,
                     {{"many_on_one_host: true", "host_lock: " + (lab.scratch() / name).string()}});
  };
  Background older = StartAgent(lab, alone("older"));
  REQUIRE(older.WaitForOutput("agent started", 20s));
  REQUIRE(Eventually(20s, [&] { return Agents(lab, "name = 'older'").size() == 1; }));
  CHECK(lab.Mig({"pending"}).status == 1);  // the lab's agent says that it is one of many
  Background newer = StartAgent(lab, alone("newer"));
  const auto proposals = [&] {
    const json::value document = ParseJson(lab.Mig({"pending", "--json"}).out);
    const auto& all = document.at("proposals").as_array();
    return std::vector<json::value>(all.begin(), all.end());
  };
  REQUIRE(Eventually(30s, [&] { return !proposals().empty(); }));
  REQUIRE(proposals().size() == 1);
  const json::value proposal = proposals().at(0);
  INFO(json::Write(proposal));
  const std::string id(proposal.at("id").as_string());
  CHECK(proposal.at("operations").at(0).at("parameters").at("pid").to_number<int>() == older.pid());
  CHECK(Contains(lab.Mig({"pending"}).out, "end a second agent on one machine"));

  // Nothing happens before a person has signed, who is shown what it is and where.
  const Outcome unasked = lab.Mig({"approve", id});
  INFO(unasked.out << unasked.err);
  CHECK(unasked.status == 2);
  CHECK(Contains(unasked.out + unasked.err, "machines    newer"));
  CHECK_FALSE(older.Wait(0s));
  const Outcome approved = lab.Mig({"approve", id, "--yes"});
  INFO(approved.out << approved.err);
  REQUIRE(approved.status == 0);
  const auto ended = older.Wait(30s);
  REQUIRE(ended);
  CHECK(ended->status == 0);  // it said goodbye
  CHECK_FALSE(newer.Wait(0s));

  const Outcome answered = lab.Mig({"results", id, "-f", "--json"});
  INFO(answered.out << answered.err);
  CHECK(answered.status == 0);
  const json::value document = ParseJson(answered.out);
  REQUIRE(document.at("answers").as_array().size() == 1);
  CHECK(document.at("answers").at(0).at("status").as_string() == "success");
  const Outcome report =
      lab.Mig({"agent", "report", "--config", (lab.folder() / "config/newer.yaml").string()});
  INFO(report.out);
  CHECK(Contains(report.out, "end a second agent on one machine"));
  REQUIRE(Eventually(30s, [&] { return Agents(lab, "status = 'online'").size() == 2; }));
  CHECK(lab.Mig({"pending"}).status == 1);
}
