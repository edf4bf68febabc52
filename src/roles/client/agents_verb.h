// The verbs below `mig agents` (agents_verb.cpp has their table).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cli/exit_status.h"
#include "cli/terminal.h"

namespace mig {

struct AgentsVerb {
  std::string_view name;
  std::string_view summary;
  cli::ExitStatus (*run)(std::span<const std::string> words, cli::Terminal& terminal);
};

cli::ExitStatus RunAgentsAnchors(std::span<const std::string> words, cli::Terminal& terminal);

cli::ExitStatus RunAgentsRelease(std::span<const std::string> words, cli::Terminal& terminal);

}  // namespace mig
