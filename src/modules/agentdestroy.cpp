// The agentdestroy module: ends another agent of this machine, by its process. The scheduler
// proposes it when two agents speak from one running system; a person signs it. Of kind `admin`, so
// it runs once, and never again after a crash.
#include <unistd.h>

#include <filesystem>

#include "modules/module.h"
#include "os/process.h"
#include "util/text.h"

namespace mig {
namespace {

constexpr std::int64_t kMostPid = 4'194'304;  // the kernel's largest (proc(5), pid_max)
// An agent says when it began; the kernel counts from when its program did, and both round.
constexpr std::chrono::seconds kBefore{60};
constexpr std::chrono::seconds kAfter{3};
constexpr std::chrono::seconds kPatience{8};  // an agent says goodbye to its relay first

constexpr Parameter kParameters[] = {
    {.flag = "pid",
     .field = "pid",
     .type = ParameterType::kInteger,
     .help = "The process of the agent to be ended.",
     .value_name = "PID",
     .required = true,
     .min = 2,
     .max = kMostPid},
    {.flag = "started",
     .field = "started",
     .type = ParameterType::kText,
     .help = "When that agent began, as its heartbeats say: another process of that number is left "
             "alone.",
     .value_name = "TIME",
     .required = true},
};

Expected<void> CheckAgentDestroy(const json::object& parameters) {
  auto time = ParseRfc3339(parameters.at("started").as_string());
  if (!time) return std::move(time).error().During("started");
  return {};
}

// "mig agent --config …" or "mig-agent --config …", of an executable of that name.
bool IsAgent(const std::string& executable, const std::vector<std::string>& words) {
  const auto name_of = [](const std::string& path) {
    return std::filesystem::path(path).filename().string();
  };
  if (!name_of(executable).starts_with("mig") || words.empty()) return false;
  const std::string called = name_of(words[0]);
  const std::size_t verb = called == "mig-agent" ? 0 : 1;
  if (verb == 1 && (words.size() < 2 || words[1] != "agent")) return false;
  // Not `mig agent report`, which ends by itself.
  return words.size() > verb + 1 && words[verb + 1].starts_with('-');
}

Expected<ModuleResult> RunAgentDestroy(const json::object& parameters, RunContext&) {
  const auto pid = static_cast<int>(parameters.at("pid").to_number<std::int64_t>());
  const UtcTime started = ParseRfc3339(parameters.at("started").as_string()).value();
  const std::string number = std::to_string(pid);
  // A module is a child of its agent.
  if (pid == ::getppid() || pid == ::getpid()) {
    return Error(Errc::kDenied, "process " + number +
                                    " is the agent that was asked: it does not "
                                    "end itself");
  }
  auto process = os::Process::Open(pid);
  if (!process) return std::move(process).error();
  auto executable = process->Executable();
  if (!executable) return std::move(executable).error();
  auto words = process->Words();
  if (!words) return std::move(words).error();
  if (!IsAgent(*executable, *words)) {
    return Error(Errc::kDenied, "process " + number + " is no agent: " + *executable);
  }
  auto began = process->Started();
  if (!began) return std::move(began).error();
  if (*began < started - kBefore || *began > started + kAfter) {
    return Error(Errc::kDenied, "process " + number + " began at " + FormatRfc3339(*began) +
                                    ": it is not the agent that is meant");
  }
  auto killed = process->End(kPatience);
  if (!killed) return std::move(killed).error();
  ModuleResult result;
  result.success = result.foundanything = true;  // else the answer is not shown to who asked
  result.elements =
      json::object{{"pid", pid}, {"executable", json::FromName(*executable)}, {"killed", *killed}};
  result.statistics = json::object{{"ended", 1}};
  return result;
}

std::vector<std::string> PrintAgentDestroy(const json::value& elements, bool) {
  const json::object* fields = elements.if_object();
  if (fields == nullptr || !fields->contains("pid")) return {};
  const json::value* killed = fields->if_contains("killed");
  const json::value* executable = fields->if_contains("executable");
  const auto path = executable == nullptr ? Expected<Bytes>(Bytes()) : json::ToName(*executable);
  return {"PID " + json::Write(fields->at("pid")) + ", the agent of " + (path ? *path : "?") +
          ", has been ended" +
          (killed != nullptr && killed->is_bool() && killed->get_bool() ? " by SIGKILL" : "")};
}

}  // namespace

extern const Module kAgentDestroyModule;
constinit const Module kAgentDestroyModule = {
    .name = "agentdestroy",
    .kind = Kind::kAdmin,
    .summary = "ends another agent that runs on the same machine",
    .example = "-pid 812 -started 2026-11-23T09:30:00Z",
    .parameters = kParameters,
    .platforms = os::Platform::kLinux,
    .rights = os::Right::kReadProcesses | os::Right::kEndProcesses,
    .check = CheckAgentDestroy,
    .run = RunAgentDestroy,
    .print = PrintAgentDestroy,
};

}  // namespace mig
