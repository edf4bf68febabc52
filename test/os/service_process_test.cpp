#include "os/service_process.h"

#include <poll.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <array>

#include "os/listen_fds.h"

using namespace mig;

namespace {

struct Ran {
  std::string output;
  std::string how;
};

// Runs a shell script as a service and reads what it writes until it ends.
Ran RunScript(const std::string& script, std::vector<int> listen_fds = {}) {
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  os::ServiceOptions options;
  options.program = "/bin/sh";
  options.argv = {"sh", "-c", script};
  options.stdout_fd = ends[1];
  options.listen_fds = std::move(listen_fds);
  auto service = os::ServiceProcess::Start(options);
  REQUIRE(service);
  close(ends[1]);
  Ran ran;
  std::array<char, 4096> chunk{};
  for (ssize_t got; (got = read(ends[0], chunk.data(), chunk.size())) > 0;) {
    ran.output.append(chunk.data(), static_cast<std::size_t>(got));
  }
  close(ends[0]);
  pollfd ended{service->pidfd().get(), POLLIN, 0};
  REQUIRE(poll(&ended, 1, 10'000) == 1);
  REQUIRE(service->Ended(&ran.how));
  return ran;
}

}  // namespace

TEST_CASE("service process: it inherits the environment and nothing else", "[os]") {
  REQUIRE(setenv("MIG_TEST_VARIABLE", "seen", 1) == 0);
  const int leaked = dup(2);  // without close-on-exec
  const Ran ran = RunScript("echo $MIG_TEST_VARIABLE; pwd; ls /proc/self/fd; exit 7");
  close(leaked);
  CHECK(ran.output.find("seen\n/\n0\n1\n2\n3\n") == 0);  // 3 is the folder that ls reads
  CHECK(ran.output.find("4\n") == std::string::npos);
  CHECK(ran.how == "exit status 7");
}

TEST_CASE("service process: sockets are handed over as systemd would", "[os]") {
  auto first = os::ListenOnLoopback(0);
  auto second = os::ListenOnLoopback(0);
  REQUIRE(first);
  REQUIRE(second);
  const Ran ran = RunScript(
      "[ $LISTEN_PID = $$ ] && echo $LISTEN_FDS; ls -l /proc/$$/fd/3 "
      "/proc/$$/fd/4 | grep -c socket",
      {second->get(), first->get()});
  CHECK(ran.output == "2\n2\n");
  const Ran without = RunScript("echo \"$LISTEN_FDS$LISTEN_PID\"");
  CHECK(without.output == "\n");
}

TEST_CASE("service process: a port that is taken is told from one that is free", "[os]") {
  auto socket = os::ListenOnLoopback(0);
  REQUIRE(socket);
  const auto port = os::PortOf(*socket);
  REQUIRE(port);
  CHECK(*port != 0);
  const auto again = os::ListenOnLoopback(*port);
  REQUIRE_FALSE(again);
  CHECK(again.error().code() == Errc::kExists);
  socket->Reset();
  CHECK(os::ListenOnLoopback(*port));
}

TEST_CASE("service process: how it ended is told, with its whole family", "[os]") {
  CHECK(RunScript("kill -9 $$").how == "killed by signal 9 (Killed)");
  os::ServiceOptions options;
  options.program = "/no/such/program";
  options.argv = {"x"};
  const auto missing = os::ServiceProcess::Start(options);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code() == Errc::kNotFound);
}
