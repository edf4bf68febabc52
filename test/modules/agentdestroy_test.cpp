#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "modules/module.h"
#include "os/process.h"

using namespace mig;

namespace {

ModuleResult Run(int pid, UtcTime started) {
  CollectingSink sink;
  RunContext context{sink, UtcTime{}};
  return RunModule(*FindModule("agentdestroy"), {{"pid", pid}, {"started", FormatRfc3339(started)}},
                   context, false);
}

std::string ErrorOf(const ModuleResult& result) {
  REQUIRE(result.errors.size() == 1);
  CHECK_FALSE(result.success);
  return result.errors[0];
}

}  // namespace

TEST_CASE("agentdestroy: is of kind admin, and may look at processes and end them", "[modules]") {
  const Module& module = *FindModule("agentdestroy");
  CHECK(module.kind == Kind::kAdmin);
  CHECK(module.rights == (os::Right::kReadProcesses | os::Right::kEndProcesses));
}

TEST_CASE("agentdestroy: does not end itself, its agent, strangers, or who is not there",
          "[modules]") {
  CHECK(ErrorOf(Run(getppid(), Now())).find("does not end itself") != std::string::npos);
  CHECK(ErrorOf(Run(getpid(), Now())).find("does not end itself") != std::string::npos);
  CHECK(ErrorOf(Run(4'194'304, Now())).find("no process") != std::string::npos);
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGTERM, SIG_DFL);  // not the test framework's
    pause();
    _exit(0);
  }
  // Of this executable, which is no agent.
  CHECK(ErrorOf(Run(child, Now())).find("is no agent") != std::string::npos);
  auto process = os::Process::Open(child);
  REQUIRE(process);
  CHECK_FALSE(process->Ended());
  CHECK(process->End(std::chrono::seconds(5)).value() == false);  // SIGTERM was enough
}

TEST_CASE("agentdestroy: parameters are a pid and a time", "[modules]") {
  const Module& module = *FindModule("agentdestroy");
  CHECK(CheckParameters(module, {{"pid", 70'000}, {"started", "2026-11-23T09:30:00Z"}}));
  CHECK_FALSE(CheckParameters(module, {{"pid", 1}, {"started", "2026-11-23T09:30:00Z"}}));
  CHECK_FALSE(CheckParameters(module, {{"pid", 812}, {"started", "soon"}}));
  CHECK_FALSE(CheckParameters(module, {{"pid", 812}}));
}

TEST_CASE("process: when it began is read from /proc, whatever it is called", "[os]") {
  CHECK(os::StartTicks("7 (a) b) (c) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 9 9\n")
            .value() == 4242);
  CHECK_FALSE(os::StartTicks("7 (a) S 1"));
  CHECK_FALSE(os::StartTicks("nonsense"));
  CHECK(os::MachineStart("cpu 1\nbtime 1790000000\nprocesses 3\n").value() ==
        UtcTime(std::chrono::seconds(1'790'000'000)));
  CHECK_FALSE(os::MachineStart("cpu 1\n"));
  auto own = os::Process::Open(getpid());
  REQUIRE(own);
  CHECK(own->Started().value() < Now() + std::chrono::seconds(2));
  CHECK(own->Started().value() > Now() - std::chrono::hours(1));
}
