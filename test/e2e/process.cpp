#include "test/e2e/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

extern char** environ;

namespace mig::e2e {
namespace {

using Clock = std::chrono::steady_clock;

int MillisecondsUntil(Clock::time_point end) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
  return left.count() < 0 ? 0 : static_cast<int>(std::min<long long>(left.count(), 1000));
}

// Input is small in these tests, so it fits a pipe's buffer and needs no writer of its own.
int InputPipe(const std::string& input) {
  int fds[2];
  REQUIRE(pipe2(fds, O_CLOEXEC) == 0);
  REQUIRE(input.size() < 60'000);
  REQUIRE(write(fds[1], input.data(), input.size()) == static_cast<ssize_t>(input.size()));
  close(fds[1]);
  return fds[0];
}

}  // namespace

Background::Background(const std::vector<std::string>& argv, const RunOptions& options) {
  int out[2];
  int err[2];
  REQUIRE(pipe2(out, O_CLOEXEC) == 0);
  REQUIRE(pipe2(err, O_CLOEXEC) == 0);
  const int in = InputPipe(options.input);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  posix_spawn_file_actions_adddup2(&actions, err[1], 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup(&attributes, 0);
  sigset_t ours;  // what a test ignores for itself
  sigemptyset(&ours);
  sigaddset(&ours, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &ours);

  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    if (!options.environment.contains(text.substr(0, text.find('=')))) variables.push_back(text);
  }
  for (const auto& [name, value] : options.environment) variables.push_back(name + "=" + value);
  std::vector<char*> envp;
  for (std::string& variable : variables) envp.push_back(variable.data());
  envp.push_back(nullptr);
  std::vector<std::string> words = argv;
  std::vector<char*> args;
  for (std::string& word : words) args.push_back(word.data());
  args.push_back(nullptr);

  const int error = posix_spawn(&pid_, args[0], &actions, &attributes, args.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  close(in);
  close(out[1]);
  close(err[1]);
  INFO("cannot start " << argv[0]);
  REQUIRE(error == 0);
  out_fd_ = out[0];
  err_fd_ = err[0];
}

Background::~Background() {
  if (!reaped_) {
    kill(-pid_, SIGKILL);
    int status = 0;
    waitpid(pid_, &status, 0);
  }
  if (out_fd_ >= 0) close(out_fd_);
  if (err_fd_ >= 0) close(err_fd_);
}

void Background::Signal(int signal) const { kill(pid_, signal); }

bool Background::Pump(int timeout_ms) {
  pollfd fds[2] = {{out_fd_, POLLIN, 0}, {err_fd_, POLLIN, 0}};
  if (out_fd_ < 0 && err_fd_ < 0) return false;
  if (poll(fds, 2, timeout_ms) <= 0) return true;
  const auto read_from = [](int* fd, const pollfd& ready, std::string* into) {
    if (*fd < 0 || ready.revents == 0) return;
    char buffer[65536];
    const ssize_t count = read(*fd, buffer, sizeof buffer);
    if (count > 0) {
      into->append(buffer, static_cast<std::size_t>(count));
    } else {
      close(*fd);
      *fd = -1;
    }
  };
  read_from(&out_fd_, fds[0], &outcome_.out);
  read_from(&err_fd_, fds[1], &outcome_.err);
  return true;
}

bool Background::WaitForOutput(const std::string& text, std::chrono::seconds deadline) {
  const auto end = Clock::now() + deadline;
  for (;;) {
    if (outcome_.out.find(text) != std::string::npos ||
        outcome_.err.find(text) != std::string::npos) {
      return true;
    }
    if (Clock::now() >= end || !Pump(MillisecondsUntil(end))) return false;
  }
}

std::optional<Outcome> Background::Wait(std::chrono::seconds deadline) {
  const auto end = Clock::now() + deadline;
  while (!reaped_) {
    int status = 0;
    rusage usage{};
    if (wait4(pid_, &status, WNOHANG, &usage) == pid_) {
      reaped_ = true;
      outcome_.peak_kib = usage.ru_maxrss;
      outcome_.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      // What it wrote before its end; a daemon it left behind may hold the pipes, so no waiting.
      for (int i = 0; i < 64; ++i) {
        const std::size_t before = outcome_.out.size() + outcome_.err.size();
        if (!Pump(0) || outcome_.out.size() + outcome_.err.size() == before) break;
      }
      break;
    }
    if (Clock::now() >= end) return std::nullopt;
    if (!Pump(std::min(MillisecondsUntil(end), 10))) poll(nullptr, 0, 2);
  }
  return outcome_;
}

Outcome Run(const std::vector<std::string>& argv, const RunOptions& options) {
  Background process(argv, options);
  if (auto outcome = process.Wait(options.deadline)) return *outcome;
  Outcome outcome;
  outcome.timed_out = true;
  kill(-process.pid(), SIGKILL);
  if (auto rest = process.Wait(std::chrono::seconds(5))) {
    outcome.out = rest->out;
    outcome.err = rest->err;
  }
  return outcome;
}

}  // namespace mig::e2e
