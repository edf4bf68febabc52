// What every verb does first and last: read its words, and turn an error into an exit status.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "cli/exit_status.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "util/expected.h"

namespace mig::cli {

// Nothing when the verb should go on; else it ends with that status: the help was asked for (and
// printed), or the words are wrong (and it was said why).
std::optional<ExitStatus> ParseWords(Options& options, std::span<const std::string> words,
                                     Terminal& terminal);

// kUnreachable for kUnavailable and kTimeout, kRefused for kDenied, else kUsage.
ExitStatus StatusOf(const Error& error);

// Complains, and gives StatusOf.
ExitStatus Fail(Terminal& terminal, const Error& error);

// `status`, unless what was printed could not be written.
ExitStatus Finish(Terminal& terminal, ExitStatus status);

}  // namespace mig::cli
