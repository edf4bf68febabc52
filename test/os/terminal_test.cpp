#include "os/terminal.h"

#include <fcntl.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <array>
#include <string>

using namespace mig;

namespace {

struct Session {
  std::string answer;  // what the reader got, or "error: …"
  std::string screen;  // what the terminal showed
};

// Types `keys` at the prompt of a process with a terminal of its own.
Session TypeAtPrompt(const std::string& keys) {
  std::array<int, 2> pipe_ends{};
  REQUIRE(pipe(pipe_ends.data()) == 0);
  int terminal = -1;
  const pid_t child = forkpty(&terminal, nullptr, nullptr, nullptr);
  REQUIRE(child >= 0);
  if (child == 0) {
    close(pipe_ends[0]);
    const auto secret = os::ReadSecretFromTerminal("Passphrase: ");
    const std::string text = secret ? *secret : "error: " + secret.error().message();
    const ssize_t written = write(pipe_ends[1], text.data(), text.size());
    _exit(written == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  close(pipe_ends[1]);
  Session session;
  std::array<char, 256> buffer{};
  // The prompt comes after echo is off, so keys typed from then on are never shown.
  while (session.screen.find("Passphrase: ") == std::string::npos) {
    const ssize_t count = read(terminal, buffer.data(), buffer.size());
    if (count <= 0) break;
    session.screen.append(buffer.data(), static_cast<std::size_t>(count));
  }
  REQUIRE(write(terminal, keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()));
  for (;;) {
    const ssize_t count = read(pipe_ends[0], buffer.data(), buffer.size());
    if (count <= 0) break;
    session.answer.append(buffer.data(), static_cast<std::size_t>(count));
  }
  for (;;) {
    const ssize_t count = read(terminal, buffer.data(), buffer.size());
    if (count <= 0) break;  // EIO: the other side is closed
    session.screen.append(buffer.data(), static_cast<std::size_t>(count));
  }
  close(terminal);
  close(pipe_ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return session;
}

}  // namespace

TEST_CASE("terminal: a passphrase is read without being shown", "[os]") {
  const Session session = TypeAtPrompt("correct horse\n");
  CHECK(session.answer == "correct horse");
  CHECK(session.screen.find("horse") == std::string::npos);
}

TEST_CASE("terminal: a mistyped passphrase can be corrected by whole characters", "[os]") {
  CHECK(TypeAtPrompt("abx\x7f"
                     "c\n")
            .answer == "abc");
  CHECK(TypeAtPrompt("gr\xc3\xbc\x7f"
                     "ue\n")
            .answer == "grue");
  CHECK(TypeAtPrompt("wrong\x15right\n").answer == "right");
}

TEST_CASE("terminal: Ctrl-C at the prompt is an answer, not a broken terminal", "[os]") {
  CHECK(TypeAtPrompt("sec\x03").answer == "error: no passphrase was given");
}

TEST_CASE("terminal: a passphrase comes from a descriptor, first line only", "[os]") {
  std::array<int, 2> pipe_ends{};
  REQUIRE(pipe(pipe_ends.data()) == 0);
  const std::string text = "secret\nmore\n";
  REQUIRE(write(pipe_ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  close(pipe_ends[1]);
  CHECK(*os::ReadSecretFromDescriptor(pipe_ends[0]) == "secret");
  close(pipe_ends[0]);
  CHECK_FALSE(os::ReadSecretFromDescriptor(pipe_ends[0]));
}
