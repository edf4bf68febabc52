#include "roles/agent/agent.h"

#include <cstdio>
#include <filesystem>

#include "cli/verb.h"
#include "roles/agent/agent_config.h"
#include "roles/agent/report.h"
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

int RunReport(std::span<const std::string> arguments) {
  std::string file;
  bool as_json = false;
  cli::Options options("mig agent report --config FILE [--json]",
                       "Prints the ledger of this machine: what was asked of it, by whom, what the "
                       "agent decided,\nand what it answered. Needs no network.");
  options.Text("config", 'c', "FILE", "the agent's configuration", &file);
  options.Flag("json", '\0', "one JSON object instead of text", &as_json);
  options.Note("Exit status: 0 the ledger is whole, 1 it was altered or cannot be read, 2 usage.");
  options.Example("mig agent report --config /etc/mig/agent.yaml", "for the machine's owner");
  cli::Terminal terminal = cli::Terminal::OfProcess();
  if (auto ended = cli::ParseWords(options, arguments, terminal)) return *ended;
  if (file.empty()) {
    return Complain(Error(Errc::kInvalid, "report: name the configuration with --config FILE"),
                    kUsage);
  }
  auto config = agent::LoadAgentConfig(file);
  if (!config) return Complain(config.error(), kUsage);
  auto verified = agent::PrintReport(config->Database(),
                                     as_json ? agent::ReportForm::kJson : agent::ReportForm::kText);
  if (!verified) return Complain(verified.error(), kFailed);
  return *verified ? kOk : kFailed;
}

}  // namespace

int RunAgent(std::span<const std::string> arguments) {
  if (!arguments.empty() && arguments.front() == "report") return RunReport(arguments.subspan(1));
  std::string file;
  bool check_only = false;
  cli::Options options("mig agent --config FILE [--check-config] | mig agent report --config FILE",
                       "Runs the agent of this machine: enrols it once, then takes orders that "
                       "people have signed.");
  options.Text("config", 'c', "FILE", "the configuration (see examples/config/agent.yaml)", &file);
  options.Flag("check-config", '\0', "only say whether the configuration is right", &check_only);
  options.Note("SIGTERM stops in order. SIGHUP reads the log level again.");
  options.Note("`mig agent report --config FILE` prints what was asked of this machine.");
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
