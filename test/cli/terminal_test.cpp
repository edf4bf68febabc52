#include "cli/terminal.h"

#include <catch2/catch.hpp>
#include <cstdlib>

using namespace mig::cli;

namespace {

// A terminal whose two ends are buffers.
struct Screen {
  char* out_text = nullptr;
  char* err_text = nullptr;
  std::size_t out_size = 0, err_size = 0;
  std::FILE* out = open_memstream(&out_text, &out_size);
  std::FILE* err = open_memstream(&err_text, &err_size);

  ~Screen() {
    std::fclose(out);
    std::fclose(err);
    std::free(out_text);
    std::free(err_text);
  }
  std::string Out() {
    std::fflush(out);
    return std::string(out_text, out_size);
  }
  std::string Err() {
    std::fflush(err);
    return std::string(err_text, err_size);
  }
};

}  // namespace

TEST_CASE("terminal: colour only where nobody refused it", "[cli]") {
  CHECK(DecideTerminal(true, true, 100, nullptr, "xterm", nullptr).colour);
  CHECK(DecideTerminal(true, true, 100, "", "xterm", nullptr).colour);  // no-color.org: not empty
  CHECK_FALSE(DecideTerminal(true, true, 100, "1", "xterm", nullptr).colour);
  CHECK_FALSE(DecideTerminal(true, true, 100, nullptr, "dumb", nullptr).colour);
  CHECK_FALSE(DecideTerminal(true, true, 100, nullptr, nullptr, nullptr).colour);
}

TEST_CASE("terminal: the width is what it says, COLUMNS, or 80", "[cli]") {
  CHECK(DecideTerminal(true, true, 132, nullptr, "xterm", nullptr).width == 132);
  CHECK(DecideTerminal(true, true, 132, nullptr, "xterm", "60").width == 60);
  CHECK(DecideTerminal(true, true, 132, nullptr, "xterm", "60x").width == 132);
  CHECK(DecideTerminal(false, false, 0, nullptr, "xterm", nullptr).width == 80);
  CHECK(DecideTerminal(false, false, 3, nullptr, "xterm", nullptr).width == 80);
}

TEST_CASE("terminal: data and remarks never mix", "[cli]") {
  Screen screen;
  Terminal terminal(screen.out, screen.err, TerminalFacts{});
  terminal.Data("data\n");
  terminal.Progress("3/4");  // no terminal: nobody to show it to
  terminal.Remark("remark", Style::kRed);
  CHECK(screen.Out() == "data\n");
  CHECK(screen.Err() == "remark\n");
}

TEST_CASE("terminal: a remark cannot carry an escape sequence in", "[cli]") {
  Screen screen;
  Terminal terminal(screen.out, screen.err, TerminalFacts{});
  terminal.Remark("agent \x1b]0;owned\x07 said\nmig: all is well");
  CHECK(screen.Err() == "agent \\x1b]0;owned\\x07 said\\nmig: all is well\n");
}

TEST_CASE("terminal: the progress line goes away before anything else is written", "[cli]") {
  Screen screen;
  Terminal terminal(screen.out, screen.err, {true, true, false, 40});
  terminal.Progress("1/2 answered");
  terminal.Data("data\n");
  CHECK(screen.Err() == "\r\x1b[K1/2 answered\r\x1b[K");
  terminal.Progress(std::string(100, 'x'));
  CHECK(screen.Err().size() < 100);  // cut to one line
}

TEST_CASE("terminal: data that could not be written is an error, not a silence", "[cli]") {
  Screen screen;
  std::FILE* full = std::fopen("/dev/full", "w");
  if (full == nullptr) return;
  Terminal terminal(full, screen.err, TerminalFacts{});
  terminal.Data("x");
  const auto flushed = terminal.Flush();
  REQUIRE_FALSE(flushed);
  CHECK(flushed.error().message().find("stdout") != std::string::npos);
  std::fclose(full);
}
