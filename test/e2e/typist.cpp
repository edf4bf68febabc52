#include "test/e2e/typist.h"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>

extern char** environ;

namespace mig::e2e {
namespace {

constexpr int kPatienceMs = 60'000;

}  // namespace

Typist::Typist(const std::vector<std::string>& argv, const RunOptions& options) {
  // All made before the fork: between it and exec nothing may allocate.
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    if (!options.environment.contains(text.substr(0, text.find('=')))) variables.push_back(text);
  }
  for (const auto& [name, value] : options.environment) variables.push_back(name + "=" + value);
  std::vector<std::string> words = argv;
  std::vector<char*> envp, args;
  for (std::string& variable : variables) envp.push_back(variable.data());
  for (std::string& word : words) args.push_back(word.data());
  envp.push_back(nullptr);
  args.push_back(nullptr);
  winsize size{};
  size.ws_row = 50;
  size.ws_col = 100;
  pid_ = forkpty(&terminal_, nullptr, nullptr, &size);
  REQUIRE(pid_ >= 0);
  if (pid_ == 0) {
    execve(args[0], args.data(), envp.data());
    _exit(127);
  }
}

Typist::~Typist() {
  if (!reaped_) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(terminal_);
}

bool Typist::ReadSome() {
  pollfd ready{terminal_, POLLIN, 0};
  if (poll(&ready, 1, kPatienceMs) <= 0) return false;
  std::array<char, 4096> buffer{};
  const ssize_t count = read(terminal_, buffer.data(), buffer.size());
  if (count <= 0) return false;  // EIO: the program's side is closed
  screen_.append(buffer.data(), static_cast<std::size_t>(count));
  return true;
}

bool Typist::Sees(const std::string& text) {
  while (screen_.find(text) == std::string::npos) {
    if (!ReadSome()) return false;
  }
  return true;
}

void Typist::Types(const std::string& keys) {
  REQUIRE(write(terminal_, keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()));
}

int Typist::Ends() {
  while (ReadSome()) {
  }
  int status = 0;
  // The terminal's end comes with the program's; what hangs without it is for the destructor.
  for (int waited_ms = 0; waitpid(pid_, &status, WNOHANG) == 0; waited_ms += 10) {
    if (waited_ms > kPatienceMs) return -1;
    poll(nullptr, 0, 10);
  }
  reaped_ = true;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace mig::e2e
