#include "cli/terminal.h"

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "cli/table.h"
#include "os/files.h"
#include "os/terminal.h"
#include "util/text.h"

namespace mig::cli {
namespace {

constexpr std::size_t kDefaultWidth = 80;
constexpr std::size_t kNarrowestWidth = 20;  // below this nothing can be laid out
constexpr std::size_t kWidestWidth = 1000;

std::string_view StyleCode(Style style) {
  switch (style) {
    case Style::kPlain:
      return "";
    case Style::kBold:
      return "\x1b[1m";
    case Style::kDim:
      return "\x1b[2m";
    case Style::kRed:
      return "\x1b[31m";
    case Style::kYellow:
      return "\x1b[33m";
  }
  return "";
}

}  // namespace

TerminalFacts DecideTerminal(bool out_is_terminal, bool err_is_terminal,
                             std::size_t terminal_columns, const char* no_color, const char* term,
                             const char* columns) {
  TerminalFacts facts;
  facts.out_is_terminal = out_is_terminal;
  facts.err_is_terminal = err_is_terminal;
  const bool refused = no_color != nullptr && *no_color != '\0';
  facts.colour = !refused && term != nullptr && *term != '\0' && std::strcmp(term, "dumb") != 0;
  std::size_t width = terminal_columns;
  if (columns != nullptr) {
    std::size_t number = 0;
    const char* end = columns + std::strlen(columns);
    if (const auto [stopped, error] = std::from_chars(columns, end, number);
        error == std::errc() && stopped == end) {
      width = number;
    }
  }
  if (width < kNarrowestWidth || width > kWidestWidth) width = kDefaultWidth;
  facts.width = width;
  return facts;
}

Terminal Terminal::OfProcess() {
  const bool out = os::IsTerminal(1);
  const bool err = os::IsTerminal(2);
  const std::size_t columns = os::TerminalColumns(out ? 1 : 2);
  return Terminal(stdout, stderr,
                  DecideTerminal(out, err, columns, std::getenv("NO_COLOR"), std::getenv("TERM"),
                                 std::getenv("COLUMNS")));
}

void Terminal::Data(std::string_view text) {
  // Both may be the same screen.
  if (facts_.out_is_terminal) ClearProgress();
  if (write_error_ == 0 && std::fwrite(text.data(), 1, text.size(), out_) != text.size()) {
    write_error_ = errno == 0 ? EIO : errno;
  }
}

void Terminal::Remark(std::string_view line, Style style) {
  ClearProgress();
  // What went to stdout before is seen before.
  if (std::fflush(out_) != 0 && write_error_ == 0) write_error_ = errno;
  const bool styled = facts_.err_is_terminal && facts_.colour && style != Style::kPlain;
  std::string text;
  if (styled) text += StyleCode(style);
  text += EscapeForTerminal(line);
  if (styled) text += "\x1b[0m";
  text += '\n';
  std::fwrite(text.data(), 1, text.size(), err_);
}

void Terminal::Complain(std::string_view message) {
  Remark("mig: " + std::string(message), Style::kRed);
}

void Terminal::Progress(std::string_view line) {
  if (!facts_.err_is_terminal) return;
  // One column stays free: some terminals wrap when the last one is written.
  const std::string text = "\r\x1b[K" + ElideMiddle(EscapeForTerminal(line), facts_.width - 1);
  std::fwrite(text.data(), 1, text.size(), err_);
  std::fflush(err_);
  progress_shown_ = true;
}

void Terminal::ClearProgress() {
  if (!progress_shown_) return;
  std::fputs("\r\x1b[K", err_);
  std::fflush(err_);
  progress_shown_ = false;
}

bool Terminal::reader_gone() const { return write_error_ == EPIPE; }

Expected<void> Terminal::Flush() {
  if (std::fflush(out_) != 0 && write_error_ == 0) write_error_ = errno;
  if (write_error_ != 0) return os::ErrnoError(write_error_, "write to stdout");
  return {};
}

}  // namespace mig::cli
