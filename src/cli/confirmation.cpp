#include "cli/confirmation.h"

#include <unistd.h>

#include <cstdio>

#include "os/terminal.h"
#include "util/text.h"

namespace mig::cli {
namespace {

constexpr std::size_t kMaxAnswer = 64;

}  // namespace

Expected<void> Confirm(std::string_view question, bool yes, Terminal& terminal) {
  if (yes) return {};
  if (!os::IsTerminal(STDIN_FILENO)) {
    return Error(Errc::kInvalid,
                 "nobody can be asked here; say --yes if you have read it and agree");
  }
  // What is asked about must be on the screen before the question.
  if (auto flushed = terminal.Flush(); !flushed) return flushed;
  std::fprintf(stderr, "%s [y/N] ", EscapeForTerminal(question).c_str());
  std::fflush(stderr);
  char answer[kMaxAnswer] = {};
  const std::string word =
      std::fgets(answer, sizeof answer, stdin) == nullptr ? "" : LowerAscii(Trim(answer));
  if (word == "y" || word == "yes") return {};
  return Error(Errc::kDenied, "nothing was signed");
}

}  // namespace mig::cli
