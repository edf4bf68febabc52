// The words after `mig action`, each in its own file.
#pragma once

#include <span>
#include <string>

#include "cli/exit_status.h"
#include "cli/terminal.h"

namespace mig {

cli::ExitStatus RunActionExplain(std::span<const std::string> words, cli::Terminal& terminal);
cli::ExitStatus RunActionShow(std::span<const std::string> words, cli::Terminal& terminal);
cli::ExitStatus RunActionSign(std::span<const std::string> words, cli::Terminal& terminal);
cli::ExitStatus RunActionVerify(std::span<const std::string> words, cli::Terminal& terminal);

}  // namespace mig
