// Configuration files that are no YAML, or not ours: each role says file, line and the near key,
// and a role that runs keeps the configuration it has.
#include <signal.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "test/e2e/deployment.h"

using namespace mig;
using namespace mig::e2e;

namespace {

const std::vector<std::string> kRoles = {"relay", "scheduler", "api", "agent"};

// The lab's own configuration of a role, which is good, with something in it changed.
std::string ConfigOf(const Lab& lab, const std::string& role) {
  return ReadText(lab.folder() / "config" / (role == "agent" ? "agent-1.yaml" : role + ".yaml"));
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  INFO(from << " in " << text);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

int LineOf(const std::string& text, const std::string& what) {
  return 1 + static_cast<int>(std::count(
                 text.begin(), text.begin() + static_cast<std::ptrdiff_t>(text.find(what)), '\n'));
}

// Starts the role with this configuration: it must end at once, as for wrong usage. What it said.
std::string Refusal(const Lab& lab, const std::string& role, const std::string& text) {
  // Beside the good one, so that relative paths in it stay good.
  const auto file = lab.folder() / "config/broken.yaml";
  std::ofstream(file, std::ios::binary) << text;
  const Outcome outcome = lab.Mig({role, "--config", file.string()});
  INFO(role << ": " << outcome.err);
  CHECK_FALSE(outcome.timed_out);
  CHECK(outcome.status == 2);
  CHECK(outcome.err.find("broken.yaml") != std::string::npos);
  return outcome.err;
}

}  // namespace

TEST_CASE("malformed: a configuration's error names file, line and the near key", "[e2e]") {
  const Lab lab;
  for (const std::string& role : kRoles) {
    const std::string good = ConfigOf(lab, role);
    const std::string required = role == "agent" ? "directory:" : "store:";
    const auto says = [&](const std::string& text, const std::string& words) {
      const std::string said = Refusal(lab, role, text);
      INFO(role << " says: " << said);
      CHECK(said.find(words) != std::string::npos);
    };
    const auto line = [](int number) { return "broken.yaml:" + std::to_string(number) + ": "; };

    says(good + "lgo: {level: info}\n",
         line(LineOf(good + "lgo", "lgo")) + "unknown key `lgo`, did you mean `log`?");
    // Somebody who asks beforehand is told the same.
    const Outcome checked = lab.Mig(
        {"config", "check", "--role", role, (lab.folder() / "config/broken.yaml").string()});
    CHECK(checked.status == 2);
    CHECK(checked.err.find("did you mean `log`?") != std::string::npos);
    const std::string misspelt = Replaced(good, required, "x" + required);
    says(misspelt, line(LineOf(misspelt, "x" + required)) + "unknown key `x" +
                       required.substr(0, required.size() - 1) + "`, did you mean `" +
                       required.substr(0, required.size() - 1) + "`?");
    const std::string loud = Replaced(good, "level: info", "level: loud");
    says(loud, line(LineOf(loud, "level: loud")) + "log.level: ");
    const std::string inside = Replaced(good, "format: text", "formt: text");
    says(inside, line(LineOf(inside, "formt")) + "unknown key `log.formt`, did you mean `format`?");
    if (role != "relay") continue;
    // One parser reads them all: what is no YAML need not be shown to each.
    says(good + required + " again\n", "stands twice");
    says(Replaced(good, required, required + " '"), "a quoted text does not end");
    says(good + "---\nlog: {level: debug}\n", "a second document begins");
    says(good + "\t- tab: [\n", "not YAML");
    says("- a list\n", "at the top level");
    says("{{{{", "not YAML");
    says(std::string("\0\1\2\3", 4), "broken.yaml");
    says("a: " + std::string(20'000, '[') + "\n", "not YAML");
    says("", "is missing");
  }
}

TEST_CASE("malformed: roles that run keep their configuration where the new one is broken",
          "[e2e]") {
  const Lab lab;
  for (const std::string& role : kRoles) {
    INFO(role);
    const std::string name = role == "agent" ? "agent-1" : role;
    const int pid = lab.PidOf(name);
    const auto file = lab.folder() / "config" / (name + ".yaml");
    const std::string good = ReadText(file);
    std::ofstream(file) << Replaced(good, "level: info", "level: loud");
    REQUIRE(kill(pid, SIGHUP) == 0);
    CHECK(lab.LogSays(name, name + ".yaml:" + std::to_string(LineOf(good, "level: info"))));
    CHECK(lab.PidOf(name) == pid);
    // And takes it once it is good.
    std::ofstream(file) << Replaced(good, "level: info", "level: debug");
    REQUIRE(kill(pid, SIGHUP) == 0);
    CHECK(lab.LogSays(name, "read again"));
    CHECK(lab.PidOf(name) == pid);
  }
  CHECK(lab.Mig({"query", "example", "-gethostname"}).status == 0);
}
