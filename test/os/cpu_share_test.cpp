#include "os/cpu_share.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "os/sandbox.h"

using namespace mig::os;
using namespace std::chrono_literals;

TEST_CASE("cpu share: the pause makes the share, time spent waiting counts as pause", "[os]") {
  CHECK(PauseFor(10ms, 10ms, 50) == 10ms);
  CHECK(PauseFor(10ms, 10ms, 10) == 90ms);
  CHECK(PauseFor(10ms, 15ms, 50) == 5ms);
  CHECK(PauseFor(10ms, 500ms, 50) == 0ms);
  CHECK(PauseFor(10ms, 10ms, 100) == 0ms);
  CHECK(PauseFor(10ms, 10ms, 250) == 0ms);
  CHECK(PauseFor(1h, 1h, 1) == 1s);
}

TEST_CASE("cpu share: a busy process is held to its share, in the sandbox too", "[os]") {
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    if (!EnterSandbox({}) || !LimitCpuShare(20)) ::_exit(1);
    const auto until = std::chrono::steady_clock::now() + 1s;
    while (std::chrono::steady_clock::now() < until) {
    }
    ::_exit(0);
  }
  int status = 0;
  rusage usage{};
  REQUIRE(::wait4(pid, &status, 0, &usage) == pid);
  CHECK(status == 0);
  const auto used = std::chrono::microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) +
                    std::chrono::seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec);
  CHECK(used < 500ms);  // 200 ms asked for; without the limit a whole second on an idle machine
}
