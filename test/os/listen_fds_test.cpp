#include "os/listen_fds.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>

using namespace mig;

namespace {

// Runs `check` in a child that finds a socket at descriptor 3; returns its exit status. The child
// must not use Catch2's macros: its counts would be lost.
int InChild(bool listening, const char* pid, const char* count, int (*check)()) {
  const pid_t child = fork();
  if (child == 0) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) _exit(90);
    if (listening && listen(fd, 1) != 0) _exit(91);
    if (fd != 3 && dup2(fd, 3) != 3) _exit(92);
    setenv("LISTEN_PID", pid == nullptr ? std::to_string(getpid()).c_str() : pid, 1);
    setenv("LISTEN_FDS", count, 1);
    _exit(check());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("listen fds: an inherited socket is taken once, with its port", "[os]") {
  CHECK(InChild(true, nullptr, "1", [] {
          auto taken = os::TakeListenFds();
          if (!taken || taken->size() != 1) return 1;
          auto port = os::PortOf(taken->front());
          if (!port || *port == 0) return 2;
          auto again = os::TakeListenFds();
          return again && again->empty() && std::getenv("LISTEN_FDS") == nullptr ? 0 : 3;
        }) == 0);
}

TEST_CASE("listen fds: those of another process are left alone", "[os]") {
  CHECK(InChild(true, "1", "1", [] {
          auto taken = os::TakeListenFds();
          return taken && taken->empty() ? 0 : 1;
        }) == 0);
}

TEST_CASE("listen fds: nonsense is an error, not an open port", "[os]") {
  CHECK(InChild(false, nullptr, "1", [] { return os::TakeListenFds() ? 1 : 0; }) == 0);
  CHECK(InChild(true, nullptr, "0", [] { return os::TakeListenFds() ? 1 : 0; }) == 0);
  CHECK(InChild(true, nullptr, "99", [] { return os::TakeListenFds() ? 1 : 0; }) == 0);
  CHECK(InChild(true, nullptr, "1x", [] { return os::TakeListenFds() ? 1 : 0; }) == 0);
}
