// The verbs that people use: each reads its own words and gives the exit status of DESIGN section 2
// (cli/exit_status.h). None of them runs longer than its question, and none is trusted by anybody:
// what they send is signed, and what they get they verify.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "util/expected.h"

namespace mig {

int RunQuery(std::span<const std::string> arguments);       // mig query MODULE …
int RunResults(std::span<const std::string> arguments);     // mig results ID
int RunStatus(std::span<const std::string> arguments);      // mig status [ID]
int RunAgentToken(std::span<const std::string> arguments);  // mig agent-token new|list|…
int RunAgents(std::span<const std::string> arguments);      // mig agents
int RunStop(std::span<const std::string> arguments);        // mig stop ID
int RunPending(std::span<const std::string> arguments);     // mig pending
int RunApprove(std::span<const std::string> arguments);     // mig approve ID
int RunReject(std::span<const std::string> arguments);      // mig reject ID
int RunAction(std::span<const std::string> arguments);      // mig action explain|… FILE
int RunPolicy(std::span<const std::string> arguments);      // mig policy init|show|sign|…
int RunKey(std::span<const std::string> arguments);         // mig key …
int RunCompletion(std::span<const std::string> arguments);  // mig completion bash|zsh|fish

// What can check a configuration file of one role. Roles do not know one another, so main.cpp,
// where they meet, hands the table over.
struct ConfigChecker {
  std::string_view role;
  Expected<void> (*check)(const std::filesystem::path& file);
};
// mig config check [--role ROLE] FILE: the role is in the option, else in the file's name
// (relay.yaml, agent-7.yaml), else the one that accepts the file. The client's own file is known
// here and need not be in the table.
int RunConfig(std::span<const std::string> arguments, std::span<const ConfigChecker> checkers);

}  // namespace mig
