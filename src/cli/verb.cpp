#include "cli/verb.h"

namespace mig::cli {

std::optional<ExitStatus> ParseWords(Options& options, std::span<const std::string> words,
                                     Terminal& terminal) {
  if (auto parsed = options.Parse(words); !parsed) {
    terminal.Complain(parsed.error().message());
    terminal.Remark("Try: " + options.HelpCommand());
    return kUsage;
  }
  if (!options.help_wanted()) return std::nullopt;
  terminal.Data(options.Help());
  return Finish(terminal, kFound);
}

ExitStatus StatusOf(const Error& error) {
  switch (error.code()) {
    case Errc::kUnavailable:
    case Errc::kTimeout:
      return kUnreachable;
    case Errc::kDenied:
      return kRefused;
    default:
      return kUsage;
  }
}

ExitStatus Fail(Terminal& terminal, const Error& error) {
  terminal.Complain(error.message());
  return StatusOf(error);
}

ExitStatus Finish(Terminal& terminal, ExitStatus status) {
  auto flushed = terminal.Flush();
  return flushed || terminal.reader_gone() ? status : Fail(terminal, flushed.error());
}

}  // namespace mig::cli
