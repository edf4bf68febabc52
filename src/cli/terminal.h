// Where a verb's words go: data to stdout, remarks and progress to stderr, one progress line that
// never mixes with either. Colours and progress only where a person looks.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "util/expected.h"

namespace mig::cli {

// What is at the two ends. Pure, so that tests can say it.
struct TerminalFacts {
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  bool colour = false;     // for terminals only
  std::size_t width = 80;  // columns
};

// `no_color`, `term`, `columns`: those variables, or null. NO_COLOR (no-color.org) counts when it
// is not empty; TERM=dumb and an unset TERM mean no colour; COLUMNS beats what the terminal says.
TerminalFacts DecideTerminal(bool out_is_terminal, bool err_is_terminal,
                             std::size_t terminal_columns, const char* no_color, const char* term,
                             const char* columns);

enum class Style { kPlain, kBold, kDim, kRed, kYellow };

class Terminal {
 public:
  Terminal(std::FILE* out, std::FILE* err, TerminalFacts facts)
      : out_(out), err_(err), facts_(facts) {}
  // stdout, stderr and the environment of this process.
  static Terminal OfProcess();

  const TerminalFacts& facts() const { return facts_; }

  // Data, as it is, newlines included: whoever calls has escaped it.
  void Data(std::string_view text);
  // One line for the person, on stderr; escaped here.
  void Remark(std::string_view line, Style style = Style::kPlain);
  // As Remark, with "mig: " in front: why a verb ends.
  void Complain(std::string_view message);
  // Replaces the progress line; nothing where stderr is no terminal.
  void Progress(std::string_view line);
  void ClearProgress();

  // Error: kIo when any Data could not be written: disk full, or the reader went away.
  Expected<void> Flush();
  // The reader went away, as `head` does: nothing to complain about.
  bool reader_gone() const;

 private:
  std::FILE* out_;
  std::FILE* err_;
  TerminalFacts facts_;
  bool progress_shown_ = false;
  int write_error_ = 0;  // errno of the first failed write
};

}  // namespace mig::cli
