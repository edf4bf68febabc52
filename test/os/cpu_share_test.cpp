#include "os/cpu_share.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <thread>
#include <vector>

#include "os/sandbox.h"

using namespace mig::os;
using namespace std::chrono_literals;

TEST_CASE("cpu share: the pause makes the share, time spent waiting counts as pause", "[os]") {
  const auto pause = [](std::chrono::nanoseconds now, std::chrono::nanoseconds used,
                        unsigned percent) { return CpuAccount{}.PauseAt(now, used, percent); };
  CHECK(pause(10ms, 10ms, 50) == 10ms);
  CHECK(pause(10ms, 10ms, 10) == 90ms);
  CHECK(pause(15ms, 10ms, 50) == 5ms);
  CHECK(pause(500ms, 10ms, 50) == 0ms);
  CHECK(pause(10ms, 20ms, 150) == 3'333'333ns);  // two threads
  CHECK(pause(10ms, 10ms, 250) == 0ms);
  CHECK(pause(1h, 1h, 1) == 1s);
}

TEST_CASE("cpu share: a minute of waiting is no minute at full speed", "[os]") {
  CpuAccount account;
  CHECK(account.PauseAt(60s, 0s, 50) == 0s);
  CHECK(account.PauseAt(60s + 25ms, 25ms, 50) == 0s);  // 50 ms may be caught up
  CHECK(account.PauseAt(60s + 100ms, 100ms, 50) == 50ms);
}

TEST_CASE("cpu share: threads that sleep one after the other keep it together, within 10 %",
          "[os]") {
  // A machine of as many cores as threads, in steps of a millisecond: one signal for each 10 ms of
  // processor time, to some thread that is awake, as the kernel does it.
  for (const unsigned threads : {1U, 2U, 8U}) {
    for (const unsigned percent : {20U, 90U, 150U, 390U}) {
      if (percent >= 100 * threads) continue;
      CAPTURE(threads, percent);
      CpuAccount account;
      std::vector<std::chrono::milliseconds> asleep_until(threads, 0ms);
      std::chrono::milliseconds used = 0ms, signalled = 0ms;
      for (auto now = 0ms; now < 60s; now += 1ms) {
        for (unsigned i = 0; i < threads; ++i) {
          if (asleep_until[i] > now) continue;
          if (asleep_until[i] == now && now > 0ms) {  // it wakes, and looks again
            const auto more = account.PauseAt(now, used, percent);
            asleep_until[i] = now + std::chrono::ceil<std::chrono::milliseconds>(more);
            if (more > 0ms) continue;
          }
          used += 1ms;
          if (used - signalled < 10ms) continue;
          signalled = used;
          const auto pause = account.PauseAt(now + 1ms, used, percent);
          asleep_until[i] = now + 1ms + std::chrono::ceil<std::chrono::milliseconds>(pause);
        }
      }
      const double share = static_cast<double>(used.count()) / 600.0;
      CHECK(share > percent * 0.9);
      CHECK(share < percent * 1.1);
    }
  }
}

TEST_CASE("cpu share: a busy process is held to its share, with all its threads", "[os]") {
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    if (!EnterSandbox({}) || !LimitCpuShare(20, 2)) ::_exit(1);
    const auto work = [until = std::chrono::steady_clock::now() + 1s] {
      while (std::chrono::steady_clock::now() < until) {
      }
    };
    std::thread other(work);
    work();
    other.join();
    ::_exit(0);
  }
  int status = 0;
  rusage usage{};
  REQUIRE(::wait4(pid, &status, 0, &usage) == pid);
  CHECK(status == 0);
  const auto used = std::chrono::microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) +
                    std::chrono::seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec);
  CHECK(used < 500ms);  // 200 ms asked for; without the limit two seconds on two idle cores
}
