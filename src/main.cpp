// The one executable. Roles and verbs stand in the table below: to add one, write its
// `int RunX(std::span<const std::string>)` in its own folder of roles/, include its header here,
// and add a line (sorted by group, then by what people need first). Roles never include one
// another; this is where they meet.
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "crypto/openssl_start.h"
#include "modules/module.h"
#include "os/startup.h"
#include "roles/agent/agent.h"
#include "roles/agent/agent_config.h"
#include "roles/api/api.h"
#include "roles/api/api_config.h"
#include "roles/client/client.h"
#include "roles/lab/lab.h"
#include "roles/module/module_verb.h"
#include "roles/relay/relay.h"
#include "roles/relay/relay_config.h"
#include "roles/scheduler/scheduler.h"
#include "roles/scheduler/scheduler_config.h"
#include "util/version.h"
#include "verb_table.h"

namespace mig {
namespace {

// Whether a role's configuration file would be accepted: for `mig config check`.
template <auto kLoad>
Expected<void> Accepts(const std::filesystem::path& file) {
  auto config = kLoad(file);
  if (!config) return std::move(config).error();
  return {};
}

constexpr ConfigChecker kConfigCheckers[] = {
    {"agent", &Accepts<&agent::LoadAgentConfig>},
    {"api", &Accepts<&api::LoadApiConfig>},
    {"relay", &Accepts<&relay::LoadRelayConfig>},
    {"scheduler", &Accepts<&scheduler::LoadSchedulerConfig>},
};

int RunConfigVerb(std::span<const std::string> arguments) {
  return RunConfig(arguments, kConfigCheckers);
}

using Group = Verb::Group;
constexpr Verb kVerbs[] = {
    {"lab", Group::kStart, "a whole deployment on this machine: up, status, logs, down", &RunLab},
    {"query", Group::kInvestigator, "ask machines a question, with a module", &RunQuery},
    {"results", Group::kInvestigator, "answers to a question asked before; -f follows",
     &RunResults},
    {"status", Group::kInvestigator, "actions and how far they are", &RunStatus},
    {"agents", Group::kInvestigator, "the machines that are enrolled", &RunAgents},
    {"agent-token", Group::kInvestigator, "enrolment tokens: what lets machines in, with tags",
     &RunAgentToken},
    {"stop", Group::kInvestigator, "end an action that is under way", &RunStop},
    {"pending", Group::kInvestigator, "what waits for people's signatures", &RunPending},
    {"approve", Group::kInvestigator, "read an action that waits, and sign it", &RunApprove},
    {"reject", Group::kInvestigator, "say no to an action that waits", &RunReject},
    {"action", Group::kInvestigator, "explain, verify and sign an action in a file", &RunAction},
    {"key", Group::kInvestigator, "your signing keys: files, ssh-agent, gpg, cards", &RunKey},
    {"policy", Group::kInvestigator, "who may order what: draft, sign, publish, show", &RunPolicy},
    {"config", Group::kInvestigator, "check a configuration file", &RunConfigVerb},
    {"completion", Group::kInvestigator, "complete words in bash, zsh or fish", &RunCompletion},
    {"agent", Group::kEndpoint, "the service on every endpoint; `agent report` for its owner",
     &RunAgent},
    {"module", Group::kEndpoint, "run one module here, in its sandbox", &RunModuleVerb},
    {"relay", Group::kServer, "the message relay (MQTT 3.1.1 and 5)", &RunRelay},
    {"scheduler", Group::kServer, "sends actions to agents and stores their answers",
     &RunScheduler},
    {"api", Group::kServer, "the door for investigators and enrolling agents (HTTPS)", &RunApi},
};

// Links in `directory` for the roles that run as services, so that process lists name them.
int InstallLinks(const std::string& directory) {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) {
    std::fprintf(stderr, "mig: cannot tell where this executable is: %s\n",
                 error.message().c_str());
    return kExitUsage;
  }
  for (const Verb& verb : kVerbs) {
    if (verb.group != Group::kServer && verb.name != "agent") continue;
    const auto link = std::filesystem::path(directory) / ("mig-" + std::string(verb.name));
    if (std::filesystem::is_symlink(link, error)) {
      if (std::filesystem::read_symlink(link, error) == self) continue;
      std::filesystem::remove(link, error);
    }
    std::filesystem::create_symlink(self, link, error);
    if (error) {
      std::fprintf(stderr, "mig: cannot make the link %s: %s\n", link.c_str(),
                   error.message().c_str());
      return kExitUsage;
    }
    std::printf("%s\n", link.c_str());
  }
  return kExitFound;
}

int Main(std::string_view called_as, const std::vector<std::string>& arguments) {
  const auto is_module = [](std::string_view word) { return FindModule(word) != nullptr; };
  auto dispatch = FindVerb(kVerbs, called_as, arguments, is_module);
  if (!dispatch) {
    std::fprintf(stderr, "mig: %s\n", dispatch.error().message().c_str());
    return kExitUsage;
  }
  switch (dispatch->kind) {
    case Dispatch::Kind::kVerb:
      return dispatch->verb->run(dispatch->arguments);
    case Dispatch::Kind::kHelp: {
      if (dispatch->verb == nullptr) {
        std::fputs(HelpPage(kVerbs).c_str(), stdout);
        return kExitFound;
      }
      dispatch->arguments.emplace_back("--help");
      return dispatch->verb->run(dispatch->arguments);
    }
    case Dispatch::Kind::kVersion:
      std::printf("mig %s\n", std::string(Version()).c_str());
      return kExitFound;
    case Dispatch::Kind::kList:
      for (const Verb& verb : kVerbs) std::printf("%s\n", std::string(verb.name).c_str());
      return kExitFound;
    case Dispatch::Kind::kInstall:
      return InstallLinks(dispatch->arguments.front());
  }
  return kExitUsage;
}

}  // namespace
}  // namespace mig

int main(int argc, char** argv) {
  mig::PrepareProcess();
  mig::PrepareOpenSsl();
  try {
    return mig::Main(argc > 0 ? argv[0] : "mig",
                     std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "mig: internal error: %s\n", e.what());
    return 70;  // EX_SOFTWARE: a bug, please report it
  }
}
