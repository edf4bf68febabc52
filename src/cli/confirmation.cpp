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
  // A key pressed while it was being fetched was meant for something else.
  os::ForgetTyped(STDIN_FILENO);
  std::fprintf(stderr, "%s [y/N] ", EscapeForTerminal(question).c_str());
  std::fflush(stderr);
  char answer[kMaxAnswer] = {};
  const bool read = std::fgets(answer, sizeof answer, stdin) != nullptr;
  const std::string line = answer;
  // A whole line: what was cut off may have been the "not".
  if (read && line.ends_with('\n')) {
    const std::string word = LowerAscii(Trim(line));
    if (word == "y" || word == "yes") return {};
  } else {
    std::fputc('\n', stderr);  // the next prompt begins a line of its own
  }
  return Error(Errc::kDenied, "nothing was signed");
}

}  // namespace mig::cli
