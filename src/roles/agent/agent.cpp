#include "roles/agent/agent.h"

#include <cstdio>
#include <filesystem>

#include "cli/verb.h"
#include "roles/agent/agent_config.h"
#include "roles/agent/report_verb.h"
#include "roles/agent/reset_identity.h"
#include "roles/agent/service.h"

namespace mig {
namespace {

constexpr int kOk = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;

int Complain(const Error& error, int status) {
  std::fprintf(stderr, "mig agent: %s\n", error.message().c_str());
  return status;
}

}  // namespace

int RunAgent(std::span<const std::string> arguments) {
  if (!arguments.empty() && arguments.front() == "report")
    return agent::RunReport(arguments.subspan(1));
  if (!arguments.empty() && arguments.front() == "reset-identity") {
    return agent::RunResetIdentity(arguments.subspan(1));
  }
  std::string file;
  bool check_only = false;
  cli::Options options(
      "mig agent --config FILE [--check-config]",
      "Runs the agent of this machine: enrols it once, then takes orders that "
      "people have signed.\n\n"
      "  report          what was asked of this machine, and whether anybody "
      "changed the record\n"
      "  reset-identity  another key, for a machine that is a copy of another one");
  options.Text("config", 'c', "FILE", "the configuration (see examples/config/agent.yaml)", &file);
  options.Flag("check-config", '\0', "only say whether the configuration is right", &check_only);
  options.Note("SIGTERM stops in order. SIGHUP reads the log level again.");
  options.Example("mig agent --config /etc/mig/agent.yaml", "as the service does");
  cli::Terminal terminal = cli::Terminal::OfProcess();
  if (auto ended = cli::ParseWords(options, arguments, terminal)) return *ended;
  if (file.empty()) {
    return Complain(Error(Errc::kInvalid, "name the configuration with --config FILE"), kUsage);
  }
  auto config = agent::LoadAgentConfig(file);
  if (!config) return Complain(config.error(), kUsage);
  if (check_only) return kOk;
  if (auto served = agent::Serve(*config, file); !served) return Complain(served.error(), kFailed);
  return kOk;
}

}  // namespace mig
