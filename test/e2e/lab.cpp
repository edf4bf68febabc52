#include "test/e2e/lab.h"

#include <poll.h>
#include <signal.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <exception>
#include <fstream>
#include <sstream>

namespace mig::e2e {
namespace {

namespace fs = std::filesystem;

std::string Slurp(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string TailOf(const fs::path& file, std::size_t bytes) {
  const std::string all = Slurp(file);
  return all.size() > bytes ? all.substr(all.size() - bytes) : all;
}

}  // namespace

std::string Executable() { return std::string(MIG_BUILD_DIR) + "/mig-test"; }

Lab::Lab(int agents, std::string executable) : executable_(std::move(executable)) {
  fs::create_directories(temp_ / "crash/arm");
  fs::create_directories(temp_ / "crash/seen");
  fs::create_directories(scratch());
  if (agents > 0) Up(agents);
}

Lab::~Lab() {
  if (std::uncaught_exceptions() > 0) {
    for (const auto& entry : fs::directory_iterator(folder() / "log")) {
      std::fprintf(stderr, "---- %s\n%s\n", entry.path().c_str(),
                   TailOf(entry.path(), 3000).c_str());
    }
  }
  const Outcome down = Mig({"lab", "down"});
  if (down.status != 0) {
    std::fprintf(stderr, "lab down: %d\n%s%s\n", down.status, down.out.c_str(), down.err.c_str());
  }
}

RunOptions Lab::Options(RunOptions options) const {
  options.environment["MIG_LAB_DIR"] = folder().string();
  options.environment["MIG_CRASH_DIR"] = (temp_ / "crash").string();
  options.environment["MIG_CONFIG"] = "";
  options.environment["HOME"] = (temp_ / "home").string();
  return options;
}

Outcome Lab::Mig(std::vector<std::string> arguments, RunOptions options) const {
  if (!arguments.empty() && arguments.front() == "lab") {
    arguments.push_back("--dir");
    arguments.push_back(folder().string());
  }
  arguments.insert(arguments.begin(), executable_);
  return Run(arguments, Options(std::move(options)));
}

void Lab::Up(int agents) const {
  const Outcome up = Mig({"lab", "up", "--agents", std::to_string(agents)});
  INFO(up.out << up.err);
  REQUIRE(up.status == 0);
}

int Lab::PidOf(const std::string& role) const {
  const Outcome status = Mig({"lab", "status", "--json"});
  const json::value document = ParseJson(status.out);
  for (const json::value& entry : document.at("roles").as_array()) {
    if (entry.at("name").as_string() == role) return static_cast<int>(entry.at("pid").as_int64());
  }
  return 0;
}

void Lab::KillRole(const std::string& role) const {
  const int pid = PidOf(role);
  INFO(role);
  REQUIRE(pid > 0);
  REQUIRE(kill(pid, SIGKILL) == 0);
}

std::string Lab::Log(const std::string& role) const {
  return Slurp(folder() / "log" / (role + ".log"));
}

bool Lab::LogSays(const std::string& role, const std::string& text,
                  std::chrono::seconds deadline) const {
  return Eventually(deadline, [&] { return Log(role).find(text) != std::string::npos; });
}

std::vector<json::value> Lab::Ledger(int agent) const {
  const std::string config = "config/agent-" + std::to_string(agent) + ".yaml";
  const Outcome report =
      Mig({"agent", "report", "--json", "--config", (folder() / config).string()});
  INFO(report.err);
  REQUIRE(report.status == 0);
  const json::value document = ParseJson(report.out);
  const auto& entries = document.at("entries").as_array();
  return {entries.begin(), entries.end()};
}

int Lab::Runs(const std::string& action, int agent) const {
  int runs = 0;
  for (const json::value& entry : Ledger(agent)) {
    if (entry.at("event").as_string() == "started" &&
        entry.at("facts").at("action").as_string() == action) {
      ++runs;
    }
  }
  return runs;
}

void Lab::Arm(const std::string& point, int passes) const {
  // Whole at once, by rename: the process that reads it may be anywhere.
  const fs::path hidden = temp_ / "crash/new";
  std::ofstream(hidden) << passes << "\n";
  fs::rename(hidden, temp_.path() / "crash/arm" / point);
}

void Lab::Disarm(const std::string& point) const { fs::remove(temp_.path() / "crash/arm" / point); }

bool Lab::IsArmed(const std::string& point) const {
  return fs::exists(temp_.path() / "crash/arm" / point);
}

std::set<std::string> Lab::SeenPoints() const {
  std::set<std::string> points;
  for (const auto& entry : fs::directory_iterator(temp_ / "crash/seen")) {
    points.insert(entry.path().filename().string());
  }
  return points;
}

bool Eventually(std::chrono::seconds deadline, const std::function<bool()>& done) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  for (;;) {
    if (done()) return true;
    if (std::chrono::steady_clock::now() >= end) return false;
    poll(nullptr, 0, 5);
  }
}

json::value ParseJson(const std::string& text) {
  auto document = json::Parse(text);
  INFO(text);
  REQUIRE(document);
  return std::move(*document);
}

std::vector<json::value> ParseJsonLines(const std::string& text) {
  std::vector<json::value> values;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) values.push_back(ParseJson(line));
  }
  return values;
}

}  // namespace mig::e2e
