// Verbs that carry signatures of an action to and from other people's programs.
#pragma once

#include <span>
#include <string>

#include "cli/exit_status.h"
#include "cli/terminal.h"

namespace mig {

cli::ExitStatus RunActionPae(std::span<const std::string> words, cli::Terminal& terminal);
cli::ExitStatus RunActionAddSignature(std::span<const std::string> words, cli::Terminal& terminal);
cli::ExitStatus RunActionAsc(std::span<const std::string> words, cli::Terminal& terminal);

}  // namespace mig
