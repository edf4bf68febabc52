// A lab of the real executable's processes in a folder of the test's own, and the ways a test
// harms it.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "test/e2e/process.h"
#include "test/temp_folder.h"
#include "util/json.h"

namespace mig::e2e {

// The test executable: the shipped one plus crash points and the probe module.
std::string Executable();

class Lab {
 public:
  // Starts it and requires that its agents have answered. With 0 agents it is not started yet.
  explicit Lab(int agents = 1, std::string executable = Executable());
  ~Lab();  // stops it; when the test has failed, prints the ends of the logs first
  Lab(const Lab&) = delete;
  Lab& operator=(const Lab&) = delete;

  std::filesystem::path folder() const { return temp_ / "lab"; }
  std::filesystem::path scratch() const { return temp_ / "scratch"; }

  // Starts it, or more agents in it, and requires that all have answered.
  void Up(int agents) const;
  // Runs a verb against this lab.
  Outcome Mig(std::vector<std::string> arguments, RunOptions options = {}) const;
  RunOptions Options(RunOptions options = {}) const;  // with this lab's environment

  // `mig lab status --json`: pid of a role ("relay", "agent-1"), 0 when it does not run.
  int PidOf(const std::string& role) const;
  void KillRole(const std::string& role) const;  // SIGKILL; requires that it ran

  // What the role has written to its log so far; "supervisor" too.
  std::string Log(const std::string& role) const;
  // Waits until `text` stands in it.
  bool LogSays(const std::string& role, const std::string& text,
               std::chrono::seconds deadline = std::chrono::seconds(20)) const;

  // The ledger of an agent, as `mig agent report --json` prints it.
  std::vector<json::value> Ledger(int agent = 1) const;
  // How often the agent's ledger says that it ran this action.
  int Runs(const std::string& action, int agent = 1) const;

  // Crash points (test/e2e/test_hooks.cpp).
  void Arm(const std::string& point, int passes) const;
  void Disarm(const std::string& point) const;
  bool IsArmed(const std::string& point) const;
  std::set<std::string> SeenPoints() const;

 private:
  const std::string executable_;
  TempFolder temp_;
};

// Calls `done` every few milliseconds until it says true; false when the deadline came first.
// For states of other processes that no event tells the test about.
bool Eventually(std::chrono::seconds deadline, const std::function<bool()>& done);

// Parses a JSON document that a verb printed; the test fails where it is none.
json::value ParseJson(const std::string& text);
std::vector<json::value> ParseJsonLines(const std::string& text);

}  // namespace mig::e2e
